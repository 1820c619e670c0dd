"""Predicting accuracy from a few real evaluations and cheap features, and knowing how far that can be trusted.

Three models compete: a line through structure alone, a forest, and a Gaussian process over all features. Each counts by
how well it tells what it has not seen (leave-one-out). On published sets 20 evaluations and such a mixture rank better
than every training-free score (`nas validate` shows it). Intervals are conformal: as wide as the left-out errors ask.
"""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics import ranking
from evaluators.statistics.intervals import conformal
from evaluators.statistics.ranking import FEWEST, Interval
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

Vector = NDArray[np.float64]
Bounds = tuple[float, float]
LEVEL = 0.90  # of intervals
TREES = 200
REFIT = 40  # examples up to which a kernel is fitted anew for those left out
FAR = 5.0  # standard deviations, beyond which a feature says no more
PERCENT: Bounds = (0.0, 100.0)
MARGIN = 5e-4  # that is added to a share on either side, so that a perfect network has finite odds
REACH = 1.5  # of the distance between the extreme evaluations: what predictions may go beyond them


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Accuracies in the unit of the evaluations, with 90 % intervals; `upper` is what they may well reach."""

    mean: Vector
    low: Vector
    high: Vector
    upper: Vector


@dataclass(frozen=True, kw_only=True)
class Validity:
    """How the ranking was checked: on networks left out of what was learnt, against what must be beaten."""

    evaluations: int
    tau: Interval  # of the left-out predictions
    error: float  # mean absolute, in the unit of the evaluations
    coverage: float  # share of left-out evaluations inside their 90 % interval
    best_baseline: str
    baseline_tau: float
    gain: Interval  # tau above that baseline's, paired
    weights: dict[str, float]

    @property
    def ranks(self) -> bool:
        """Whether there is any evidence that it ranks at all."""
        return self.evaluations >= FEWEST and self.tau.low > 0

    @property
    def clears(self) -> bool:
        """Whether it ranks better than what costs nothing; without this, structure alone is to be used."""
        return self.gain.value >= 0

    @property
    def sentence(self) -> str:
        """What everybody who sees a prediction is told."""
        checked = f"leave-one-out tau {self.tau} on {self.evaluations} real evaluations"
        if self.evaluations < FEWEST:
            return f"unvalidated on your data: {self.evaluations} real evaluations, {FEWEST} are needed"
        if not self.ranks:
            return f"abstains: {checked} does not show that it ranks"
        if not self.clears:
            return f"{checked}; structure alone ({self.best_baseline}) does better, by {-self.gain.value:.2f}"
        return f"{checked}; {self.best_baseline} alone {self.baseline_tau:.2f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"ranks": self.ranks, "clears": self.clears, "sentence": self.sentence}


class Fusion:
    """The fused prediction, learnt from features (n, p) and accuracies (n,) of really evaluated networks.

    `structure` names the columns of the features that are counts of the network; they are the baselines, too.
    `bounds` are the lowest and the highest accuracy that there can be (None: there are none): no prediction and no end
    of an interval lies beyond them. The check of its ranking takes a second, and may be left out.

    Raises:
        NegativeAnswer: fewer than five evaluations, or all equal: nothing can be learnt.
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
        self.width = np.where(spread > 1e-9, spread, 1.0)
        self.structure = [index for index, name in enumerate(structure) if name]
        self.names = [name for name in structure if name]
        self.accuracies = accuracies
        self.scale = Scale(accuracies, bounds)
        x, y = self._scaled(features), self.scale.forward(accuracies)
        self.models: dict[str, Model] = {
            "line": Line(self._seen_by("line", x), y),
            "forest": Forest(x, y, seed),
            "process": Process(x, y, seed),
        }
        errors = {name: float(np.square(model.left_out - y).mean()) for name, model in self.models.items()}
        total = sum(error**-2 for error in errors.values())
        self.weights = {name: error**-2 / total for name, error in errors.items()}
        self.left_out, spread = self._mixed([(m.left_out, m.left_out_spread) for m in self.models.values()])
        nonconformity = np.abs(self.left_out - y) / spread
        self.reach = conformal(nonconformity, LEVEL) * _widening(len(y), len(self.models))
        self.checked = self._validity(features[:, self.structure], y, spread) if check else None

    @property
    def validity(self) -> Validity:
        """How its ranking was checked, where that was asked for."""
        assert self.checked, "made with check=False"
        return self.checked

    def alone(self, name: str, features: Vector) -> Vector:
        """What one of its models says by itself: line, forest or process."""
        return self.scale.back(self.models[name].predict(self._seen_by(name, self._scaled(features)))[0])

    def predict(self, features: Vector) -> Predictions:
        """Accuracies of networks by their features (n, p)."""
        x = self._scaled(features)
        mean, spread = self._mixed([model.predict(self._seen_by(name, x)) for name, model in self.models.items()])
        return Predictions(
            mean=self.scale.back(mean),
            low=self.scale.back(mean - self.reach * spread),
            high=self.scale.back(mean + self.reach * spread),
            upper=self.scale.back(mean + spread),
        )

    def _seen_by(self, name: str, x: Vector) -> Vector:
        """The columns that a model looks at."""
        return x[:, self.structure] if name == "line" else x

    def _mixed(self, rows: Sequence[tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
        weights = np.array(list(self.weights.values()))
        means, spreads = (np.stack(each) for each in zip(*rows, strict=True))
        return weights @ means, weights @ spreads

    def _validity(self, structure: Vector, y: Vector, spread: Vector) -> Validity:
        truth, told = self.accuracies, self.left_out
        baselines = {name: _signed(column, truth) for name, column in zip(self.names, structure.T, strict=True)}
        baselines["ridge of structure"] = self.models["line"].left_out
        taus = {name: ranking.tau(score, truth) for name, score in baselines.items()}
        best = max(taus, key=lambda name: taus[name])
        return Validity(
            evaluations=len(truth),
            tau=ranking.tau_interval(told, truth),
            error=float(np.abs(self.scale.back(told) - truth).mean()),
            coverage=float((np.abs(told - y) <= self.reach * spread).mean()),
            best_baseline=best,
            baseline_tau=taus[best],
            gain=ranking.tau_gain(told, baselines[best], truth),
            weights={name: round(weight, 3) for name, weight in self.weights.items()},
        )

    def _scaled(self, features: Vector) -> Vector:
        return np.asarray(np.clip((features - self.center) / self.width, -FAR, FAR))


class Scale:
    """A scale on which accuracies are spread like a normal distribution, learnt from some of them, and its inverse.

    First their log odds between the bounds, where there are any; then a power (Yeo-Johnson), which shortens the tail
    that is left: most sets have a few networks that are far worse than the others.
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
        """The inverse; what is far beyond every accuracy that the scale was learnt from is cut off."""
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
    """A count as a score in the direction in which it ranks better here: the hardest baseline to beat."""
    return column if ranking.tau(column, truth) >= 0 else -column


def _widening(count: int, fitted: int) -> float:
    """By how much `count` left-out errors are too small, because `fitted` numbers were chosen to minimise them.

    Akaike's final prediction error (1970): (n + k) / (n - k) in variance, for n errors and k fitted numbers.
    """
    return float(((count + fitted) / max(1, count - fitted)) ** 0.5)


class Model(Protocol):
    """A regression that knows what it would have said of each of its own examples without that example."""

    left_out: Vector
    left_out_spread: Vector

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """Means and standard deviations."""


class Line:
    """Ridge regression, its strength chosen by leave-one-out, which has a closed form."""

    def __init__(self, x: Vector, y: Vector) -> None:
        design = np.column_stack([x, np.ones(len(x))])
        best = np.inf
        for strength in np.logspace(-2, 3, 11):
            penalty = strength * np.eye(design.shape[1])
            penalty[-1, -1] = 1e-9
            inverse = np.linalg.inv(design.T @ design + penalty)
            leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
            weights = inverse @ design.T @ y
            left_out = y - (y - design @ weights) / np.maximum(1 - leverage, 1e-6)
            error = float(np.square(y - left_out).mean())
            if error < best:
                best, self.weights, self.inverse, self.left_out = error, weights, inverse, left_out
                self.left_out_spread = best**0.5 * np.sqrt(1 + leverage)
        self.error = best**0.5

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        design = np.column_stack([x, np.ones(len(x))])
        return design @ self.weights, self.error * np.sqrt(1 + np.einsum("ij,jk,ik->i", design, self.inverse, design))


class Forest:
    """Extremely randomised trees on bootstraps; an example's left-out prediction is that of the trees without it."""

    def __init__(self, x: Vector, y: Vector, seed: int) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        self.trees = ExtraTreesRegressor(TREES, bootstrap=True, random_state=seed).fit(x, y)
        each = np.stack([tree.predict(x) for tree in self.trees.estimators_])  # (trees, n)
        unseen = np.ones_like(each, dtype=bool)
        for row, chosen in zip(unseen, self.trees.estimators_samples_, strict=True):
            row[chosen] = False
        counts = np.maximum(unseen.sum(0), 1)
        self.left_out = (each * unseen).sum(0) / counts
        self.floor = 0.25 * float(y.std()) + 1e-9
        self.left_out_spread = self._floored(
            np.sqrt((np.square(each - self.left_out) * unseen).sum(0) / counts),
        )

    def _floored(self, spread: Vector) -> Vector:
        return np.asarray(np.hypot(spread, self.floor))

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        each = np.stack([tree.predict(x) for tree in self.trees.estimators_])
        return each.mean(0), self._floored(each.std(0))


class Process:
    """A Gaussian process: a line, a smooth rest, and noise.

    With few examples its own formula for leaving one out is too sure of itself, since the kernel has seen them all;
    then the kernel is fitted anew without each tenth of them.
    """

    def __init__(self, x: Vector, y: Vector, seed: int) -> None:
        self.process = _process(x, y, seed)
        if len(y) > REFIT:
            inverse = np.linalg.inv(self.process.L_ @ self.process.L_.T)
            self.left_out = y - inverse @ y / np.diag(inverse)  # Rasmussen and Williams, equation 5.12
            self.left_out_spread = np.sqrt(1 / np.diag(inverse))
            return
        self.left_out, self.left_out_spread = np.empty_like(y), np.empty_like(y)
        for part in np.array_split(np.random.default_rng(seed).permutation(len(y)), min(len(y), 10)):
            rest = np.setdiff1d(np.arange(len(y)), part)
            found = _process(x[rest], y[rest], seed).predict(x[part], return_std=True)
            self.left_out[part], self.left_out_spread[part] = found

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        mean, spread = self.process.predict(x, return_std=True)
        return mean, spread


def _process(x: Vector, y: Vector, seed: int) -> "GaussianProcessRegressor":
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

    line = ConstantKernel(0.1, (1e-4, 1e2)) * DotProduct(1.0, "fixed")
    rest = ConstantKernel(1.0, (1e-3, 1e2)) * Matern(3.0, (0.3, 100), nu=2.5)
    kernel = line + rest + WhiteKernel(0.1, (1e-3, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length at its bound is no accident with ten examples
        return GaussianProcessRegressor(kernel, random_state=seed).fit(x, y)
