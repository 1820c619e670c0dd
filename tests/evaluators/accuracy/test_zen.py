"""The sensitivity of features, against numbers worked out by hand."""

from math import e, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.accuracy.zen import log_change, log_deviation

seeds = st.integers(0, 2**32 - 1)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_change_of_features_by_hand() -> None:
    assert log_change(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + e, 2.0 - e])) == pytest.approx(1)
    assert log_change(torch.ones(3), torch.ones(3)) == float("-inf")


def test_the_deviation_that_a_norm_hides_by_hand() -> None:
    """Channel variances 4 and 0: the root of their mean is the root of 2."""
    x = torch.tensor([[2.0, 5.0], [-2.0, 5.0]])[:, :, None, None]
    assert log_deviation(x) == pytest.approx(0.5 * log(2))


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(0.1, 10))
def test_the_change_of_features_grows_with_them(seed: int, scale: float) -> None:
    x, moved = random(3, 4, seed=seed), random(3, 4, seed=seed + 1)
    assert log_change(scale * x, scale * moved) == pytest.approx(log_change(x, moved) + log(scale), abs=1e-5)
