"""Intervals of statistics whose networks come in groups, such as families: whole groups are drawn, not networks.

Networks of a family resemble each other, so an interval over networks would be too narrow (cluster bootstrap: Davison
and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). Vectors are (n,) over networks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics.ranking import BOOTSTRAPS, Interval, Vector, tau


def mean_interval(values: Vector, groups: Sequence[str]) -> Interval:
    """The mean with its 95 % interval over groups."""
    codes, times = _drawn(groups)
    means = times @ np.bincount(codes, values) / (times @ np.bincount(codes))
    return _interval(float(values.mean()), means)


def tau_interval(score: Vector, truth: Vector, groups: Sequence[str]) -> Interval:
    """Kendall's tau-b with its 95 % interval over groups.

    The sums over pairs of networks are made once for each pair of groups. A draw weights them by how often it holds
    both groups, which is the tau-b of the networks that it holds.
    """
    codes, times = _drawn(groups)
    first, second = (np.sign(values[:, None] - values[None, :]) for values in (score, truth))  # (n, n)
    concordant, in_first, in_second = (
        _weighted(pairs, codes, times) for pairs in (first * second, np.abs(first), np.abs(second))
    )
    untied = np.sqrt(in_first * in_second)
    return _interval(tau(score, truth), np.divide(concordant, untied, out=np.zeros_like(untied), where=untied > 0))


def _drawn(groups: Sequence[str]) -> tuple[NDArray[np.intp], Vector]:
    """The group of each network (n,), and how often each draw holds each group (draws, g)."""
    names, codes = np.unique(np.array(groups), return_inverse=True)
    times = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=BOOTSTRAPS)
    return codes, times.astype(float)


def _weighted(pairs: Vector, codes: NDArray[np.intp], times: Vector) -> Vector:
    """The sum over all pairs (n, n) of networks, for each draw (draws,)."""
    member = np.eye(times.shape[1])[codes]  # (n, g)
    return np.asarray(np.einsum("dg,dg->d", times @ (member.T @ pairs @ member), times))


def _interval(value: float, drawn: Vector) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value=value, low=float(low), high=float(high))
