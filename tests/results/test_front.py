"""Fronts and volumes, against definitions written out the slow way."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from results.front import hypervolume, non_dominated

GRID = st.integers(0, 6).map(float)


def points(columns: int):
    shape = st.tuples(st.integers(1, 12), st.just(columns))
    return shape.flatmap(lambda size: arrays(float, size, elements=GRID))


@given(points(2) | points(3))
def test_a_point_is_kept_if_no_other_beats_it(costs: np.ndarray) -> None:
    for row, kept in zip(costs, non_dominated(costs), strict=True):
        beaten = any((other <= row).all() and (other < row).any() for other in costs)
        assert kept == (not beaten)


def test_the_front_of_many_points_is_what_a_sweep_over_the_first_objective_keeps() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 2000, 5000)
    costs = np.column_stack([first, 2000 - first + random.integers(0, 100, 5000)]).astype(float)
    kept, lowest = set[tuple[float, float]](), np.inf
    for x, y in sorted(map(tuple, costs)):
        if y < lowest:
            kept.add((x, y))
            lowest = y
    assert len(kept) > 50
    assert [tuple(row) in kept for row in costs] == non_dominated(costs).tolist()


@given(points(2) | points(3))
def test_the_volume_is_that_of_the_unit_cells_that_some_point_dominates(costs: np.ndarray) -> None:
    reference = np.full(costs.shape[1], 7.0)
    cells = itertools.product(range(7), repeat=costs.shape[1])
    dominated = sum(any((row <= np.array(cell)).all() for row in costs) for cell in cells)
    assert hypervolume(costs, reference) == pytest.approx(dominated)


def test_points_beyond_the_reference_count_nothing() -> None:
    assert hypervolume(np.array([[8.0, 1.0]]), np.array([7.0, 7.0])) == 0
    assert hypervolume(np.empty((0, 2)), np.array([7.0, 7.0])) == 0
