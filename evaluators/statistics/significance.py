"""p-values that assume no distribution: Fisher's exact test, sign flips of paired differences, Holm's correction."""

from collections.abc import Sequence
from math import exp, lgamma

import numpy as np

from evaluators.statistics.ranking import Vector

FLIPS = 10_000


def fisher(having: int, count: int, others_having: int, others: int) -> float:
    """The two-sided p-value for equal shares: `having` of `count`, and `others_having` of `others`.

    The sum of the probabilities of all tables that are no more probable than this one (R. A. Fisher, Statistical
    Methods for Research Workers, 1934).
    """
    total = having + others_having

    def probability(k: int) -> float:
        """Hypergeometric: that k of all that have the property are among the first."""
        return exp(
            _log_choose(total, k) + _log_choose(count + others - total, count - k) - _log_choose(count + others, count)
        )

    bound = probability(having) * (1 + 1e-7)  # equal ones differ by rounding
    tables = map(probability, range(max(0, total - others), min(total, count) + 1))
    return min(1.0, sum(each for each in tables if each <= bound))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def sign_flips(differences: Vector, seed: int = 0) -> float:
    """The two-sided p-value for paired differences (n,) that are symmetric about 0: how often random signs do as much.

    It counts the observed signs among the random ones, so that it is never 0 (Phipson and Smyth, 2010).
    """
    count = FLIPS * len(differences)
    bits = np.unpackbits(np.frombuffer(np.random.default_rng(seed).bytes(-(-count // 8)), np.uint8), count=count)
    kept = bits.reshape(FLIPS, -1) @ differences  # the sum of those that keep their sign; the others lose it
    as_much = np.abs(2 * kept - differences.sum()) >= abs(differences.sum()) * (1 - 1e-9)
    return float((as_much.sum() + 1) / (FLIPS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for the number of tests (S. Holm, Scand. J. of Statistics 6, 1979), in their order."""
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted
