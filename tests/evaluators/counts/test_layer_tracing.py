"""Layers read off a run, against the formulas and against networks written here."""

from dataclasses import replace

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from evaluators.counts.formula import total
from evaluators.counts.layer_tracing import Trace, trace
from evaluators.prediction.published_features import own
from search_spaces import PAPER, Architecture
from search_spaces.nextvit.network import NextViT
from tests.networks import EVERY, random_networks


def traced(architecture: Architecture, resolution: int) -> Trace:
    with torch.device("meta"):
        return trace(NextViT(architecture), resolution)


def equal(architecture: Architecture, resolution: int = 224) -> bool:
    """Whether formula and trace agree in every layer. A trace does not see which share of a block attends."""
    work, seen = total(architecture, resolution), traced(architecture, resolution)
    layers = [replace(layer, share=1.0) if layer.share else layer for layer in work.layers]
    shares = own(architecture, resolution)
    assert shares["layer_norms"] == pytest.approx(seen.layer_norms)
    assert shares["smooth"] == pytest.approx(seen.smooth)
    return tuple(layers) == seen.layers and work.params == seen.params


@pytest.mark.parametrize("architecture", [*PAPER.values(), *EVERY.values()], ids=[*PAPER, *EVERY])
def test_formula_and_trace_agree(architecture: Architecture) -> None:
    assert equal(architecture)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([192, 224, 320]), st.sampled_from(["nhs", "nhs-plus"]))
def test_formula_and_trace_agree_on_networks_of_a_space(seed: int, resolution: int, space: str) -> None:
    assert equal(random_networks(1, space, seed)[0], resolution)


@pytest.mark.parametrize("size", ["small", "base", "large"])
def test_timms_network_has_our_layers(size: str) -> None:
    with torch.device("meta"):
        theirs = trace(timm.create_model(f"nextvit_{size}"), 224)
    assert theirs == traced(PAPER[f"next-vit-{size[0]}"], 224)


class Corner(nn.Module):
    """A linear layer with channels first, a table that does not depend on the image, one that does, an attention."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, stride=4)
        self.weight = nn.Parameter(torch.empty(16, 8))
        self.relative = nn.Parameter(torch.empty(16, 5))
        self.table = nn.Linear(2, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.silu(self.conv(x)).flatten(2)  # (1, 8, N)
        x = (self.weight @ x[0])[None]  # (1, 16, N)
        places = self.table(torch.zeros(x.shape[2], 2, device=x.device))  # (N, 16)
        biases = x[0].T @ self.relative  # (N, 5)
        return (x.transpose(1, 2) + places) @ x + biases.sum()  # (1, N, N)


def test_a_trace_by_hand() -> None:
    with torch.device("meta"):
        seen = trace(Corner(), 32)
    convolution, linear, relative, product = seen.layers
    assert (convolution.positions, convolution.kernel, convolution.macs) == (64, 4, 64 * 8 * 3 * 16)
    assert (linear.positions, linear.into, linear.out, linear.macs) == (64, 8, 16, 64 * 8 * 16)
    assert (relative.positions, relative.macs, relative.share) == (0, 64 * 16 * 5, 0.0)
    assert (product.positions, product.macs, product.share) == (0, 64 * 64 * 16, 1.0)
    assert (seen.smooth, seen.layer_norms) == (1.0, 0.0)
