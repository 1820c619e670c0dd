"""Activation codes, against determinants worked out by hand."""

from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.accuracy.nwot import log_determinant
from evaluators.accuracy.swap import distinct_patterns

seeds = st.integers(0, 2**32 - 1)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_codes_of_two_images_by_hand() -> None:
    """Codes 110 and 100 of three units agree on two: K = [[3, 2], [2, 3]], det 5."""
    activations = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])
    assert log_determinant([activations]) == pytest.approx(log(5))


def test_codes_of_several_layers_add_up_by_hand() -> None:
    """A second layer of one unit on which the images differ: K = [[4, 2], [2, 4]], det 12."""
    activations = [torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]]), torch.tensor([[1.0], [0.0]])]
    assert log_determinant(activations) == pytest.approx(log(12))


def test_images_that_fire_the_same_units_are_worth_nothing() -> None:
    assert log_determinant([torch.ones(2, 7)]) == float("-inf")


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_codes_ignore_the_size_of_activations_and_the_order_of_images_and_units(seed: int) -> None:
    x = random(6, 40, seed=seed)
    other = 3 * x[torch.randperm(6)][:, torch.randperm(40)]
    assert log_determinant([other]) == pytest.approx(log_determinant([x]))
    assert distinct_patterns([other]) == distinct_patterns([x])
