"""Paired differences: a planted one is found, and none is found where there is none."""

import numpy as np
import pytest

from evaluators.statistics.intervals import mean_interval
from evaluators.statistics.paired import differences

GROUPS = tuple("abcdefgh")


def drawn(seed: int, planted: float = 0.0, pairs: int = 6) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shared = random.normal(70, 3, pairs)
    results = {name: shared + random.normal(0, 0.3, pairs) for name in GROUPS}
    results["b"] = results["b"] + planted
    return results


def test_a_planted_difference_is_told_apart_although_pairs_vary_much_more() -> None:
    found = differences(drawn(0, planted=2.0), "a")
    assert found["b"].told_apart
    assert found["b"].low < 2.0 < found["b"].high
    assert "a" not in found


def test_equal_groups_are_seldom_told_apart() -> None:
    mistaken = sum(any(each.told_apart for each in differences(drawn(seed), "a").values()) for seed in range(400))
    assert mistaken / 400 <= 0.07, "5 % of questions, with the error of a share of 400"


def test_it_says_how_many_pairs_would_tell_a_difference_apart() -> None:
    few = differences(drawn(3, planted=0.4, pairs=3), "a")["b"]
    assert not few.told_apart
    assert few.pairs_needed > 3
    many = [differences(drawn(seed, planted=0.4, pairs=40), "a")["b"] for seed in range(20)]
    assert sum(each.told_apart for each in many) >= 18


def test_what_was_not_trained_is_left_out_of_the_pairs() -> None:
    results = drawn(1)
    results["b"][2:] = np.nan
    found = differences(results, "a")
    assert found["b"].pairs == 2 and found["c"].pairs == 6
    results["b"][:] = np.nan
    assert differences(results, "a")["b"].pairs == 0
    with pytest.raises(KeyError):
        differences(results, "z")


def test_two_pairs_of_many_groups_find_what_two_pairs_alone_cannot() -> None:
    experiments = [drawn(seed, planted=2.0, pairs=2) for seed in range(100)]
    alone = [differences({name: results[name] for name in "ab"}, "a")["b"] for results in experiments]
    assert sum(each.told_apart for each in alone) <= 60
    assert sum(differences(results, "a")["b"].told_apart for results in experiments) >= 95


def test_groups_that_are_not_compared_tell_how_much_results_scatter() -> None:
    results = drawn(2, pairs=2)
    found = differences(results, "a", ["a", "b"])
    assert list(found) == ["b"]
    assert found["b"].high < differences(results, "a")["b"].high, "widened for one comparison instead of seven"


def test_two_groups_have_students_interval() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(0, 1, (2, 7))
    found = differences({"a": first, "b": second}, "a")["b"]
    value, half = mean_interval(second - first)
    assert (found.low, found.high) == pytest.approx((value - half, value + half))


def test_intervals_hold_as_often_as_they_say_and_power_is_what_was_promised() -> None:
    least = np.median([differences(drawn(seed, pairs=3), "a")["b"].detectable for seed in range(50)])
    found = [differences(drawn(seed, planted=float(least), pairs=3), "a")["b"] for seed in range(400)]
    assert sum(each.low <= least <= each.high for each in found) / 400 >= 0.97  # widened for seven groups
    assert 0.7 <= sum(each.told_apart for each in found) / 400 <= 0.9


def test_a_single_pair_tells_nothing() -> None:
    found = differences(drawn(0, planted=5.0, pairs=1), "a")["b"]
    assert not found.told_apart and found.low == -np.inf and found.pairs == 1
