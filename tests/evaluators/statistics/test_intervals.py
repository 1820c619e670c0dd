"""Standard errors of ratios of sums, against what they must equal and against a bootstrap."""

import numpy as np
import pytest

from evaluators.statistics.intervals import mean_ratio_error, spread_error


def test_over_equal_denominators_it_is_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(0).random((1, 50, 1))
    expected = values.std(ddof=1) / 50**0.5
    assert mean_ratio_error(values, np.ones_like(values)) == pytest.approx(expected)


def test_it_agrees_with_a_bootstrap_over_images() -> None:
    random = np.random.default_rng(0)
    unions = random.integers(0, 400, (2, 300, 5))
    intersections = random.binomial(unions, random.beta(4, 2, (1, 300, 1)))
    means = []
    for _ in range(2000):
        chosen = random.integers(300, size=300)
        means.append((intersections[:, chosen].sum(1) / unions[:, chosen].sum(1)).mean())
    assert mean_ratio_error(intersections, unions) == pytest.approx(float(np.std(means)), rel=0.1)


def test_another_training_on_the_same_images_is_no_further_sample() -> None:
    random = np.random.default_rng(0)
    unions = random.integers(1, 400, (1, 100, 3))
    intersections = random.binomial(unions, 0.5)
    once = mean_ratio_error(intersections, unions)
    assert mean_ratio_error(np.repeat(intersections, 4, 0), np.repeat(unions, 4, 0)) == pytest.approx(once)


def test_a_class_that_is_nowhere_counts_as_0() -> None:
    assert mean_ratio_error(np.zeros((1, 9, 1)), np.zeros((1, 9, 1))) == 0


def test_the_spread_of_one_value_is_not_known() -> None:
    assert spread_error([3.0]) == 0
    assert spread_error([1.0, 3.0]) == pytest.approx(1.0)
