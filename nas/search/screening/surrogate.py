"""A model of one objective over the networks of a run: a Gaussian process, a line and a smooth rest.

Few points teach a line, and more of them what is not linear. The scales of the parts and the length of each feature
maximise the posterior (Rasmussen and Williams 2006, sections 5.1 and 5.4.1); a belief about the lengths keeps many of
them from being fitted to few points. Shapes: n known networks, m others, p features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

Vector = NDArray[np.float64]
# Logarithms of: the standard deviations of the line and of the rest, the noise; then the length of each feature.
STARTS = ((0.0, -1.0, -2.5), (-1.0, 0.0, -2.5))  # mostly a line, and mostly the rest
BOUNDS = ((-4.0, 3.0), (-6.0, 2.0), (-6.0, 0.5))
LENGTHS = (-2.0, 4.0)
USUAL_LENGTH, BELIEF = 0.5, 1.0  # of a logarithm of a length: what is believed of it, and the standard deviation
STEPS = 40


@dataclass(frozen=True)
class Scales:
    """The logarithms of the kernel's scales, in the order of `STARTS`, and the lengths of the features."""

    theta: tuple[float, ...]


class Surrogate:
    """A Gaussian process given values (n,) at features (n, p). Without `scales`, it fits its own."""

    def __init__(self, x: Vector, y: Vector, scales: Scales | None = None) -> None:
        self.center, spread = x.mean(0), x.std(0)
        self.width = np.where(spread > 1e-9, spread, np.inf)  # what never varied says nothing, and does not count
        self.varied = max(1, int((spread > 1e-9).sum()))
        self.level, self.scale = float(y.mean()), float(y.std()) or 1.0
        self.x, self.y = self._scaled(x), (y - self.level) / self.scale
        self.scales = scales or self._fitted()
        line, rest, noise = np.exp(self.scales.theta[:3])
        smooth = rest**2 * np.exp(-0.5 * self._squares(self.x))
        self.factor = cho_factor(self._covariance(line, smooth, noise), lower=True, check_finite=False)
        self.weights = cho_solve(self.factor, self.y)

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """The mean (m,) and the standard deviation (m,) of the values of others (m, p), with the noise of one."""
        z = self._scaled(x)
        line, rest, noise = np.exp(self.scales.theta[:3])
        across = 1.0 + line**2 * z @ self.x.T + rest**2 * np.exp(-0.5 * self._squares(z))  # (m, n)
        known = solve_triangular(self.factor[0], across.T, lower=True, check_finite=False)
        own = 1.0 + line**2 * (z**2).sum(1) + rest**2
        variance = np.maximum(own - (known**2).sum(0), 0) + noise**2
        return self.level + self.scale * (across @ self.weights), self.scale * np.sqrt(variance)

    def _scaled(self, x: Vector) -> Vector:
        return np.asarray((x - self.center) / self.width / self.varied**0.5)

    def _squares(self, z: Vector) -> Vector:
        """Squared distances (m, n) from the known networks, in lengths."""
        lengths = np.exp(self.scales.theta[3:])
        return _squares(z / lengths, self.x / lengths)

    def _covariance(self, line: float, smooth: Vector, noise: float) -> Vector:
        """That of the known values; 1 is the variance of the level."""
        return np.asarray(1.0 + line**2 * self.x @ self.x.T + smooth + noise**2 * np.eye(len(self.y)))

    def _fitted(self) -> Scales:
        count = self.x.shape[1]
        bounds, options = [*BOUNDS, *[LENGTHS] * count], {"maxiter": STEPS, "ftol": 1e-5}
        starts = [np.array([*start, *[USUAL_LENGTH] * count]) for start in STARTS]
        fits = [
            minimize(self._loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for start in starts
        ]
        return Scales(tuple(min(fits, key=lambda fit: float(fit.fun)).x.tolist()))

    def _loss(self, theta: Vector) -> tuple[float, Vector]:
        """The negative log posterior of the scales, without its constant, and its gradient."""
        line, rest, noise = np.exp(theta[:3])
        x = self.x / np.exp(theta[3:])
        smooth = rest**2 * np.exp(-0.5 * _squares(x, x))
        try:
            factor = cho_factor(self._covariance(line, smooth, noise), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e9, np.zeros_like(theta)
        weights = cho_solve(factor, self.y, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(self.y)), check_finite=False)
        slope = 0.5 * (inverse - np.outer(weights, weights))  # of the loss by the covariance
        pull = slope * smooth
        # The sum over pairs of pull * (x_i - x_j)^2, feature by feature: pull is symmetric.
        apart = 2 * (pull.sum(1) @ x**2) - 2 * np.einsum("ip,ij,jp->p", x, pull, x, optimize=True)
        surprise = (theta[3:] - USUAL_LENGTH) / BELIEF
        gradient = np.array(
            [
                2 * line**2 * (slope * (self.x @ self.x.T)).sum(),
                2 * pull.sum(),
                2 * noise**2 * np.trace(slope),
                *(apart + surprise / BELIEF),
            ]
        )
        loss = 0.5 * self.y @ weights + np.log(np.diag(factor[0])).sum() + 0.5 * (surprise**2).sum()
        return float(loss), gradient


def _squares(a: Vector, b: Vector) -> Vector:
    """Squared distances (n, m)."""
    return np.asarray(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0))
