"""The network: timm's to the last digit where timm can build it, and sound where it cannot."""

import copy

import pytest
import timm
import torch
from torch import nn

from search_spaces import PAPER, Architecture
from search_spaces.nextvit.network import NextViT
from tests.networks import CORNERS, EVERY, built, lively, small

TIMM = dict(zip(PAPER, ["nextvit_small", "nextvit_base", "nextvit_large"], strict=True))
PARAMETERS = dict(zip(PAPER, [31_763_368, 44_818_856, 57_874_344], strict=True))
MERGED = dict(zip(PAPER, [31_742_440, 44_786_664, 57_830_888], strict=True))


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", PAPER)
def test_timms_weights_give_timms_logits_before_and_after_merging(name: str) -> None:
    theirs = lively(timm.create_model(TIMM[name]).eval())
    ours = NextViT(PAPER[name]).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    assert parameters(ours) == PARAMETERS[name]
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(ours.reparameterize()(images), expected, atol=1e-5, rtol=0)
    assert parameters(ours) == MERGED[name]


def test_timms_drop_paths_grow_as_ours_do() -> None:
    theirs = timm.create_model("nextvit_small", drop_path_rate=0.3)
    ours = NextViT(PAPER["next-vit-s"], drop_path_rate=0.3)
    names = {"mlp_drop_path", "attn_drop_path", "mhsa_drop_path", "mhca_drop_path"}
    rates = {name: module.rate for name, module in ours.named_modules() if name.split(".")[-1] in names}
    for name, module in theirs.named_modules():
        if name in rates:
            assert rates.pop(name) == pytest.approx(getattr(module, "drop_prob", 0.0))
    assert not rates


@pytest.mark.parametrize("architecture", EVERY.values(), ids=EVERY)
def test_every_corner_builds_runs_learns_and_merges(architecture: Architecture) -> None:
    network = built(architecture)
    images = torch.randn(2, 3, 64, 64)
    before = network(images)
    before.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    with torch.no_grad():
        torch.testing.assert_close(network.reparameterize()(images), before.detach(), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(network.reparameterize()(images), before.detach(), atol=1e-5, rtol=1e-5)


def test_no_attention_means_none_and_attention_alone_has_no_convolution() -> None:
    blind, pure = (built(small(("C", "C", "C", "T"), ratio)).stages[3].blocks[0] for ratio in (0, 1))
    assert not any("mhsa" in name or "norm1" in name for name, _ in blind.named_parameters())
    assert any("mhca" in name for name, _ in blind.named_parameters())
    assert not any("mhca" in name or "projection" in name for name, _ in pure.named_parameters())
    assert any("mhsa" in name for name, _ in pure.named_parameters())


@pytest.mark.parametrize("side", [224, 64, 97])
def test_features_at_strides_4_to_32(side: int) -> None:
    network = built(PAPER["next-vit-s"])
    with torch.no_grad():
        maps = network.features(torch.randn(1, 3, side, side))
    assert network.feature_strides == (4, 8, 16, 32)
    assert [each.shape[1] for each in maps] == [96, 256, 512, 1024] == list(network.feature_channels)
    assert [each.shape[2] for each in maps] == [-(-side // stride) for stride in network.feature_strides]


def test_paths_are_dropped_while_training_alone() -> None:
    network = NextViT(CORNERS["half"], num_classes=4, drop_path_rate=0.9)
    images = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        assert not torch.equal(network(images), network(images))
        network.eval()
        assert torch.equal(network(images), network(images))


def test_without_classes_it_gives_features() -> None:
    assert built(CORNERS["half"], num_classes=0)(torch.randn(1, 3, 64, 64)).shape == (1, 256)


@pytest.mark.parametrize("architecture", EVERY.values(), ids=EVERY)
def test_merging_every_norm_changes_no_output(architecture: Architecture) -> None:
    network, images = built(architecture), torch.randn(2, 3, 64, 64)
    merged = copy.deepcopy(network).merge()
    left = [name for name, module in merged.named_modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert left == ["norm"] * (architecture.normalization == "batch")
    with torch.no_grad():
        torch.testing.assert_close(merged(images), network(images), atol=1e-4, rtol=1e-4)
