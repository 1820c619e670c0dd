"""A latency predicted from latencies: a Gaussian process over what a network is made of, with an honest interval.

The kernel is a line over the network's sums, a line over its stages, and a smooth rest: a latency is nearly additive,
trees lose below a hundred measurements, and counts of blocks alone predict nothing (measured on networks of `nhs`).
Noise is a share of the latency. The width of an interval comes from errors on networks that were held out, so that it
holds as often as it says whatever the kernel believes (cross-conformal prediction, Vovk 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from evaluators.prediction.latency_features import TOTALS, features
from evaluators.statistics.intervals import conformal
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer

FEWEST = 20  # measurements, below which nothing is predicted
FOLDS = 10
FITS = 1 + FOLDS
# Logarithms of: amplitude of the sums, of the stages, of the rest, its length scale, and the noise.
STARTS = ((-1.0, -1.0, -3.0, 1.5, -3.5), (-1.0, -3.0, -2.0, 2.0, -3.0))
BOUNDS = ((-7, 3), (-7, 3), (-9, 2), (0, 5), (-6, -1))

Vector = NDArray[np.float64]


class TooFewMeasurements(NegativeAnswer):
    """A predictor that has seen less than it takes says nothing."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A latency that was not measured, with the interval that holds it as often as asked."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How well a predictor does on networks that it has not seen. Shares are of 1."""

    measurements: int
    mean_error: float  # mean of |predicted / measured - 1|
    p90_error: float
    within_10_percent: float
    spearman: float
    coverage: float  # of the 90 % interval


class Predictor:
    """Fitted on measured networks; predicts others.

    `resolution` is that of the measurements, in pixels; `latencies` are in any unit. `report` is called after each of
    `FITS` fits with the number of those that are done.

    Raises:
        TooFewMeasurements: fewer than 20.
    """

    def __init__(
        self,
        networks: Sequence[Architecture],
        latencies: Sequence[float],
        resolution: int,
        report: Callable[[int], None] = lambda fits: None,
    ) -> None:
        if len(networks) < FEWEST:
            raise TooFewMeasurements(
                f"a predictor needs {FEWEST} measured networks, and there are {len(networks)}",
                f"measure more networks on this device: {2 * FEWEST} give a usable prediction",
            )
        self.resolution = resolution
        x, y = np.stack([features(each, resolution) for each in networks]), np.array(latencies, dtype=float)
        self.process = _Process(x, y)
        report(1)
        order = np.random.default_rng(0).permutation(len(y))
        self.folds = [order[start::FOLDS] for start in range(FOLDS)]
        self.y, self.held_mean, self.held_spread = y, np.empty(len(y)), np.empty(len(y))
        for number, fold in enumerate(self.folds, start=2):
            rest = np.setdiff1d(order, fold)
            unseen = _Process(x[rest], y[rest], start=self.process.theta, steps=3)
            self.held_mean[fold], self.held_spread[fold] = unseen.predict(x[fold])
            report(number)
        self.surprise = np.abs(y - self.held_mean) / self.held_spread

    def predict(self, architecture: Architecture, level: float = 0.95) -> Prediction:
        """The latency of a network, with an interval that holds the measured one with that probability."""
        mean, spread = self.process.predict(features(architecture, self.resolution)[None])
        half = conformal(self.surprise, level) * spread[0]
        return Prediction(value=float(mean[0]), low=float(max(0.0, mean[0] - half)), high=float(mean[0] + half))

    def held_out(self) -> HeldOut:
        """Errors in tenfold cross-validation. Each fold's interval is taken from the other folds' errors."""
        import scipy.stats

        error = np.abs(self.held_mean / self.y - 1)
        kept = np.empty(len(self.y), dtype=bool)
        for fold in self.folds:
            kept[fold] = self.surprise[fold] <= conformal(np.delete(self.surprise, fold), 0.9)
        return HeldOut(
            measurements=len(self.y),
            mean_error=float(error.mean()),
            p90_error=float(np.quantile(error, 0.9)),
            within_10_percent=float((error <= 0.1).mean()),
            spearman=float(scipy.stats.spearmanr(self.held_mean, self.y).statistic),
            coverage=float(kept.mean()),
        )


class _Process:
    """A Gaussian process with the kernel above; features and latencies are scaled by what it was fitted on."""

    def __init__(self, x: Vector, y: Vector, start: Vector | None = None, steps: int = 60) -> None:
        self.center, spread = x.mean(0), x.std(0)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.scale = float(y.mean())
        self.x, self.y = self._scaled(x), y / self.scale - 1
        self.relative = y / self.scale  # noise is a share of the latency
        starts = [np.array(each) for each in STARTS] if start is None else [start]
        options = {"maxiter": steps, "ftol": 1e-6}
        fits = [minimize(self._loss, each, method="L-BFGS-B", bounds=BOUNDS, options=options) for each in starts]
        self.theta: Vector = min(fits, key=lambda fit: float(fit.fun)).x
        self.factor = self._factor(self.theta)
        self.weights = cho_solve(self.factor, self.y)

    def _scaled(self, x: Vector) -> Vector:
        return np.asarray((x - self.center) / self.spread)

    @staticmethod
    def _kernel(a: Vector, b: Vector, theta: Vector) -> Vector:
        sums, stages, rest, length, _ = np.exp(theta)
        totals = len(TOTALS)
        lines = sums**2 * (a[:, :totals] @ b[:, :totals].T) / totals
        lines = lines + stages**2 * (a[:, totals:] @ b[:, totals:].T) / (a.shape[1] - totals)
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
        smooth = rest**2 * np.exp(-0.5 * np.maximum(squares, 0) / (length**2 * a.shape[1]))
        return np.asarray(1.0 + lines + smooth)  # 1: a constant, as wide as the mean

    def _factor(self, theta: Vector) -> tuple[Vector, bool]:
        noise = (np.exp(theta[-1]) * self.relative) ** 2
        factor: tuple[Vector, bool] = cho_factor(self._kernel(self.x, self.x, theta) + np.diag(noise))
        return factor

    def _loss(self, theta: Vector) -> float:
        """The negative logarithm of the marginal likelihood."""
        try:
            factor = self._factor(theta)
        except np.linalg.LinAlgError:
            return 1e9
        fit = self.y @ cho_solve(factor, self.y)
        return float(0.5 * fit + np.log(np.diag(factor[0])).sum())

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """Means and standard deviations of measurements at rows of features."""
        x = self._scaled(x)
        cross = self._kernel(x, self.x, self.theta)
        mean = cross @ self.weights
        known = (cross * cho_solve(self.factor, cross.T).T).sum(1)
        variance = np.diag(self._kernel(x, x, self.theta)) - known
        noise = (np.exp(self.theta[-1]) * (1 + mean)) ** 2
        return self.scale * (1 + mean), self.scale * np.sqrt(np.maximum(variance, 0) + noise)
