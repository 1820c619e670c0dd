"""Regressions on a few examples that report, for every example, the prediction without it (leave-one-out).

The left-out predictions decide how much each regression counts in a mixture (`fusion.py`) and how wide its intervals
are. Arrays are x (n, p), features of n examples, and y (n,), their values.
"""

import warnings
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

Vector = NDArray[np.float64]
TREES = 200
REFIT = 40  # examples; with more, the kernel is no longer fitted again without those that are left out


class Regression(Protocol):
    """A fitted regression; `left_out` (n,) and `left_out_spread` (n,) are its predictions without each example."""

    left_out: Vector
    left_out_spread: Vector

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """Means (m,) and standard deviations (m,) for features (m, p)."""


class Ridge:
    """Ridge regression. Leave-one-out, which has a closed form, chooses the strength of the penalty."""

    def __init__(self, x: Vector, y: Vector) -> None:
        design = np.column_stack([x, np.ones(len(x))])  # (n, p + 1)
        best = np.inf
        for strength in np.logspace(-2, 3, 11):
            penalty = strength * np.eye(design.shape[1])
            penalty[-1, -1] = 1e-9  # the intercept is not penalised
            inverse = np.linalg.inv(design.T @ design + penalty)
            leverage = np.einsum("ij,jk,ik->i", design, inverse, design)  # diagonal of the hat matrix
            weights = inverse @ design.T @ y
            left_out = y - (y - design @ weights) / np.maximum(1 - leverage, 1e-6)  # the PRESS residuals
            error = float(np.square(y - left_out).mean())
            if error < best:
                best, self.weights, self.inverse, self.left_out = error, weights, inverse, left_out
                self.left_out_spread = best**0.5 * np.sqrt(1 + leverage)
        self.error = best**0.5

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        design = np.column_stack([x, np.ones(len(x))])
        return design @ self.weights, self.error * np.sqrt(1 + np.einsum("ij,jk,ik->i", design, self.inverse, design))


class Forest:
    """Extremely randomised trees on bootstraps. An example's left-out prediction is that of the trees without it."""

    def __init__(self, x: Vector, y: Vector, seed: int) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        self.trees = ExtraTreesRegressor(TREES, bootstrap=True, random_state=seed).fit(x, y)
        by_tree = np.stack([tree.predict(x) for tree in self.trees.estimators_])  # (trees, n)
        unseen = np.ones_like(by_tree, dtype=bool)
        for row, drawn in zip(unseen, self.trees.estimators_samples_, strict=True):
            row[drawn] = False
        counts = np.maximum(unseen.sum(0), 1)
        self.left_out = (by_tree * unseen).sum(0) / counts
        self.floor = 0.25 * float(y.std()) + 1e-9  # trees that agree are not certain: the spread has a lower limit
        self.left_out_spread = self._floored(
            np.sqrt((np.square(by_tree - self.left_out) * unseen).sum(0) / counts),
        )

    def _floored(self, spread: Vector) -> Vector:
        return np.asarray(np.hypot(spread, self.floor))

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        by_tree = np.stack([tree.predict(x) for tree in self.trees.estimators_])
        return by_tree.mean(0), self._floored(by_tree.std(0))


class GaussianProcess:
    """A Gaussian process whose kernel is a line, a smooth rest, and noise.

    With few examples the closed form of leave-one-out is overconfident, because the kernel was fitted to all of them.
    Up to `REFIT` examples, the kernel is therefore fitted again without each tenth of them.
    """

    def __init__(self, x: Vector, y: Vector, seed: int) -> None:
        self.process = _fitted(x, y, seed)
        if len(y) > REFIT:
            inverse = np.linalg.inv(self.process.L_ @ self.process.L_.T)
            self.left_out = y - inverse @ y / np.diag(inverse)  # Rasmussen and Williams 2006, equation 5.12
            self.left_out_spread = np.sqrt(1 / np.diag(inverse))
            return
        self.left_out, self.left_out_spread = np.empty_like(y), np.empty_like(y)
        for part in np.array_split(np.random.default_rng(seed).permutation(len(y)), min(len(y), 10)):
            rest = np.setdiff1d(np.arange(len(y)), part)
            prediction = _fitted(x[rest], y[rest], seed).predict(x[part], return_std=True)
            self.left_out[part], self.left_out_spread[part] = prediction

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        mean, spread = self.process.predict(x, return_std=True)
        return mean, spread


def _fitted(x: Vector, y: Vector, seed: int) -> "GaussianProcessRegressor":
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

    # y has variance 1: the bounds keep each part between negligible and far larger than that.
    line = ConstantKernel(0.1, (1e-4, 1e2)) * DotProduct(1.0, "fixed")
    rest = ConstantKernel(1.0, (1e-3, 1e2)) * Matern(3.0, (0.3, 100), nu=2.5)
    kernel = line + rest + WhiteKernel(0.1, (1e-3, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # with ten examples, a length scale at its bound is normal
        return GaussianProcessRegressor(kernel, random_state=seed).fit(x, y)
