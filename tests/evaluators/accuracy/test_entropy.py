"""Block entropy: from its formula, deterministic, with an interval from its seeds."""

from math import log

import pytest
import torch

import evaluators
from evaluators.accuracy.entropy import spectral_entropy
from search_spaces import PAPER, Architecture

S = PAPER["next-vit-s"]


QUICK = "entropy:resolution=32,seeds=2"


def test_entropy_of_independent_channels_is_the_log_of_their_number() -> None:
    features = torch.randn(64, 16, 32, 32, generator=torch.Generator().manual_seed(0))
    assert spectral_entropy(features) == pytest.approx(log(16), abs=1e-3)


def test_entropy_of_copies_is_nothing() -> None:
    one = torch.randn(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert spectral_entropy(one.repeat(1, 12, 1, 1)) == pytest.approx(0, abs=1e-4)


def test_entropy_of_two_unequal_directions_by_hand() -> None:
    """Variances 3 and 1 of two uncorrelated channels: shares 3/4 and 1/4."""
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    features = (signs * torch.tensor([3.0**0.5, 1.0]))[:, :, None, None]
    assert spectral_entropy(features) == pytest.approx(-0.75 * log(0.75) - 0.25 * log(0.25), abs=1e-5)


def test_fewer_samples_than_channels_take_the_other_route_to_the_same_value() -> None:
    features = torch.randn(2, 40, 3, 3, generator=torch.Generator().manual_seed(0))
    samples = features.transpose(0, 1).flatten(1).double()
    covariance = torch.cov(samples)
    shares = torch.linalg.eigvalsh(covariance).clamp_min(1e-30)
    shares = shares / shares.sum()
    assert spectral_entropy(features) == pytest.approx(float(-(shares * shares.log()).sum()), abs=1e-4)


def test_entropy_ignores_scale_and_shift() -> None:
    features = torch.randn(4, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    assert spectral_entropy(7 * features + 3) == pytest.approx(spectral_entropy(features), abs=1e-5)


def test_entropy_is_deterministic_under_its_seed() -> None:
    first, again = (evaluators.get(QUICK).measure(S) for _ in range(2))
    other = evaluators.get(f"{QUICK},seed=7").measure(S)
    assert first.value == again.value
    assert first.details["by_seed"] == again.details["by_seed"]
    assert first.value != other.value


def test_what_else_was_scored_before_changes_nothing() -> None:
    first = evaluators.get(QUICK).measure(S).value
    evaluators.get(QUICK).measure(Architecture.from_notation("C-CT-C-T"))
    assert evaluators.get(QUICK).measure(S).value == first


def test_its_interval_is_the_spread_of_its_seeds() -> None:
    measurement = evaluators.get("entropy:resolution=32,seeds=3").measure(S)
    seeds = torch.tensor(measurement.details["by_seed"], dtype=torch.float64)
    half = 4.30 * float(seeds.std()) / 3**0.5
    assert measurement.samples == 3
    assert measurement.high - measurement.value == pytest.approx(half, rel=1e-3)


def test_a_wider_network_spreads_further() -> None:
    wide, narrow = (Architecture.from_notation("CCC-CCC-CCC-CCC"), Architecture.from_notation("C-C-C-C"))
    assert evaluators.get(QUICK).measure(wide).value > 0
    assert evaluators.get("structure").measure(wide).value > evaluators.get("structure").measure(narrow).value
