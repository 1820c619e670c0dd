"""Intervals over groups, by what a bootstrap that draws the networks of whole groups would say."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluators.statistics import groups, ranking
from evaluators.statistics.ranking import Vector


def clustered(seed: int, count: int = 12, each: int = 6, ties: bool = False) -> tuple[Vector, Vector, list[str]]:
    """Score, truth and group of networks; those of a group are nearly equal."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.normal(size=(2, count)), each, axis=1)
    score, truth = level + 0.1 * random.normal(size=level.shape)
    names = [f"group {number // each}" for number in range(count * each)]
    return np.round(score, 1) if ties else score, truth + score, names


def drawn_by_hand(names: list[str], statistic: Callable[[NDArray[np.intp]], float]) -> tuple[float, float]:
    """The interval of a statistic of the rows that every draw holds, as often as it holds their group."""
    codes, times = groups._drawn(names)
    values = [statistic(np.repeat(np.arange(len(names)), drawn[codes].astype(int))) for drawn in times]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.parametrize("ties", [False, True])
def test_tau_over_groups_is_that_of_the_networks_of_drawn_groups(ties: bool) -> None:
    score, truth, names = clustered(0, ties=ties)
    interval = groups.tau_interval(score, truth, names)
    assert interval.value == ranking.tau(score, truth)
    by_hand = drawn_by_hand(names, lambda rows: ranking.tau(score[rows], truth[rows]))
    assert (interval.low, interval.high) == pytest.approx(by_hand)


def test_a_mean_over_groups_counts_networks_and_draws_groups() -> None:
    _, values, names = clustered(1)
    values, names = values[:-4], names[:-4]  # groups of unequal size
    interval = groups.mean_interval(values, names)
    assert interval.value == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx(drawn_by_hand(names, lambda rows: values[rows].mean()))


def test_networks_that_resemble_each_other_tell_less() -> None:
    score, truth, names = clustered(2)
    whole, single = groups.tau_interval(score, truth, names), ranking.tau_interval(score, truth)
    assert whole.high - whole.low > 1.3 * (single.high - single.low)


def test_one_group_and_a_constant_score() -> None:
    truth = np.arange(4.0)
    assert groups.mean_interval(truth, ["one"] * 4) == ranking.Interval(value=1.5, low=1.5, high=1.5)
    assert groups.tau_interval(np.ones(4), truth, ["a", "b", "c", "d"]) == ranking.Interval(value=0, low=0, high=0)
