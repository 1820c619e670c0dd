"""Strategies at one latency, on a made-up device whose latencies are known."""

import math
from collections import defaultdict

import numpy as np
import pytest

from evaluators import Measurement
from evaluators.core.measurement import Metric
from evaluators.counts.formula import total
from nas.strategies.equal_latency import MOST, OutOfReach, Target, at_latency
from search_spaces import Architecture
from search_spaces.strategies.catalogue import NEXT_VIT, QUESTIONS
from search_spaces.strategies.strategy import SCALINGS
from tests.synthetic import measurement

MILLISECONDS = Metric(name="made-up", unit="ms", direction="minimize", kind="measured")


class Device:
    """Latency from work and activations, with noise in each measurement."""

    def __init__(self, noise: float = 0.005) -> None:
        self.random, self.noise = np.random.default_rng(0), noise
        self.made: defaultdict[Architecture, list[float]] = defaultdict(list)

    def true(self, network: Architecture) -> float:
        done = total(network)
        return 2.0 + 8e-9 * (done.macs + 3 * done.attention) + 6e-7 * done.activations

    def __call__(self, network: Architecture, times: int) -> Measurement:
        made = self.made[network]
        while len(made) < times:
            made.append(self.true(network) * math.exp(self.random.normal(0, self.noise)))
        value = float(np.mean(made))
        return measurement(MILLISECONDS, value, half=1.96 * self.noise * value / math.sqrt(len(made)))

    @property
    def measurements(self) -> int:
        return sum(map(len, self.made.values()))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_strategy_is_found_with_few_measurements(scaling: str) -> None:
    device, start, wanted = Device(), 0.0, 20.0 if scaling == "tiny" else 60.0
    target = Target.of(wanted, measurement(MILLISECONDS, wanted))
    strategies = list(dict.fromkeys(each for question in QUESTIONS for each in question.strategies))
    for strategy in strategies:
        found = at_latency(strategy, SCALINGS[scaling], target, device, start)
        assert abs(device.true(found.network) / wanted - 1) < 0.02 + 4 * 0.005
        assert abs(found.missed_by) <= 0.02
    assert device.measurements / len(strategies) < 5


def test_networks_are_found_where_processes_differ_as_much_as_the_tolerance() -> None:
    device = Device(noise=0.02)
    target = Target.of(60.0, measurement(MILLISECONDS, 60.0))
    for strategy in QUESTIONS[1].strategies:
        found = at_latency(strategy, SCALINGS["shallow"], target, device)
        assert abs(found.missed_by) <= 0.02
        assert found.latency.high / found.latency.value - 1 < 0.03


def test_a_latency_out_of_reach_is_answered_with_the_nearest() -> None:
    device = Device()
    for milliseconds, nearest in ((0.5, 1), (5000.0, 100)):
        target = Target.of(milliseconds, measurement(MILLISECONDS, milliseconds))
        with pytest.raises(OutOfReach, match=f"within 2% of {milliseconds:g} ms; the nearest has") as refused:
            at_latency(NEXT_VIT, SCALINGS["as-s"], target, device)
        assert float(refused.value.message.split()[-2]) > nearest
    assert device.measurements <= 2 * MOST


def test_the_target_is_a_ratio_that_no_later_constant_of_the_device_moves() -> None:
    known = measurement(MILLISECONDS, 80.0)
    known.details["log_ratio"] = 2.0
    target = Target.of(40.0, known)
    later = measurement(MILLISECONDS, 44.0)  # the same device, a constant 10 % higher
    later.details["log_ratio"] = 2.0 + math.log(0.5)
    assert target.met(later)
    assert target.missed_by(later) == pytest.approx(0.0)
