"""A model of one objective over the networks of a run: a Gaussian process, a line and a smooth rest.

Few points teach a line, and more of them what is not linear. The scales of the parts maximise the marginal likelihood
(Rasmussen and Williams 2006, section 5.4.1). Shapes: n known networks, m others, p features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

Vector = NDArray[np.float64]
# Logarithms of: the standard deviations of the line and of the rest, the length scale, the noise.
START = (0.0, -1.0, 1.0, -2.5)
BOUNDS = ((-4.0, 3.0), (-6.0, 2.0), (-1.0, 4.0), (-6.0, 0.5))
STEPS = 40


@dataclass(frozen=True)
class Scales:
    """The logarithms of the kernel's scales, in the order of `START`."""

    theta: tuple[float, ...] = START


class Surrogate:
    """A Gaussian process given values (n,) at features (n, p). Without `scales`, it fits its own."""

    def __init__(self, x: Vector, y: Vector, scales: Scales | None = None) -> None:
        self.center, spread = x.mean(0), x.std(0)
        self.width = np.where(spread > 1e-9, spread, np.inf)  # what never varied says nothing
        self.level, self.scale = float(y.mean()), float(y.std()) or 1.0
        self.x, self.y = self._scaled(x), (y - self.level) / self.scale
        self.lines, self.squares = self.x @ self.x.T, _squares(self.x, self.x)
        self.scales = scales or self._fitted()
        self.factor = self._factor(np.array(self.scales.theta))
        self.weights = cho_solve(self.factor, self.y)

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """The mean (m,) and the standard deviation (m,) of the values of others (m, p), with the noise of one."""
        z = self._scaled(x)
        line, rest, length, noise = np.exp(self.scales.theta)
        across = _kernel(z @ self.x.T, _squares(z, self.x), line, rest, length)  # (m, n)
        known = solve_triangular(self.factor[0], across.T, lower=True, check_finite=False)
        own = 1.0 + line**2 * (z**2).sum(1) + rest**2
        variance = np.maximum(own - (known**2).sum(0), 0) + noise**2
        return self.level + self.scale * (across @ self.weights), self.scale * np.sqrt(variance)

    def _scaled(self, x: Vector) -> Vector:
        return np.asarray((x - self.center) / self.width / x.shape[1] ** 0.5)

    def _factor(self, theta: Vector) -> tuple[Vector, bool]:
        line, rest, length, noise = np.exp(theta)
        covariance = _kernel(self.lines, self.squares, line, rest, length)
        covariance[np.diag_indices_from(covariance)] += noise**2
        factor: tuple[Vector, bool] = cho_factor(covariance, lower=True, check_finite=False)
        return factor

    def _fitted(self) -> Scales:
        options = {"maxiter": STEPS, "ftol": 1e-5}
        done = minimize(self._loss, np.array(START), method="L-BFGS-B", bounds=BOUNDS, options=options)
        return Scales(tuple(done.x.tolist()))

    def _loss(self, theta: Vector) -> float:
        """The negative log marginal likelihood, without its constant."""
        try:
            factor = self._factor(theta)
        except np.linalg.LinAlgError:
            return 1e9
        fit = self.y @ cho_solve(factor, self.y, check_finite=False)
        return float(0.5 * fit + np.log(np.diag(factor[0])).sum())


def _squares(a: Vector, b: Vector) -> Vector:
    """Squared distances (n, m)."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0))


def _kernel(lines: Vector, squares: Vector, line: float, rest: float, length: float) -> Vector:
    """The covariances; 1 is the variance of the level."""
    return np.asarray(1.0 + line**2 * lines + rest**2 * np.exp(-0.5 * squares / length**2))
