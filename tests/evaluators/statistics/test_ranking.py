"""Ranking and regret, by hand and by what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.statistics import ranking
from evaluators.statistics.ranking import Interval

RANDOM = np.random.default_rng(0)
seeds = st.integers(0, 2**32 - 1)


def test_tau_by_hand() -> None:
    """Of six pairs of four networks, five are in order and one is not: (5 - 1) / 6."""
    assert ranking.tau(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 40, 30])) == pytest.approx(4 / 6)


def test_a_constant_score_ranks_nothing() -> None:
    truth = RANDOM.normal(size=30)
    assert ranking.tau(np.ones(30), truth) == 0
    assert ranking.rho(np.ones(30), truth) == 0
    assert ranking.tau_interval(np.ones(30), truth) == Interval(value=0, low=0, high=0)


def test_regret_by_hand() -> None:
    """Ten networks, the slower the better, and a score that always likes the fastest: it loses all but the first."""
    cost, truth = np.arange(10.0), np.arange(10.0)
    assert ranking.regrets(-cost, truth, cost).tolist() == list(range(10))
    assert ranking.regrets(-cost, truth, cost, k=3).tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert ranking.regrets(truth, truth, cost).tolist() == [0] * 10


def test_the_regret_of_a_random_choice_is_its_expectation() -> None:
    """One of 0, 1, 2, 3 at random is 1.5 on average: 1.5 below the best. The best of two, drawn with return, 2.125."""
    truth = np.arange(4.0)
    assert ranking.random_regrets(truth, np.zeros(4))[0] == pytest.approx(1.5)
    assert ranking.random_regrets(truth, np.zeros(4), 2)[0] == pytest.approx(3 - (0 + 3 + 10 + 21) / 16)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_ranking_knows_no_units(seed: int) -> None:
    random = np.random.default_rng(seed)
    score, truth, size = random.normal(size=(3, 40))
    controls = np.column_stack([size])
    for other in (np.exp(score), 3 * score + 7):
        assert ranking.tau(other, truth) == pytest.approx(ranking.tau(score, truth))
        assert ranking.rho(other, truth) == pytest.approx(ranking.rho(score, truth))
        assert ranking.partial_tau(other, truth, controls) == pytest.approx(ranking.partial_tau(score, truth, controls))
    assert ranking.tau(-score, truth) == pytest.approx(-ranking.tau(score, truth))


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_choosing_more_never_loses_more(seed: int) -> None:
    random = np.random.default_rng(seed)
    score, truth, cost = random.normal(size=(3, 50))
    lost = [ranking.regrets(score, truth, cost, k).mean() for k in (1, 3, 10, 50)]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] == 0


def test_a_score_that_only_reads_off_size_is_nothing_when_size_is_known() -> None:
    size = RANDOM.normal(size=200)
    truth = size + RANDOM.normal(size=200)
    reader = size + 0.01 * RANDOM.normal(size=200)
    assert ranking.tau(reader, truth) > 0.4
    assert abs(ranking.partial_tau(reader, truth, size[:, None])) < 0.15
    assert abs(ranking.grouped_tau(reader, truth, size)) < 0.3


def test_what_a_score_knows_beyond_size_is_left() -> None:
    size, rest = RANDOM.normal(size=(2, 200))
    assert ranking.partial_tau(rest, size + rest, size[:, None]) > 0.8


@pytest.mark.slow
def test_an_interval_holds_as_often_as_it_says() -> None:
    """tau of a bivariate normal distribution of correlation 0.7 is 2 / pi arcsin 0.7 = 0.494."""
    held = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        score = random.normal(size=60)
        truth = 0.7 * score + (1 - 0.49) ** 0.5 * random.normal(size=60)
        found = ranking.tau_interval(score, truth)
        held += found.low <= 0.494 <= found.high
    assert held >= 52


def test_a_paired_gain_is_narrower_than_two_intervals() -> None:
    truth = RANDOM.normal(size=100)
    score, other = truth + RANDOM.normal(size=100), truth + 1.2 * RANDOM.normal(size=100)
    gain = ranking.tau_gain(score, score + 0.01 * other, truth)
    alone = ranking.tau_interval(score, truth)
    assert gain.high - gain.low < 0.5 * (alone.high - alone.low)
    assert ranking.p_value(Interval(value=0.2, low=0.1, high=0.3)) < 0.001
    assert ranking.p_value(Interval(value=0.0, low=-0.1, high=0.1)) == 1


def test_the_noise_ceiling_is_what_seeds_agree_on() -> None:
    accuracy = RANDOM.normal(size=(100, 1))
    assert ranking.noise_ceiling(accuracy) is None
    assert ranking.noise_ceiling(accuracy + np.zeros((100, 3))) == pytest.approx(1)
    assert 0.2 < (ranking.noise_ceiling(accuracy + RANDOM.normal(size=(100, 2))) or 0) < 0.5


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 12))
def test_what_is_selected_for_evaluation_is_new_and_within_a_budget(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    upper, cost = random.normal(size=(2, 40))
    taken = random.choice(40, 10, replace=False).tolist()
    choice = ranking.front_choice(upper, cost, count, taken, random)
    assert len(set(choice)) == len(choice) == count
    assert not set(choice) & set(taken)
