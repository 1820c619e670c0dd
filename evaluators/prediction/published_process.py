"""A Gaussian process over published ImageNet results: what they say about a network that has not been trained.

It predicts y = -ln(100 - top-1), in which a step means the same share of the errors at any accuracy. Its kernel is
fixed: a line in the size of networks, a smooth rest in size and shape (Matern 3/2), and what the networks of a recipe,
a family or an architecture have in common. Its scales were chosen by leaving out one family at a time.

Shapes: n known networks, m others, p features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.spatial.distance import cdist

Vector = NDArray[np.float64]
SIZES = 4  # the first features, of the size of a network and its images; the others are of its shape
SIZE_LENGTH, SHAPE_LENGTH = 4.69, 1.62  # of the smooth rest, in standard deviations of a feature
FAR = 4.0  # standard deviations at which a feature is cut off


@dataclass(frozen=True, kw_only=True)
class Scales:
    """The parts of the kernel, as standard deviations of y; that of the line is for each of its coefficients."""

    line: float = 0.5
    rest: float = 0.130
    recipe: float = 0.043
    family: float = 0.023
    architecture: float = 0.007
    noise: float = 0.016  # between two trainings


PRIOR = Scales()
SIZE_LINE = Scales(rest=0.0, family=0.0, architecture=0.0, noise=0.134)  # its noise is all that the others explain


@dataclass(frozen=True, kw_only=True)
class Networks:
    """Networks as they were trained: features (n, p), whether the recipe is an old one (n,), and labels (n,)."""

    features: Vector
    legacy: Vector
    recipe: Sequence[str]
    family: Sequence[str]
    architecture: Sequence[str]


def to_y(top1: Vector) -> Vector:
    """From percent to the scale of the process."""
    return np.asarray(-np.log(100 - top1))


def to_percent(y: Vector) -> Vector:
    """The inverse of `to_y`."""
    return np.asarray(100 - np.exp(-y))


class Process:
    """The process, given the accuracies in percent (n,) of networks."""

    def __init__(self, known: Networks, top1: Vector, scales: Scales = PRIOR) -> None:
        self.known, self.scales = known, scales
        self.center, spread = known.features.mean(0), known.features.std(0)
        self.width = np.where(spread > 1e-9, spread, 1.0)
        self.codes = [_codes(labels) for labels in (known.recipe, known.family, known.architecture)]
        self.rows = self._rows(known)
        covariance = self._kernel(self.rows, self.rows) + scales.noise**2 * np.eye(len(top1))
        self.factor = cho_factor(covariance, lower=True)
        y = to_y(top1)
        self.level = float(y.mean())
        self.weights = cho_solve(self.factor, y - self.level)

    def mean(self, networks: Networks) -> Vector:
        """The mean (m,) of y."""
        return np.asarray(self.level + self._kernel(self._rows(networks), self.rows) @ self.weights)

    def predict(self, networks: Networks) -> tuple[Vector, Vector]:
        """The mean (m,) of y and its standard deviation (m,) without the noise of one training."""
        rows = self._rows(networks)
        across = self._kernel(rows, self.rows)  # (m, n)
        told = solve_triangular(self.factor[0], across.T, lower=True, check_finite=False)  # (n, m)
        own = np.array([self._kernel(row, row)[0, 0] for row in rows.each()])
        return self.level + across @ self.weights, np.sqrt(np.maximum(own - (told**2).sum(0), 0))

    def covariance(self, networks: Networks) -> Vector:
        """The covariances (m, m) of y between networks, given those that are known, without the noise of trainings."""
        rows = self._rows(networks)
        told = solve_triangular(self.factor[0], self._kernel(rows, self.rows).T, lower=True, check_finite=False)
        return np.asarray(self._kernel(rows, rows) - told.T @ told)

    def left_out(self, groups: Sequence[str]) -> tuple[Vector, Vector]:
        """The same for every known network without its group (Rasmussen and Williams 2006, section 5.4.2)."""
        inverse = cho_solve(self.factor, np.eye(len(groups)))
        y = np.linalg.solve(inverse, self.weights) + self.level
        mean, spread = np.empty_like(y), np.empty_like(y)
        labels = np.array(groups)
        for group in set(groups):
            (part,) = np.nonzero(labels == group)
            covariance = np.linalg.inv(inverse[np.ix_(part, part)])  # with the noise
            mean[part] = y[part] - covariance @ self.weights[part]
            spread[part] = np.sqrt(np.maximum(np.diag(covariance) - self.scales.noise**2, 0))
        return mean, spread

    def _rows(self, networks: Networks) -> "Rows":
        z = np.clip((networks.features - self.center) / self.width, -FAR, FAR)  # (n, p)
        size, shape, legacy = z[:, :SIZES], z[:, SIZES:], networks.legacy[:, None]
        macs = size[:, :1]
        labels = (networks.recipe, networks.family, networks.architecture)
        return Rows(
            line=np.hstack([np.ones_like(macs), size, macs**2, legacy, legacy * macs]),
            place=np.hstack([_scaled(size, SIZE_LENGTH), _scaled(shape, SHAPE_LENGTH)]),
            labels=np.array(
                [[code.get(each, -1) for each in row] for code, row in zip(self.codes, labels, strict=True)]
            ),
        )

    def _kernel(self, a: "Rows", b: "Rows") -> Vector:
        """The covariances of the rows (n, m)."""
        scales = self.scales
        covariance = scales.line**2 * a.line @ b.line.T + scales.rest**2 * _matern(cdist(a.place, b.place))
        for scale, mine, theirs in zip(
            (scales.recipe, scales.family, scales.architecture), a.labels, b.labels, strict=True
        ):
            covariance += scale**2 * (mine[:, None] == theirs[None, :])
        return np.asarray(covariance)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Networks as the kernel sees them; -1 is a label that no known network has."""

    line: Vector  # (n, 8), the inputs of the line
    place: Vector  # (n, p), whose distances are those of the smooth rest
    labels: NDArray[np.int64]  # (3, n)

    def each(self) -> "list[Rows]":
        """The rows one by one."""
        return [
            Rows(line=self.line[[i]], place=self.place[[i]], labels=self.labels[:, [i]]) for i in range(len(self.line))
        ]


def _codes(labels: Sequence[str]) -> dict[str, int]:
    return {label: code for code, label in enumerate(sorted(set(labels)))}


def _scaled(z: Vector, length: float) -> Vector:
    """Coordinates whose squared distances are means over features, in units of a length."""
    return np.asarray(z / (length * z.shape[1] ** 0.5))


def _matern(distance: Vector) -> Vector:
    """Matern 3/2 of a distance in units of its length."""
    return np.asarray((1 + 3**0.5 * distance) * np.exp(-(3**0.5) * distance))
