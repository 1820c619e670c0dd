"""Paired differences: is one group of results better than another, and how many seeds would show it?

The results of two groups are paired where they share everything but the group (the size and the seed of a training),
which cancels what they have in common. The interval is Student's, over the pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluators.statistics.intervals import mean_interval, student

LEVEL = 0.95
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

    def __str__(self) -> str:
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def differences(results: Mapping[str, ArrayLike], reference: str) -> dict[str, Difference]:
    """The paired differences of all groups to one of them, whose results stand in the same order.

    Intervals are widened for the number of groups (Bonferroni), so that with 95 % all of them hold at once.

    Raises:
        KeyError: there is no group of the reference's name.
    """
    base = np.asarray(results[reference], dtype=float)
    others = {name: np.asarray(values, dtype=float) - base for name, values in results.items() if name != reference}
    level = 1 - (1 - LEVEL) / max(1, len(others))
    return {name: _difference(pairs, level) for name, pairs in others.items()}


def _difference(pairs: NDArray[np.float64], level: float) -> Difference:
    pairs = pairs[np.isfinite(pairs)]
    if len(pairs) < 2:
        value = float(pairs[0]) if len(pairs) else float("nan")
        return Difference(value=value, low=float("-inf"), high=float("inf"), pairs=len(pairs))
    value, half = mean_interval(pairs, level)
    return Difference(
        value=value,
        low=value - half,
        high=value + half,
        pairs=len(pairs),
        told_apart=abs(value) > half,
        pairs_needed=_needed(value, float(pairs.std(ddof=1)), level),
    )


def _needed(value: float, spread: float, level: float) -> int:
    """The pairs after which half an interval is as wide as the difference that was seen; 0 where none would do."""
    if not value or not isfinite(value):
        return 0
    count = 2
    while count < MOST_PAIRS and student(level, count - 1) * spread > abs(value) * count**0.5:
        count = max(count + 1, ceil(count * 1.05))
    return count if count < MOST_PAIRS else 0
