"""Activation patterns, counted by hand."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.accuracy.swap import distinct_patterns

seeds = st.integers(0, 2**32 - 1)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_patterns_of_four_units_by_hand() -> None:
    """Columns 10, 11, 10 and 00 over two images: three different ones."""
    activations = torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    assert distinct_patterns([activations]) == 3
    assert distinct_patterns([activations[:, :2], activations[:, 2:]]) == 3


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 30))
def test_more_units_never_lessen_the_patterns(seed: int, units: int) -> None:
    x = random(10, 31, seed=seed)
    assert distinct_patterns([x[:, :units]]) <= distinct_patterns([x]) <= 31
