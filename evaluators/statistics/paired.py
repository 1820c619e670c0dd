"""Paired differences: is one group of results better than another, and how many seeds would show it?

The results of groups are paired where they share everything but the group (the size and the seed of a training), which
cancels what they have in common. Two or three pairs say little of their own spread, so it is estimated from all groups
at once: what is left when the mean of each group and of each pair is taken away (randomised complete blocks; Box,
Hunter and Hunter, Statistics for Experimenters, 2005, section 4.2). That assumes that all groups scatter alike. Of two
groups, it is Student's interval of the pairs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluators.statistics.intervals import student

LEVEL = 0.95
POWER = 0.8  # the share of experiments that are to tell a difference apart
MOST_PAIRS = 10_000  # beyond, no number of pairs would do


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean of paired differences with its interval, and whether that excludes 0 among all that are compared."""

    value: float
    low: float
    high: float
    pairs: int
    told_apart: bool = False
    pairs_needed: int = 0  # to tell such a difference apart from 0, if it is one; 0: not known
    detectable: float = inf  # the least difference that 8 of 10 such experiments would tell apart

    def __str__(self) -> str:
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """How much paired differences scatter (standard deviation), and from how many degrees of freedom that is known."""

    spread: float
    freedom: int

    def half_interval(self, level: float, pairs: int) -> float:
        """Half the width of the interval of a mean of so many pairs."""
        return student(level, self.freedom) * self.spread / sqrt(pairs) if self.freedom else inf


def differences(
    results: Mapping[str, ArrayLike], reference: str, names: Collection[str] | None = None
) -> dict[str, Difference]:
    """The paired differences of groups to one of them, whose results stand in the same order; nan where one lacks.

    `names` are those to compare, all by default; the others only tell how much results scatter. Intervals are widened
    for the number of compared groups (Bonferroni), so that with 95 % all of them hold at once.

    Raises:
        KeyError: there is no group of the reference's name.
    """
    table = {name: np.asarray(values, dtype=float) for name, values in results.items()}
    base = table[reference]
    compared = [name for name in (table if names is None else names) if name != reference]
    level = 1 - (1 - LEVEL) / max(1, len(compared))
    scatter = _scatter(np.array(list(table.values())))
    return {name: _difference(table[name] - base, scatter, level, len(table)) for name in compared}


def _scatter(table: NDArray[np.float64]) -> Scatter:
    """What is left of results of the shape (groups, pairs) without the means of groups and pairs."""
    groups, pairs = np.nonzero(np.isfinite(table))
    design = np.hstack([np.eye(table.shape[0])[groups], np.eye(table.shape[1])[pairs]])
    values = table[groups, pairs]
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    freedom = len(values) - int(rank)
    left = float(((values - design @ fitted) ** 2).sum())
    return Scatter(spread=sqrt(2 * left / freedom) if freedom else nan, freedom=freedom)


def _difference(pairs: NDArray[np.float64], scatter: Scatter, level: float, groups: int) -> Difference:
    pairs = pairs[np.isfinite(pairs)]
    value = float(pairs.mean()) if len(pairs) else nan
    if not scatter.freedom or not len(pairs):
        return Difference(value=value, low=-inf, high=inf, pairs=len(pairs))
    half = scatter.half_interval(level, len(pairs))
    power = student(2 * POWER - 1, scatter.freedom) * scatter.spread / sqrt(len(pairs))  # one-sided
    return Difference(
        value=value,
        low=value - half,
        high=value + half,
        pairs=len(pairs),
        told_apart=abs(value) > half,
        pairs_needed=_needed(value, scatter.spread, level, groups),
        detectable=half + power,
    )


def _needed(value: float, spread: float, level: float, groups: int) -> int:
    """The pairs after which half an interval is as wide as the difference that was seen; 0 where none would do."""
    if not value or not isfinite(value):
        return 0
    count = 2
    while count < MOST_PAIRS and _half(spread, level, groups, count) > abs(value):
        count = max(count + 1, ceil(count * 1.05))
    return count if count < MOST_PAIRS else 0


def _half(spread: float, level: float, groups: int, pairs: int) -> float:
    return Scatter(spread=spread, freedom=(groups - 1) * (pairs - 1)).half_interval(level, pairs)
