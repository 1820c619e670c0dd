"""The model of an objective learns a line from few points and says where it does not know."""

import numpy as np

from nas.search.screening.surrogate import Surrogate


def test_a_line_is_learnt_from_a_few_points() -> None:
    rng = np.random.default_rng(0)
    x, others = rng.random((15, 4)), rng.random((50, 4))
    weights = np.array([3.0, -1.0, 0.5, 0.0])
    mean, spread = Surrogate(x, x @ weights + 7).predict(others)
    assert np.abs(mean - (others @ weights + 7)).max() < 0.1
    assert spread.max() < 0.3


def test_what_is_not_linear_is_learnt_from_more_points() -> None:
    rng = np.random.default_rng(0)
    x, others = rng.random((80, 2)) * 4, rng.random((50, 2)) * 4
    mean, _ = Surrogate(x, np.sin(x[:, 0]) * x[:, 1]).predict(others)
    assert np.abs(mean - np.sin(others[:, 0]) * others[:, 1]).mean() < 0.1


def test_features_that_matter_are_told_from_others() -> None:
    rng = np.random.default_rng(0)
    x, others = rng.random((60, 12)) * 4, rng.random((80, 12)) * 4
    mean, _ = Surrogate(x, np.sin(x[:, 0]) * x[:, 1]).predict(others)
    truth = np.sin(others[:, 0]) * others[:, 1]
    assert np.abs(mean - truth).mean() < 0.3 * np.abs(truth).mean()


def test_it_is_less_sure_far_from_what_it_knows() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((30, 2))
    _, spread = Surrogate(x, np.sin(5 * x[:, 0])).predict(np.array([[0.5, 0.5], [8.0, -8.0]]))
    assert spread[1] > 3 * spread[0]


def test_intervals_cover_noisy_values() -> None:
    rng = np.random.default_rng(0)
    x, others = rng.random((60, 3)), rng.random((400, 3))
    mean, spread = Surrogate(x, x.sum(1) + 0.1 * rng.standard_normal(60)).predict(others)
    covered = np.abs(others.sum(1) + 0.1 * rng.standard_normal(400) - mean) <= 1.64 * spread
    assert 0.8 < covered.mean() < 0.98


def test_equal_values_and_features_that_never_vary_are_no_error() -> None:
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.5, 3.0], [1.0, 0.0, 3.0]])
    mean, spread = Surrogate(x, np.full(3, 5.0)).predict(np.array([[9.0, 2.0, 3.0]]))
    assert mean[0] == 5.0
    assert np.isfinite(spread).all()
