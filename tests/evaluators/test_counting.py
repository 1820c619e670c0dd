"""Counts against arithmetic done by hand, against the published totals, and against the networks themselves."""

import warnings

import pytest
import torch
from fvcore.nn import FlopCountAnalysis

import evaluators
from evaluators.common import counting
from search_spaces import PAPER, Architecture, Block
from search_spaces.nextvit.network import NextViT
from tests.networks import CORNERS, random_networks

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
    macs = positions * (64 * 32 * 9 + 64 * 64 + 2 * 64 * 192)
    params = (64 * 32 * 9 + 64 * 64) + (64 * 192 + 192) + (192 * 64 + 64) + 2 * 2 * 64
    counts = counting._block(NCB, SIDE, "FlopCountAnalysis")
    assert (counts.count, counts.attention, counts.params) == (macs, 0, params)
    written = positions * (64 + 64 + 192 + 64)
    assert counting._block(NCB, SIDE, "ActivationCountAnalysis").count == written


def test_the_params_of_an_ncb_follow_the_published_formula() -> None:
    assert counting._block(NCB, SIDE, "FlopCountAnalysis").params == 7 * 64**2 + 296 * 64


def test_an_ntb_by_hand() -> None:
    """64 -> 96 channels attend (64 queries, 16 keys and values), 96 -> 32 convolve, 128 go through the MLP."""
    tokens, pooled, heads = SIDE * SIDE, SIDE * SIDE // 4, 3
    attention = 2 * heads * tokens * pooled * 32
    linear = 2 * tokens * 96 * 96 + 2 * pooled * 96 * 96
    convolution = tokens * (64 * 96 + 96 * 32 + 32 * 32 * 9 + 32 * 32 + 2 * 128 * 256)
    counts = counting._block(NTB, SIDE, "FlopCountAnalysis")
    assert counts.attention == attention
    assert counts.count == attention + linear + convolution
    written = 2 * tokens * 96 + 2 * pooled * 96 + tokens * (96 + 32 + 32 + 32 + 256 + 128)
    maps = heads * tokens * (pooled + 32)
    assert counting._block(NTB, SIDE, "ActivationCountAnalysis").count == written + maps


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


def test_params_are_the_networks_own() -> None:
    for architecture in [*CORNERS.values(), *random_networks(10)]:
        with torch.device("meta"):
            network = NextViT(architecture)
        assert counting.macs(architecture, 64).params == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("architecture", CORNERS.values(), ids=CORNERS)
def test_the_sum_of_blocks_is_the_whole(architecture: Architecture) -> None:
    """Block by block, or the whole network traced at once: the same convolutions and linear layers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = FlopCountAnalysis(NextViT(architecture).eval(), torch.zeros(1, 3, 64, 64))
        whole.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        seen = whole.by_operator()["conv"] + whole.by_operator()["linear"]
    counts = counting.macs(architecture, 64)
    assert counts.count - counts.attention == seen


def test_what_was_left_out_is_reported() -> None:
    details = evaluators.get("macs").measure(PAPER["next-vit-s"]).details
    assert details["uncounted"]["aten::add"] == 44
    assert details["uncounted"]["aten::avg_pool1d"] == 3
    assert details["attention"] == 33_191_424
