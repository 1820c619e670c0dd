"""Half-widths of intervals: Student's t, the normal distribution, and conformal prediction."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike


def student(level: float, freedom: float) -> float:
    """How many standard errors a two-sided interval of that level extends, for a mean with so many degrees of freedom.

    For example 2.571 at level 0.95 and 5 degrees of freedom.
    """
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, freedom))


def normal(level: float = 0.95) -> float:
    """The same where the standard error is known: 1.960 at level 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """The mean of at least two values, and the half-width of its interval by Student's t."""
    values = np.asarray(values, dtype=float)
    error = values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean()), student(level, len(values) - 1) * float(error)


def conformal(errors: Sequence[float] | ArrayLike, level: float) -> float:
    """The smallest bound that a new error keeps with that probability, the errors being exchangeable.

    Of n errors it is the one of rank level * (n + 1), and the largest where there are too few (Vovk et al. 2005).
    """
    ordered = np.sort(np.asarray(errors, dtype=float))
    rank = min(len(ordered), int(np.ceil(level * (len(ordered) + 1))))
    return float(ordered[rank - 1])
