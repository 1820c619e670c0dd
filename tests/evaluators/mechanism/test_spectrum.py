"""Maps whose frequencies are known."""

import math

import pytest
import torch
from torch import Tensor

from evaluators.mechanism.spectrum import amplitudes, frequencies, high_shares, log_amplitudes, white_share


def wave(side: int, down: int, across: int) -> Tensor:
    """A map (1, 1, S, S) with a wave of so many cycles in each direction, around 1."""
    axis = torch.arange(side) / side
    return (1 + torch.cos(2 * math.pi * (down * axis[:, None] + across * axis[None])))[None, None]


@pytest.mark.parametrize("value", [0.0, 1.0, -3.7, 1e-20, 1e20])
def test_a_map_that_is_the_same_everywhere_has_no_high_frequency(value: float) -> None:
    seen = amplitudes(torch.full((2, 3, 12, 12), value))
    assert high_shares(seen).tolist() == [0.0, 0.0]
    logs = log_amplitudes(seen)
    assert logs.isfinite().all() and (logs[:, 1:] < -13).all() == (value != 0)


def test_white_noise_is_flat() -> None:
    noise = torch.randn(4, 400, 14, 14, generator=torch.Generator().manual_seed(0))
    seen = amplitudes(noise)
    assert high_shares(seen).tolist() == pytest.approx([white_share(14)] * 4, abs=0.01)
    logs = log_amplitudes(seen)
    assert logs[:, 0].tolist() == [0.0] * 4
    assert logs[:, 1:].mean(0).tolist() == pytest.approx([math.log(2) / 2] * 6, abs=0.15)


def test_the_share_of_white_noise_by_hand() -> None:
    assert white_share(4) == 11 / 15, "of 16 frequencies, only (0, 0) and the four (0, 1/2) are not high"
    assert white_share(200) == pytest.approx(1 - math.pi / 16, abs=0.001), "a disc of radius 1/2 in a square of side 2"


@pytest.mark.parametrize(
    ("down", "across", "share"), [(1, 0, 0), (0, 3, 0), (4, 0, 0), (5, 0, 1), (3, 3, 1), (8, 8, 1)]
)
def test_a_wave_is_high_beyond_a_quarter_of_a_cycle_a_position(down: int, across: int, share: float) -> None:
    assert high_shares(amplitudes(wave(16, down, across))).item() == pytest.approx(share, abs=1e-6)


def test_power_adds_up_over_waves_and_channels() -> None:
    low, high = wave(16, 1, 0), wave(16, 7, 0)
    assert high_shares(amplitudes(low + high)).item() == pytest.approx(0.5, abs=1e-6)
    assert high_shares(amplitudes(torch.cat([low, 2 * high], dim=1))).item() == pytest.approx(0.8, abs=1e-6)


def test_a_diagonal_wave_stands_at_its_frequency() -> None:
    places = frequencies(16)
    assert places == tuple(number / 8 for number in range(8))
    logs = log_amplitudes(amplitudes(wave(16, 3, 3)))[0]
    assert logs[3].item() == pytest.approx(math.log(0.5), abs=1e-5), "half of the amplitude of the mean"
    assert (logs[[1, 2, 4, 5, 6, 7]] < -13).all()


def test_odd_maps_end_below_the_highest_frequency() -> None:
    assert frequencies(7) == (0, 2 / 7, 4 / 7, 6 / 7)
    assert log_amplitudes(amplitudes(torch.rand(2, 5, 7, 7))).shape == (2, 4)


def test_neither_measure_depends_on_the_scale() -> None:
    maps = torch.rand(2, 8, 9, 9)
    small, large = amplitudes(maps), amplitudes(100 * maps)
    assert torch.allclose(high_shares(small), high_shares(large))
    assert torch.allclose(log_amplitudes(small), log_amplitudes(large), atol=1e-5)
