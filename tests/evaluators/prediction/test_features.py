"""Training-free features against numbers worked out by hand, and against properties that must hold."""

from math import e, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import evaluators
from evaluators.accuracy.nwot import log_determinant
from evaluators.accuracy.swap import distinct_patterns
from evaluators.accuracy.synflow import log_flow
from evaluators.accuracy.vpca import components
from evaluators.accuracy.zen import log_change, log_deviation
from evaluators.scores.probing import Noise, outputs, relu_outputs
from evaluators.scores.score import Score
from search_spaces import PAPER, Architecture, Stage
from search_spaces.common.errors import MeasurementFailed

SMALL = Architecture.from_notation("C-CT-C-T")
FEATURES = [name for name in evaluators.names("accuracy") if isinstance(evaluators.get(name), Score)]
seeds = st.integers(0, 2**32 - 1)


def quick(name: str) -> Score:
    found = evaluators.get(f"{name}:resolution=32,seeds=2")
    assert isinstance(found, Score)
    return found


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# By hand


def test_components_of_unequal_directions_by_hand() -> None:
    """Variances 98, 1 and 1 of three uncorrelated channels: one holds 98 %, two hold 99 %."""
    signs = torch.tensor([[a, b, c] for a in (1.0, -1.0) for b in (1.0, -1.0) for c in (1.0, -1.0)])
    features = (signs * torch.tensor([98.0**0.5, 1.0, 1.0]))[:, :, None, None]
    assert components(features) == 2


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


def test_patterns_of_four_units_by_hand() -> None:
    """Columns 10, 11, 10 and 00 over two images: three different ones."""
    activations = torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    assert distinct_patterns([activations]) == 3
    assert distinct_patterns([activations[:, :2], activations[:, 2:]]) == 3


def test_the_change_of_features_by_hand() -> None:
    assert log_change(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + e, 2.0 - e])) == pytest.approx(1)
    assert log_change(torch.ones(3), torch.ones(3)) == float("-inf")


def test_the_deviation_that_a_norm_hides_by_hand() -> None:
    """Channel variances 4 and 0: the root of their mean is the root of 2."""
    x = torch.tensor([[2.0, 5.0], [-2.0, 5.0]])[:, :, None, None]
    assert log_deviation(x) == pytest.approx(0.5 * log(2))


def test_the_flow_of_two_layers_by_hand() -> None:
    """x = (1, 1) -> h = w1 x = 3 + 0.5 -> R = 2 h: dR/dw1 = 2 each, dR/dw2 = 3.5."""
    network = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False))
    weights = {"0.weight": [[3.0, 0.5]], "1.weight": [[2.0]]}
    positive = {name: torch.tensor(w, dtype=torch.float64, requires_grad=True) for name, w in weights.items()}
    flow = log_flow(network, positive, torch.ones(1, 2, dtype=torch.float64))
    assert flow == pytest.approx(log(3 * log(3) + 0.5 * log(3) + 2 * log(4.5)))


def test_a_norm_divides_the_flow_by_what_it_gets() -> None:
    """h = (1, 3) is divided by its mean 2; R = 2: dR/dw = 1 / 2 for each of the two kernels."""
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2))
    kernels = torch.tensor([1.0, 3.0], dtype=torch.float64).view(2, 1, 1, 1).requires_grad_()
    flow = log_flow(network, {"0.weight": kernels}, torch.ones(1, 1, 1, 1, dtype=torch.float64))
    assert flow == pytest.approx(log(4 * log(1.5)))


# Properties


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(0.01, 100), st.floats(-5, 5))
def test_components_ignore_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    features = random(4, 6, 5, 5, seed=seed)
    assert components(scale * features + shift) == components(features)


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_codes_ignore_the_size_of_activations_and_the_order_of_images_and_units(seed: int) -> None:
    x = random(6, 40, seed=seed)
    other = 3 * x[torch.randperm(6)][:, torch.randperm(40)]
    assert log_determinant([other]) == pytest.approx(log_determinant([x]))
    assert distinct_patterns([other]) == distinct_patterns([x])


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 30))
def test_more_units_never_lessen_the_patterns(seed: int, units: int) -> None:
    x = random(10, 31, seed=seed)
    assert distinct_patterns([x[:, :units]]) <= distinct_patterns([x]) <= 31


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(0.1, 10))
def test_the_change_of_features_grows_with_them(seed: int, scale: float) -> None:
    x, moved = random(3, 4, seed=seed), random(3, 4, seed=seed + 1)
    assert log_change(scale * x, scale * moved) == pytest.approx(log_change(x, moved) + log(scale), abs=1e-5)


@pytest.mark.parametrize("name", FEATURES)
def test_it_is_deterministic_under_its_seed_and_its_interval_is_that_of_the_seeds(name: str) -> None:
    first, again = (quick(name).measure(SMALL) for _ in range(2))
    other = evaluators.get(f"{name}:resolution=32,seeds=2,seed=9").measure(SMALL)
    assert first.value == again.value
    assert first.details == again.details
    assert first.value != other.value
    assert first.low < first.value < first.high


@pytest.mark.parametrize("name", FEATURES)
def test_what_else_was_scored_before_changes_nothing(name: str) -> None:
    first = quick(name).measure(SMALL).value
    quick(name).measure(Architecture.from_notation("T-T-CT-C"))
    assert quick(name).measure(SMALL).value == first


@pytest.mark.parametrize("name", ["vpca", "swap", "nwot", "synflow", "zen"])
def test_a_wider_network_scores_higher(name: str) -> None:
    wide, narrow = (_even(width) for width in (128, 64))
    assert quick(name).measure(wide).value > quick(name).measure(narrow).value


def _even(width: int) -> Architecture:
    stages = [
        Stage(blocks=stage.blocks, conv_width=width, transformer_width=width, mix_block_ratio=0.5, sr_ratio=1)
        for stage in SMALL.stages
    ]
    return Architecture(stages=tuple(stages))


@pytest.mark.parametrize("name", FEATURES)
def test_untrainable_networks_are_filtered_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(quick(name)), "_score", lambda self, architecture, seed: float("-inf"))
    with pytest.raises(MeasurementFailed, match="untrainable"):
        quick(name).measure(SMALL)


# The random networks


def test_a_random_network_is_the_network_itself() -> None:
    """The blocks run one by one give what the whole network gives with the same numbers, norms on the batch."""
    from search_spaces.nextvit.network import NextViT

    noise = Noise(3)
    images = noise.draw((16, 3, 32, 32))
    start = noise.position
    *_, last = outputs(SMALL, images, noise, 3)
    network = NextViT(SMALL, num_classes=0, drop_path_rate=0).train()
    noise.position = start
    weights = noise.weights(network.stem)
    named = {f"stem.{name}": each.clone() for name, each in weights.items()}
    for number, stage in enumerate(network.stages):
        for index, block in enumerate(stage.blocks):
            found = noise.weights(block)
            named |= {f"stages.{number}.blocks.{index}.{name}": each.clone() for name, each in found.items()}
    with torch.no_grad():
        network.load_state_dict(named, strict=False)
        whole = network.features(images)[-1]
    torch.testing.assert_close(last, whole, rtol=1e-3, atol=1e-3)


def test_every_relu_is_seen() -> None:
    """The stem's, and one for each MLP and each convolutional attention."""
    from search_spaces.nextvit.network import NextViT

    noise = Noise(0)
    seen = list(relu_outputs(SMALL, noise.draw((16, 3, 32, 32)), noise, 0))
    network = NextViT(SMALL, num_classes=0)
    relus = [part for part in network.modules() if isinstance(part, nn.ReLU)]
    assert len(seen) == len(relus)
    assert all((each >= 0).all() for each in seen)


def test_no_gradient_is_a_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose attention is cut off its output has weights that nothing reaches."""
    from search_spaces.nextvit.blocks import NextTransformerBlock

    monkeypatch.setattr(NextTransformerBlock, "attend", lambda self, x: x)
    with pytest.raises(MeasurementFailed, match="untrainable"):
        quick("synflow").measure(PAPER["next-vit-s"])
