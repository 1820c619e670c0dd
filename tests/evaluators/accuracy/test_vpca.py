"""Principal components, against numbers worked out by hand."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.accuracy.vpca import components

seeds = st.integers(0, 2**32 - 1)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_components_of_unequal_directions_by_hand() -> None:
    """Variances 98, 1 and 1 of three uncorrelated channels: one holds 98 %, two hold 99 %."""
    signs = torch.tensor([[a, b, c] for a in (1.0, -1.0) for b in (1.0, -1.0) for c in (1.0, -1.0)])
    features = (signs * torch.tensor([98.0**0.5, 1.0, 1.0]))[:, :, None, None]
    assert components(features) == 2


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(0.01, 100), st.floats(-5, 5))
def test_components_ignore_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    features = random(4, 6, 5, 5, seed=seed)
    assert components(scale * features + shift) == components(features)
