"""What latencies say of claims, on made-up devices whose answers are known."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from evaluators import Measurement
from evaluators.core.measurement import Metric
from evaluators.counts.formula import total
from nas.claims.measured import MEASURED
from results.reference.claims import Finding
from search_spaces import Architecture
from tests.synthetic import measurement

MILLISECONDS = Metric(name="made-up", unit="ms", direction="minimize", kind="measured")
Time = Callable[[Architecture, int], float]


@dataclass(frozen=True)
class Latency:
    resolution: int = 224

    def protocol(self) -> dict[str, Any]:
        return {"resolution": self.resolution}


@dataclass(frozen=True)
class MadeUp:
    """Stands for a stopwatch: times by a function of network and pixels, with intervals of one per cent."""

    time: Time
    error: float = 0.01
    latency: Latency = field(default_factory=Latency)

    def again(self, network: Architecture) -> Measurement:
        value = self.time(network, self.latency.resolution)
        return measurement(MILLISECONDS, value, half=value * self.error)

    def pair(self, first: Architecture, second: Architecture) -> Measurement:
        ratio = self.again(second).value / self.again(first).value
        low, high = ratio / (1 + self.error), ratio * (1 + self.error)
        apart = low > 1.01 or high < 0.99
        made = measurement(MILLISECONDS, ratio)
        return replace(made, low=low, high=high, details={"distinguishable": apart})

    def at(self, pixels: int) -> "MadeUp":
        return MadeUp(self.time, self.error, Latency(pixels))


def settled(claim: int, time: Time, error: float = 0.01) -> Finding:
    return MEASURED[claim].settle(MadeUp(time, error))  # type: ignore[arg-type]


def attention(network: Architecture) -> int:
    return sum(block.attention_channels for row in network.blocks for block in row)


def transformers(network: Architecture) -> int:
    return str(network).count("T")


def blocks(network: Architecture) -> int:
    return sum(map(len, network.blocks))


PLANTED: list[tuple[int, Time, float, bool | None]] = [
    (5, lambda network, _: 10 + 1e-3 * attention(network), 0.01, True),
    (5, lambda network, _: 10 - 1e-3 * attention(network), 0.01, False),
    (5, lambda network, _: 10 + 1e-3 * attention(network), 0.3, None),
    (6, lambda network, _: 12 if network.normalization == "layer" else 10, 0.01, True),
    (6, lambda network, _: 8 if network.normalization == "layer" else 10, 0.01, False),
    (6, lambda network, _: 10, 0.01, None),
    (8, lambda network, _: 10, 0.01, True),
    (8, lambda network, _: 11 if network.transformer_order == "convolution-first" else 10, 0.01, False),
    (8, lambda network, _: 10, 0.03, None),
    (9, lambda network, _: 1 + blocks(network), 0.001, True),
    (9, lambda network, _: math.exp(blocks(network) / 8), 0.001, False),
    (9, lambda network, _: 1 + blocks(network), 0.2, None),
    (11, lambda network, _: 10 + transformers(network), 0.001, True),
    (11, lambda network, _: total(network).macs / 1e9, 0.001, False),
    (11, lambda network, _: 10 + transformers(network), 0.9, None),
    (16, lambda network, pixels: 10 - (network.attention_pooling == "squares" and pixels > 300), 0.01, True),
    (16, lambda network, pixels: 10 + (network.attention_pooling == "squares" and pixels > 300), 0.01, False),
    (16, lambda network, pixels: 10 - (network.attention_pooling == "squares" and pixels < 300), 0.01, None),
]


@pytest.mark.parametrize(("claim", "time", "error", "holds"), PLANTED)
def test_planted_times_are_found(claim: int, time: Time, error: float, holds: bool | None) -> None:
    finding = settled(claim, time, error)
    assert finding.holds is holds
    for number in finding.numbers:
        assert number.low is None or number.high is None or number.low <= number.value <= number.high


def test_every_experiment_that_measures_is_planted() -> None:
    assert {claim for claim, *_ in PLANTED} == {claim for claim, each in MEASURED.items() if each.processes}


def test_strategies_of_equal_depth_and_width_lose_macs_with_their_convolutions() -> None:
    finding = settled(11, lambda network, _: 10 + transformers(network))
    assert finding.number("MACs of TTTT over CCCC").value < 0.95
    assert finding.number("time of TTTT over CCCC").value > 1
