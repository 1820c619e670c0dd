"""Networks that are observed: every block is seen, and nothing is changed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluators.mechanism.probe import ATTENTION, observe
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.parts import EfficientAttention
from tests.networks import EVERY, TINY, WHOLE, built, small

IMAGES = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", EVERY.values(), ids=EVERY)
def test_the_blocks_seen_are_those_of_the_architecture(architecture: Architecture) -> None:
    network = built(architecture)
    seen = observe(network, IMAGES[:2])
    blocks = [block for row in architecture.blocks for block in row]
    assert [each.kind for each in seen] == [block.kind for block in blocks]
    assert [each.name for each in seen] == [
        f"{stage}.{number}" for stage, row in enumerate(architecture.blocks, 1) for number in range(1, len(row) + 1)
    ]
    assert [(each.side, each.stride) for each in seen] == [(64 // each.stride, 2 ** (1 + each.stage)) for each in seen]
    for each, block in zip(seen, blocks, strict=True):
        assert (each.reach is not None) == (block.attention_channels > 0)
        if each.reach:
            assert each.reach.heads.shape == (2, block.attention_channels // block.head_dim)
            farthest = 64 if each.kind != "W" else 7 * each.stride  # a window may reach beyond the image
            assert each.reach.heads.min() >= 0 and each.reach.heads.max() <= farthest * 2**0.5
        assert (each.output is None) == (each.side < 4)
        assert (each.attention is not None) == (block.attention_channels > 0 and each.side >= 4)
        if block.kind in "CT":
            assert (each.convolution is not None) == (block.conv_channels > 0 and each.side >= 4)


@pytest.mark.parametrize("architecture", WHOLE.values(), ids=WHOLE)
def test_observing_changes_nothing(architecture: Architecture) -> None:
    network = built(architecture)
    with torch.no_grad():
        before = network(IMAGES)
        observe(network, IMAGES)
        assert torch.equal(network(IMAGES), before)
    assert not any(module._forward_hooks for module in network.modules())


def test_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    network = built(TINY)
    whole = observe(network, IMAGES)
    monkeypatch.setattr("evaluators.mechanism.probe.BATCH", 2)
    counts: list[int] = []
    for one, other in zip(whole, observe(network, IMAGES, counts.append), strict=True):
        assert one.output is None or np.allclose(one.output.high_shares, other.output.high_shares, atol=1e-4)  # type: ignore[union-attr]
        assert one.reach is None or np.allclose(one.reach.heads, other.reach.heads, atol=1e-3)  # type: ignore[union-attr]
    assert counts == [2, 3]


def attention_of(network: NextViT) -> EfficientAttention:
    (found,) = (module for name, module in network.named_modules() if name.endswith(ATTENTION))
    assert isinstance(found, EfficientAttention)
    return found


def test_keys_that_are_all_alike_are_attended_to_equally() -> None:
    network = built(TINY)
    torch.nn.init.zeros_(attention_of(network).k.weight)
    (reach,) = (block.reach for block in observe(network, IMAGES) if block.reach)
    assert reach.heads.flatten() == pytest.approx([reach.uniform] * reach.heads.size, rel=1e-4)


@torch.no_grad()
def test_the_order_of_heads_changes_nothing_in_a_network() -> None:
    network = built(TINY)
    attention = attention_of(network)
    attention.q.weight.normal_(), attention.k.weight.normal_()  # heads that differ
    (before,) = (block.reach for block in observe(network, IMAGES) if block.reach)
    channels = torch.arange(32).view(2, 16).flip(0).flatten()  # two heads of 16 channels change places
    for layer in (attention.q, attention.k, attention.v):
        layer.weight.copy_(layer.weight[channels])
        layer.bias.copy_(layer.bias[channels])
    attention.proj.weight.copy_(attention.proj.weight[:, channels])
    (after,) = (block.reach for block in observe(network, IMAGES) if block.reach)
    assert np.allclose(before.heads[:, ::-1], after.heads, atol=1e-3)
    assert not np.allclose(before.heads, after.heads, atol=1e-3)
    assert np.allclose(before.heads.mean(1), after.heads.mean(1), atol=1e-3)


def test_a_map_smaller_than_what_a_key_averages_has_one_key() -> None:
    architecture = small(("C", "C", "C", "CT"))
    last = replace(architecture.stages[3], sr_ratio=8)
    network = built(replace(architecture, stages=(*architecture.stages[:3], last)))
    reach = observe(network, IMAGES)[-1].reach
    assert reach is not None
    assert reach.heads.mean().item() == pytest.approx(reach.uniform), "there is nothing to choose from"
    assert not any(module._forward_hooks for module in network.modules())


def test_features_that_are_not_finite_are_refused() -> None:
    network = built(TINY)
    torch.nn.init.constant_(attention_of(network).proj.bias, float("nan"))
    with pytest.raises(NegativeAnswer, match="are not finite"):
        observe(network, IMAGES)
