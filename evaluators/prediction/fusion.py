"""Predicts accuracy from a few real evaluations and cheap features, and says how far the prediction can be trusted.

Three regressions are mixed: ridge on structure alone, and a forest and a Gaussian process on all features. Each has the
weight of its inverse squared mean square error on left-out networks. On published sets, 20 evaluations with this
mixture rank better than every training-free score. Intervals are conformal: the left-out errors set their width.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluators.prediction.regressions import Forest, GaussianProcess, Regression, Ridge, Vector
from evaluators.statistics import ranking
from evaluators.statistics.intervals import conformal
from evaluators.statistics.ranking import FEWEST, Interval
from search_spaces.common.errors import NegativeAnswer

Bounds = tuple[float, float]
LEVEL = 0.90  # of intervals
FAR = 5.0  # standard deviations at which a feature is cut off
PERCENT: Bounds = (0.0, 100.0)
MARGIN = 5e-4  # added to a share at both ends, so that a perfect network has finite odds
REACH = 1.5  # how far predictions may exceed the evaluations, as a multiple of their range


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Accuracies (n,) in the unit of the evaluations, with 90 % intervals; `upper` is one standard deviation up."""

    mean: Vector
    low: Vector
    high: Vector
    upper: Vector


@dataclass(frozen=True, kw_only=True)
class Validity:
    """How the ranking was checked: on left-out networks, against the best baseline."""

    evaluations: int
    tau: Interval  # of the left-out predictions
    error: float  # mean absolute, in the unit of the evaluations
    coverage: float  # share of left-out evaluations inside their 90 % intervals
    best_baseline: str
    baseline_tau: float
    gain: Interval  # tau minus that of the baseline, paired
    weights: dict[str, float]  # of the regressions in the mixture

    @property
    def ranks(self) -> bool:
        """Whether there is evidence that it ranks at all."""
        return self.evaluations >= FEWEST and self.tau.low > 0

    @property
    def clears(self) -> bool:
        """Whether it ranks better than the best baseline; if not, structure alone should be used."""
        return self.gain.value >= 0

    @property
    def sentence(self) -> str:
        """A sentence to show next to every prediction."""
        checked = f"leave-one-out tau {self.tau} on {self.evaluations} real evaluations"
        if self.evaluations < FEWEST:
            return f"unvalidated on your data: {self.evaluations} real evaluations, {FEWEST} are needed"
        if not self.ranks:
            return f"abstains: {checked} does not show that it ranks"
        if not self.clears:
            return f"{checked}; structure alone ({self.best_baseline}) does better, by {-self.gain.value:.2f}"
        return f"{checked}; {self.best_baseline} alone {self.baseline_tau:.2f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"ranks": self.ranks, "clears": self.clears, "sentence": self.sentence}


class Fusion:
    """The fused prediction, learnt from features (n, p) and accuracies (n,) of trained networks.

    `structure` names the feature columns that are counts of the network, which are also the baselines, and is None for
    the others. `bounds` are the lowest and highest possible accuracy (None: unbounded); predictions and intervals stay
    within them. `check=False` skips the check of the ranking, which takes a second.

    Raises:
        NegativeAnswer: fewer than five evaluations, or all are equal: nothing can be learnt.
    """

    def __init__(
        self,
        features: Vector,
        accuracies: Vector,
        structure: Sequence[str | None],
        seed: int = 0,
        *,
        bounds: Bounds | None = None,
        check: bool = True,
    ) -> None:
        if len(accuracies) < 5 or np.ptp(accuracies) == 0:
            raise NegativeAnswer(
                f"{len(accuracies)} real evaluations, {len(set(accuracies.tolist()))} different: nothing can be learnt",
                f"evaluate more networks: {FEWEST} at least",
            )
        self.center, spread = features.mean(0), features.std(0)
        self.width = np.where(spread > 1e-9, spread, 1.0)  # what never varied still sets apart who differs in it
        self.structure = [index for index, name in enumerate(structure) if name]
        self.names = [name for name in structure if name]
        self.accuracies = accuracies
        self.scale = Scale(accuracies, bounds)
        x, y = self._scaled(features), self.scale.forward(accuracies)
        self.models: dict[str, Regression] = {
            "line": Ridge(self._seen_by("line", x), y),
            "forest": Forest(x, y, seed),
            "process": GaussianProcess(x, y, seed),
        }
        # Mean square errors on left-out networks; weighting by inverse squares all but drops a bad regression.
        errors = {name: float(np.square(model.left_out - y).mean()) for name, model in self.models.items()}
        total = sum(error**-2 for error in errors.values())
        self.weights = {name: error**-2 / total for name, error in errors.items()}
        self.left_out, spread = self._mixed([(m.left_out, m.left_out_spread) for m in self.models.values()])
        # Errors relative to their predicted spread (n,) are exchangeable with that of a new network.
        nonconformity = np.abs(self.left_out - y) / spread
        self.reach = conformal(nonconformity, LEVEL) * _widening(len(y), len(self.models))
        self.checked = self._validity(features[:, self.structure], y, spread) if check else None

    @property
    def validity(self) -> Validity:
        """How its ranking was checked; not with `check=False`."""
        assert self.checked, "made with check=False"
        return self.checked

    def alone(self, name: str, features: Vector) -> Vector:
        """The prediction (n,) of one regression by itself: `line`, `forest` or `process`."""
        return self.scale.back(self.models[name].predict(self._seen_by(name, self._scaled(features)))[0])

    def predict(self, features: Vector) -> Predictions:
        """Predicts accuracies (n,) from features (n, p)."""
        x = self._scaled(features)
        mean, spread = self._mixed([model.predict(self._seen_by(name, x)) for name, model in self.models.items()])
        return Predictions(
            mean=self.scale.back(mean),
            low=self.scale.back(mean - self.reach * spread),
            high=self.scale.back(mean + self.reach * spread),
            upper=self.scale.back(mean + spread),
        )

    def _seen_by(self, name: str, x: Vector) -> Vector:
        """The feature columns that a regression uses."""
        return x[:, self.structure] if name == "line" else x

    def _mixed(self, rows: Sequence[tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
        weights = np.array(list(self.weights.values()))
        means, spreads = (np.stack(column) for column in zip(*rows, strict=True))  # (regressions, n)
        return weights @ means, weights @ spreads

    def _validity(self, structure: Vector, y: Vector, spread: Vector) -> Validity:
        truth, predicted = self.accuracies, self.left_out
        baselines = {name: _signed(column, truth) for name, column in zip(self.names, structure.T, strict=True)}
        baselines["ridge of structure"] = self.models["line"].left_out
        taus = {name: ranking.tau(score, truth) for name, score in baselines.items()}
        best = max(taus, key=lambda name: taus[name])
        return Validity(
            evaluations=len(truth),
            tau=ranking.tau_interval(predicted, truth),
            error=float(np.abs(self.scale.back(predicted) - truth).mean()),
            coverage=float((np.abs(predicted - y) <= self.reach * spread).mean()),
            best_baseline=best,
            baseline_tau=taus[best],
            gain=ranking.tau_gain(predicted, baselines[best], truth),
            weights={name: round(weight, 3) for name, weight in self.weights.items()},
        )

    def _scaled(self, features: Vector) -> Vector:
        return np.asarray(np.clip((features - self.center) / self.width, -FAR, FAR))


class Scale:
    """A scale on which accuracies are roughly normally distributed, learnt from examples, and its inverse.

    It takes log odds between the bounds, if there are any, then a power transform (Yeo and Johnson 2000). The power
    shortens the remaining tail: most sets have a few networks that are far worse than the others.
    """

    def __init__(self, accuracies: Vector, bounds: Bounds | None) -> None:
        from sklearn.preprocessing import PowerTransformer

        self.bounds = bounds
        odds = self._odds(accuracies)
        self.power = PowerTransformer().fit(odds[:, None])
        room = REACH * float(np.ptp(odds))
        self.grid = np.linspace(float(odds.min()) - room, float(odds.max()) + room, 512)
        self.powers = self._powers(self.grid)

    def forward(self, accuracies: Vector) -> Vector:
        """Accuracies on the scale."""
        return self._powers(self._odds(accuracies))

    def back(self, values: Vector) -> Vector:
        """The inverse of `forward`; values far beyond the examples are cut off."""
        from scipy.special import expit

        odds = np.interp(values, self.powers, self.grid)
        if self.bounds is None:
            return np.asarray(odds)
        low, high = self.bounds
        return np.asarray(low + (high - low) * np.clip((expit(odds) - MARGIN) / (1 - 2 * MARGIN), 0, 1))

    def _odds(self, accuracies: Vector) -> Vector:
        from scipy.special import logit

        if self.bounds is None:
            return accuracies
        low, high = self.bounds
        return np.asarray(logit(MARGIN + (1 - 2 * MARGIN) * np.clip((accuracies - low) / (high - low), 0, 1)))

    def _powers(self, odds: Vector) -> Vector:
        return np.asarray(self.power.transform(odds[:, None])[:, 0])


def _signed(column: Vector, truth: Vector) -> Vector:
    """A count as a score, in the direction that ranks better on this set: the hardest baseline to beat."""
    return column if ranking.tau(column, truth) >= 0 else -column


def _widening(count: int, fitted: int) -> float:
    """By how much `count` left-out errors are too small, because `fitted` numbers were chosen to minimise them.

    Akaike's final prediction error (1970): (n + k) / (n - k) in variance, for n errors and k fitted numbers.
    """
    return float(((count + fitted) / max(1, count - fitted)) ** 0.5)
