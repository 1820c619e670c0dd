"""Half-widths of intervals: Student's t, the normal distribution, and conformal prediction."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike


@lru_cache
def student(level: float, freedom: float) -> float:
    """How many standard errors a two-sided interval of that level extends, for a mean with so many degrees of freedom.

    For example 2.571 at level 0.95 with 5 degrees of freedom.
    """
    from scipy.special import stdtrit  # scipy.stats has the same, and takes half a second to import

    return float(stdtrit(freedom, (1 + level) / 2))


@lru_cache
def normal(level: float = 0.95) -> float:
    """The same where the standard error is known: 1.960 at level 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def share_error(share: float, images: int) -> float:
    """The standard error of a share, from 0 to 1, that was counted on a number of images.

    The share is kept half an image away from 0 and 1: without a single error, the error rate is still uncertain.
    """
    share = min(max(share, 0.5 / images), 1 - 0.5 / images)
    return sqrt(share * (1 - share) / images)


def spread_error(values: Sequence[float]) -> float:
    """The standard error of the mean of a few values; 0 of a single one, whose spread is not known."""
    count = len(values)
    mean = sum(values) / count
    return sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count) if count > 1 else 0.0


def mean_ratio_error(numerators: ArrayLike, denominators: ArrayLike) -> float:
    """The standard error of a mean of ratios, each a sum over a number of images divided by another sum over them.

    Both have the shape (trainings, images, ratios): the images are a sample, and the same for all trainings. It is
    linearised: an image moves a ratio by what its numerator exceeds its share of the denominator (Cochran, Sampling
    Techniques, 1977, equation 6.13). A ratio whose denominator is 0 counts as 0.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    total = np.maximum(below.sum(axis=1, keepdims=True), 1e-12)
    ratios = above.sum(axis=1, keepdims=True) / total
    moved = ((above - ratios * below) / total).mean(axis=(0, 2))  # (images,)
    return float(sqrt(len(moved) / max(len(moved) - 1, 1) * (moved**2).sum()))


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """The mean of two values or more, and half the width of its interval by Student's t."""
    values = np.asarray(values, dtype=float)
    error = values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), student(level, len(values) - 1) * float(error)


def conformal(errors: Sequence[float] | ArrayLike, level: float) -> float:
    """The bound that a new error stays below with probability `level`, if all errors are exchangeable.

    It is the error of rank ceil(level * (n + 1)) of the n given ones, or the largest if there are too few (Vovk,
    Gammerman and Shafer, Algorithmic Learning in a Random World, 2005).
    """
    ordered = np.sort(np.asarray(errors, dtype=float))
    rank = min(len(ordered), int(np.ceil(level * (len(ordered) + 1))))
    return float(ordered[rank - 1])
