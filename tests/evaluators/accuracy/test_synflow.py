"""Synaptic flow, against derivatives worked out by hand."""

from math import log

import pytest
import torch
from torch import nn

import evaluators
from evaluators.accuracy.synflow import log_flow
from evaluators.scores.score import Score
from search_spaces import PAPER
from search_spaces.common.errors import MeasurementFailed


def quick(name: str) -> Score:
    found = evaluators.get(f"{name}:resolution=32,seeds=2")
    assert isinstance(found, Score)
    return found


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


def test_no_gradient_is_a_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose attention is cut off its output has weights that nothing reaches."""
    from search_spaces.nextvit.blocks import NextTransformerBlock

    monkeypatch.setattr(NextTransformerBlock, "attend", lambda self, x: x)
    with pytest.raises(MeasurementFailed, match="untrainable"):
        quick("synflow").measure(PAPER["next-vit-s"])
