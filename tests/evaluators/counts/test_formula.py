"""Counts against arithmetic done by hand, the published totals, fvcore, and the networks themselves."""

import itertools
import random
from collections.abc import Iterator

import pytest
import torch
from torch import nn

import evaluators
from evaluators.counts.formula import Work, head, located, stem, total, work
from evaluators.counts.tracing import Counts, trace
from search_spaces import PAPER, Architecture, Block, Stage, nhs
from search_spaces.nextvit import blocks, network
from tests.networks import CORNERS, EVERY, random_networks

SIDE = 8


NCB = Block(
    kind="C", in_channels=64, out_channels=64, stride=1, attention_channels=0, sr_ratio=1, head_dim=32, mlp_channels=192
)


NTB = Block(
    kind="T",
    in_channels=64,
    out_channels=128,
    stride=1,
    attention_channels=96,
    sr_ratio=2,
    head_dim=32,
    mlp_channels=256,
)


def test_an_ncb_by_hand() -> None:
    """A grouped 3x3 (32 channels a group), a 1x1, and the two 1x1 of the MLP, at each of 64 positions."""
    positions = SIDE * SIDE
    weights = 64 * 32 * 9 + 64 * 64 + 2 * 64 * 192
    biases_and_norms = 192 + 64 + 2 * 2 * 64
    assert work(NCB, SIDE) == Work(
        macs=positions * weights,
        activations=positions * (64 + 64 + 192 + 64),
        weights=weights,
        params=weights + biases_and_norms,
    )


def test_the_params_of_an_ncb_follow_the_published_formula() -> None:
    assert work(NCB, SIDE).params == 7 * 64**2 + 296 * 64


def test_an_ntb_by_hand() -> None:
    """64 -> 96 channels attend (64 queries, 16 keys and values), 96 -> 32 convolve, 128 go through the MLP."""
    tokens, pooled, heads = SIDE * SIDE, SIDE * SIDE // 4, 3
    linear = 2 * tokens * 96 * 96 + 2 * pooled * 96 * 96
    convolution = tokens * (64 * 96 + 96 * 32 + 32 * 32 * 9 + 32 * 32 + 2 * 128 * 256)
    done = work(NTB, SIDE)
    assert done.attention == 2 * heads * tokens * pooled * 32
    assert done.macs == linear + convolution
    written = 2 * tokens * 96 + 2 * pooled * 96 + tokens * (96 + 32 + 32 + 32 + 256 + 128)
    assert done.activations == written + heads * tokens * (pooled + 32)


@pytest.mark.parametrize(
    ("name", "macs", "at_384", "activations", "params"),
    [
        ("next-vit-s", 5.794, 17.216, 18.44, 31.763368),
        ("next-vit-b", 8.274, 24.586, 23.71, 44.818856),
        ("next-vit-l", 10.753, 31.957, 28.99, 57.874344),
    ],
)
def test_the_published_totals(name: str, macs: float, at_384: float, activations: float, params: float) -> None:
    def value(spec: str) -> float:
        return evaluators.get(spec).measure(PAPER[name]).value

    assert value("macs") == pytest.approx(macs, abs=6e-4)
    assert value("macs:resolution=384") == pytest.approx(at_384, abs=6e-4)
    assert value("activations") == pytest.approx(activations, abs=6e-3)
    assert value("params") == pytest.approx(params, abs=1e-9)
    assert evaluators.get("macs").measure(PAPER["next-vit-s"]).details["attention"] == 33_191_424


def test_params_are_the_networks_own() -> None:
    for architecture in [*EVERY.values(), *random_networks(10), *random_networks(10, "nhs-plus")]:
        with torch.device("meta"):
            model = network.NextViT(architecture)
        assert total(architecture, 64).params == sum(parameter.numel() for parameter in model.parameters())


def equal(done: Work, counts: Counts) -> bool:
    """Whether fvcore counted the same; it does not tell weights from other parameters."""
    return all(getattr(done, name) == getattr(counts, name) for name in ("macs", "attention", "activations", "params"))


PLUS = {f"random {number}": network for number, network in enumerate(random_networks(4, "nhs-plus"))}


@pytest.mark.parametrize("architecture", [*EVERY.values(), *PLUS.values()], ids=[*EVERY, *PLUS])
@pytest.mark.parametrize("resolution", [64, 101])
def test_the_formulas_count_what_fvcore_counts(architecture: Architecture, resolution: int) -> None:
    assert equal(total(architecture, resolution), trace(network.NextViT(architecture), (1, 3, resolution, resolution)))


def blocks_of_the_space() -> Iterator[Block]:
    """Every block that a network of `nhs` may hold, once."""
    before = [64]  # channels that may come into a stage
    for choices, stride in zip(nhs.STAGES, (1, 2, 2, 2), strict=True):
        ratios = (0.0, 0.25, 0.5, 0.75, 1.0)
        stages = [
            Stage(
                blocks="CT",
                conv_width=conv,
                transformer_width=transformer,
                mix_block_ratio=ratio,
                sr_ratio=choices.sr_ratios[0],
            )
            for conv, transformer, ratio in itertools.product(choices.conv_widths, choices.transformer_widths, ratios)
        ]
        own = {*choices.conv_widths, *choices.transformer_widths}
        entries = [(channels, stride) for channels in before] + [(channels, 1) for channels in sorted(own)]
        found = {
            Block(
                kind=kind,
                in_channels=channels,
                out_channels=stage.width(kind),
                stride=step,
                attention_channels=0 if kind == "C" else stage.attention_channels,
                sr_ratio=1 if kind == "C" else stage.sr_ratio or 1,
                head_dim=32,
                mlp_channels=stage.width(kind) * (3 if kind == "C" else 2),
            )
            for stage in stages
            for kind in "CT"
            for channels, step in entries
        }
        yield from sorted(found, key=repr)
        before = sorted(own)


def check_block(block: Block) -> None:
    side = 2 * SIDE if block.stride == 2 else SIDE  # 64 positions: enough for the largest pooling
    assert equal(work(block, side), trace(blocks.build(block), (1, block.in_channels, side, side))), block


def test_the_formulas_count_what_fvcore_counts_in_some_blocks_of_the_space() -> None:
    for block in random.Random(0).sample(list(blocks_of_the_space()), 20):
        check_block(block)


@pytest.mark.slow
def test_the_formulas_count_what_fvcore_counts_in_every_block_of_the_space() -> None:
    for block in blocks_of_the_space():
        check_block(block)


@pytest.mark.parametrize("resolution", [32, 64, 97, 224])
def test_stem_and_head_count_what_fvcore_counts(resolution: int) -> None:
    assert equal(stem((64, 32, 64), resolution), trace(network.stem(3, (64, 32, 64)), (1, 3, resolution, resolution)))
    ending = nn.Sequential(nn.BatchNorm2d(1024), network.ClassifierHead(1024, 1000))
    assert equal(head(1024), trace(ending, (1, 1024, 2, 2)))


@pytest.mark.parametrize("resolution", [64, 97, 224])
def test_blocks_are_located_where_the_network_has_them(resolution: int) -> None:
    architecture = CORNERS["half"]
    sides: list[int] = []
    model = network.NextViT(architecture).eval()
    for module in model.modules():
        if isinstance(module, blocks.NextConvBlock | blocks.NextTransformerBlock):
            module.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
    with torch.no_grad():
        model(torch.zeros(1, 3, resolution, resolution))
    assert [side for _, side in located(architecture, resolution)] == sides
