"""Paired differences: a planted one is found, and none is found where there is none."""

import numpy as np
import pytest

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
