"""The fused prediction: what it learns, how sure it is, and when it says that it cannot tell."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evaluators.prediction.fusion import FEWEST, Fusion, Scale
from evaluators.statistics import ranking
from search_spaces.common.errors import NegativeAnswer

NAMES = ["log_macs", "depth", None, None, None]


def world(count: int, noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Networks whose accuracy grows with size, less and less, and with a feature that is no count, and bends."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, len(NAMES)))
    return x, 80 + 4 * np.tanh(x[:, 0]) + 2 * np.sin(2 * x[:, 2]) + noise * random.normal(size=count)


def test_it_ranks_what_it_has_not_seen_and_better_with_more() -> None:
    x, y = world(300)
    taus = [ranking.tau(Fusion(x[:n], y[:n], NAMES, check=False).predict(x[200:]).mean, y[200:]) for n in (15, 60, 200)]
    assert taus[0] > 0.3
    assert taus == sorted(taus)
    assert taus[-1] > 0.8


def test_its_interval_holds_as_often_as_it_says() -> None:
    held = []
    for seed in range(6):
        x, y = world(320, seed=seed)
        predicted = Fusion(x[:25], y[:25], NAMES, seed, check=False).predict(x[25:])
        held.append(((predicted.low <= y[25:]) & (y[25:] <= predicted.high)).mean())
    assert 0.82 <= np.mean(held) <= 0.99


def test_it_says_how_its_ranking_was_checked() -> None:
    x, y = world(40)
    validity = Fusion(x, y, NAMES).validity
    assert validity.evaluations == 40
    assert validity.ranks
    assert validity.clears
    assert validity.sentence.startswith("leave-one-out tau 0.")
    assert "on 40 real evaluations" in validity.sentence
    assert validity.best_baseline in (*filter(None, NAMES), "ridge of structure")
    rest, truth = world(400, seed=1)
    assert validity.tau.low - 0.1 < ranking.tau(Fusion(x, y, NAMES).predict(rest).mean, truth)


@pytest.mark.slow
def test_it_abstains_where_there_is_nothing_to_learn() -> None:
    """Negative control: accuracies that have nothing to do with the networks."""
    random = np.random.default_rng(0)
    abstained = 0
    for _ in range(6):
        validity = Fusion(random.normal(size=(30, 5)), random.normal(size=30), NAMES).validity
        abstained += not validity.ranks
        assert validity.ranks or "abstains" in validity.sentence
    assert abstained >= 5


def test_it_is_unvalidated_until_ten_evaluations() -> None:
    x, y = world(FEWEST - 1)
    validity = Fusion(x, y, NAMES).validity
    assert not validity.ranks
    assert validity.sentence == f"unvalidated on your data: {FEWEST - 1} real evaluations, {FEWEST} are needed"


def test_it_says_when_structure_alone_does_better() -> None:
    """Accuracy is a line of size, exactly: nothing can beat that."""
    x, _ = world(20)
    validity = Fusion(x, 3 * x[:, 0], NAMES).validity
    assert validity.ranks
    assert validity.clears or "structure alone" in validity.sentence


def test_it_is_deterministic() -> None:
    x, y = world(30)
    first, again = (Fusion(x, y, NAMES, seed=3, check=False).predict(x) for _ in range(2))
    np.testing.assert_array_equal(first.mean, again.mean)
    np.testing.assert_array_equal(first.high, again.high)


@pytest.mark.parametrize("accuracies", [[70.0, 71.0, 72.0], [70.0] * 12])
def test_too_few_or_equal_evaluations_teach_nothing(accuracies: list[float]) -> None:
    with pytest.raises(NegativeAnswer, match="nothing can be learnt"):
        Fusion(world(len(accuracies))[0], np.array(accuracies), NAMES)


def test_predictions_stay_within_reach_of_what_was_seen() -> None:
    x, y = world(30)
    far = Fusion(x, y, NAMES, check=False).predict(100 * x)
    assert (far.low <= far.mean).all()
    assert (far.mean <= far.high).all()
    assert far.mean.max() < y.max() + 2 * np.ptp(y)


@pytest.mark.parametrize("bounds", [(0.0, 100.0), (-100.0, 100.0)])
def test_nothing_is_said_that_cannot_be(bounds: tuple[float, float]) -> None:
    """Nine networks near the top and one that failed to learn: once this gave an interval from -124 to 134."""
    for seed in range(2):
        random = np.random.default_rng(seed)
        x, y = random.normal(size=(10, len(NAMES))), np.minimum(99 + 0.3 * random.normal(size=10), 100)
        y[seed] = 10
        predicted = Fusion(x, y, NAMES, seed, bounds=bounds, check=False).predict(random.normal(size=(50, len(NAMES))))
        assert bounds[0] <= predicted.low.min()
        assert predicted.high.max() <= bounds[1]
        assert (predicted.low <= predicted.mean).all() and (predicted.mean <= predicted.high).all()
        assert predicted.mean.min() > 90


@settings(max_examples=20, deadline=None)
@given(accuracies=st.lists(st.floats(0, 100), min_size=5, max_size=12), seed=st.integers(0, 99))
def test_the_scale_has_an_inverse_within_its_bounds(accuracies: list[float], seed: int) -> None:
    known = np.array(accuracies)
    assume(np.ptp(known) > 1e-3)
    scale = Scale(known, (0.0, 100.0))
    np.testing.assert_allclose(scale.back(scale.forward(known)), known, atol=0.2)
    far = scale.back(np.random.default_rng(seed).normal(0, 50, 100))
    assert far.min() >= 0
    assert far.max() <= 100
    assert (np.diff(scale.back(np.linspace(-9, 9, 50))) >= 0).all()


def test_its_interval_holds_near_the_top_as_often_as_it_says() -> None:
    """Accuracies that crowd below 100, as on a set that is easy."""
    held = []
    for seed in range(6):
        x, y = world(320, seed=seed)
        y = 100 / (1 + np.exp(-(y - 78) / 1.5))
        predicted = Fusion(x[:25], y[:25], NAMES, seed, bounds=(0.0, 100.0), check=False).predict(x[25:])
        held.append(((predicted.low <= y[25:]) & (y[25:] <= predicted.high)).mean())
    assert 0.82 <= np.mean(held) <= 0.99
