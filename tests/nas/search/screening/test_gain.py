"""The expected gain in hypervolume equals what drawing the objectives many times gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from nas.search.screening.gain import boxes, expected_gain
from results.front import hypervolume, non_dominated

Points = NDArray[np.float64]
NUMBERS = st.floats(0, 1, width=16)


def fronts(objectives: int) -> st.SearchStrategy[Points]:
    shapes = st.tuples(st.integers(0, 6), st.just(objectives))
    return shapes.flatmap(lambda shape: arrays(float, shape, elements=NUMBERS))


def gained(front: Points, reference: Points, point: Points) -> float:
    """By brute force."""
    return hypervolume(np.vstack([front, point]), reference) - hypervolume(front, reference)


@pytest.mark.parametrize("objectives", [1, 2, 3])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_gain_of_a_certain_point_is_the_volume_that_it_adds(objectives: int, data: st.DataObject) -> None:
    costs = data.draw(fronts(objectives))
    point = data.draw(arrays(float, objectives, elements=NUMBERS))
    front, reference = costs[non_dominated(costs)], np.full(objectives, 0.9)
    (gain,) = expected_gain(point[None], np.zeros((1, objectives)), *boxes(front, reference))
    assert gain == pytest.approx(gained(front, reference, point), abs=1e-9)


@pytest.mark.parametrize("objectives", [2, 3])
def test_the_gain_of_an_uncertain_point_is_the_mean_over_its_draws(objectives: int) -> None:
    rng = np.random.default_rng(0)
    costs = rng.random((8, objectives))
    front, reference = costs[non_dominated(costs)], np.ones(objectives)
    mean, spread = rng.random((3, objectives)), np.full((3, objectives), 0.2)
    gains = expected_gain(mean, spread, *boxes(front, reference))
    for row, gain in enumerate(gains):
        draws = mean[row] + spread[row] * rng.standard_normal((4000, objectives))
        values = [gained(front, reference, draw) for draw in draws]
        assert gain == pytest.approx(np.mean(values), abs=4 * np.std(values) / 4000**0.5)


def test_more_candidates_than_fit_into_a_block_are_judged_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    mean, spread = rng.random((50, 2)), np.full((50, 2), 0.1)
    corners = boxes(rng.random((5, 2)), np.ones(2))
    at_once = expected_gain(mean, spread, *corners)
    monkeypatch.setattr("nas.search.screening.gain.BLOCK", 30)
    assert np.allclose(expected_gain(mean, spread, *corners), at_once)
