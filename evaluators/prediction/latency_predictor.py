"""Predicts latencies from measured ones: a Gaussian process over sums of a network's work, with conformal intervals.

The kernel is a line over the network's sums, a line over its stages, and a smooth rest, because a latency is nearly
additive; below a hundred measurements it beats trees (measured on networks of `nhs`). Noise is proportional to the
latency. Errors on held-out networks set the width of an interval, so that its coverage does not depend on the kernel
(cross-conformal prediction, Vovk 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from evaluators.prediction.latency_features import TOTALS, features
from evaluators.statistics.intervals import conformal
from search_spaces import Network
from search_spaces.common.errors import NegativeAnswer

FEWEST = 20  # measurements; with fewer, nothing is predicted
FOLDS = 10
FITS = 1 + FOLDS
# Logarithms of: amplitude of the sums, of the stages, of the rest, its length scale, and the noise.
STARTS = ((-1.0, -1.0, -3.0, 1.5, -3.5), (-1.0, -3.0, -2.0, 2.0, -3.0))
BOUNDS = ((-7, 3), (-7, 3), (-9, 2), (0, 5), (-6, -1))

Vector = NDArray[np.float64]


class TooFewMeasurements(NegativeAnswer):
    """There are too few measurements to fit a predictor."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A predicted latency with its interval, in the unit of the measurements."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Errors of a predictor on networks that it was not fitted on. Shares are from 0 to 1."""

    measurements: int
    mean_error: float  # mean of |predicted / measured - 1|
    p90_error: float
    within_10_percent: float
    spearman: float
    coverage: float  # of the 90 % interval


class Predictor:
    """Predicts the latencies of networks after it was fitted on measured ones.

    `resolution` is that of the measurements, in pixels; `latencies` are in any unit. `report` is called after each of
    the `FITS` fits with the number of fits so far.

    Raises:
        TooFewMeasurements: fewer than 20.
    """

    def __init__(
        self,
        networks: Sequence[Network],
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
        x, y = np.stack([features(network, resolution) for network in networks]), np.array(latencies, dtype=float)
        self.process = Process(x, y)
        report(1)
        order = np.random.default_rng(0).permutation(len(y))
        self.folds = [order[start::FOLDS] for start in range(FOLDS)]
        self.y, self.held_mean, self.held_spread = y, np.empty(len(y)), np.empty(len(y))
        for number, fold in enumerate(self.folds, start=2):
            rest = np.setdiff1d(order, fold)
            unseen = Process(x[rest], y[rest], start=self.process.theta, steps=3)
            self.held_mean[fold], self.held_spread[fold] = unseen.predict(x[fold])
            report(number)
        self.nonconformity = np.abs(y - self.held_mean) / self.held_spread

    def predict(self, architecture: Network, level: float = 0.95) -> Prediction:
        """The latency of a network, with an interval that contains the measured one with probability `level`."""
        mean, spread = self.process.predict(features(architecture, self.resolution)[None])
        half = conformal(self.nonconformity, level) * spread[0]
        return Prediction(value=float(mean[0]), low=float(max(0.0, mean[0] - half)), high=float(mean[0] + half))

    def held_out(self) -> HeldOut:
        """Errors in tenfold cross-validation. The errors of the other folds set the interval of a fold."""
        import scipy.stats

        error = np.abs(self.held_mean / self.y - 1)
        covered = np.empty(len(self.y), dtype=bool)
        for fold in self.folds:
            covered[fold] = self.nonconformity[fold] <= conformal(np.delete(self.nonconformity, fold), 0.9)
        return HeldOut(
            measurements=len(self.y),
            mean_error=float(error.mean()),
            p90_error=float(np.quantile(error, 0.9)),
            within_10_percent=float((error <= 0.1).mean()),
            spearman=float(scipy.stats.spearmanr(self.held_mean, self.y).statistic),
            coverage=float(covered.mean()),
        )


class Process:
    """A Gaussian process with the kernel above. Features and latencies are scaled by those that it was fitted on."""

    def __init__(self, x: Vector, y: Vector, start: Vector | None = None, steps: int = 60) -> None:
        self.center, spread = x.mean(0), x.std(0)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.scale = float(y.mean())
        self.x, self.y = self._scaled(x), y / self.scale - 1
        self.relative = y / self.scale  # noise is a share of the latency
        starts = [np.array(theta) for theta in STARTS] if start is None else [start]
        options = {"maxiter": steps, "ftol": 1e-6}
        fits = [minimize(self._loss, theta, method="L-BFGS-B", bounds=BOUNDS, options=options) for theta in starts]
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
        return np.asarray(1.0 + lines + smooth)  # 1: the variance of the constant term, relative to the mean

    def _factor(self, theta: Vector) -> tuple[Vector, bool]:
        noise = (np.exp(theta[-1]) * self.relative) ** 2
        factor: tuple[Vector, bool] = cho_factor(self._kernel(self.x, self.x, theta) + np.diag(noise))
        return factor

    def _loss(self, theta: Vector) -> float:
        """The negative log marginal likelihood, without its constant."""
        try:
            factor = self._factor(theta)
        except np.linalg.LinAlgError:
            return 1e9
        fit = self.y @ cho_solve(factor, self.y)
        return float(0.5 * fit + np.log(np.diag(factor[0])).sum())

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """Means (m,) and standard deviations (m,) of measurements for features (m, p)."""
        x = self._scaled(x)
        cross = self._kernel(x, self.x, self.theta)
        mean = cross @ self.weights
        known = (cross * cho_solve(self.factor, cross.T).T).sum(1)
        variance = np.diag(self._kernel(x, x, self.theta)) - known
        noise = (np.exp(self.theta[-1]) * (1 + mean)) ** 2
        return self.scale * (1 + mean), self.scale * np.sqrt(np.maximum(variance, 0) + noise)
