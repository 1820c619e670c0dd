"""Latencies in the database: ratios are stored, and milliseconds follow from everything that is known of the device."""

import math
from dataclasses import replace
from typing import Any

import pytest

from evaluators import Device, Measurement, Metric
from evaluators.stopwatch.calibration import USUAL_TAU, Ratio
from nas.search.config import Config
from results.store.store import Store
from search_spaces import PAPER
from tests.postgresql import ON_BOTH
from tests.results.store.stores import proposal

pytestmark = ON_BOTH

S, B = PAPER["next-vit-s"], PAPER["next-vit-b"]
METRIC = Metric(name="ort", unit="ms", direction="minimize", kind="measured")
CPU = Device(label="a CPU", facts={"model": "a"})


def latency(log: float = 1.5, reference: float = 2.3, error: float = 0.003, **changes: Any) -> Measurement:
    ratio = Ratio(log=log, error=error, rounds=10, reference=reference, cpu_share=1.0)
    value, low, high, quality = ratio.here()
    made = Measurement(
        metric=METRIC, value=value, low=low, high=high, samples=10, quality=quality, device=CPU, versions={},
        protocol={}, when="2026-01-01T00:00:00+00:00", seconds=2.0, details=ratio.to_dict() | {"clock": "a"},
    )  # fmt: skip
    return replace(made, **changes)


def test_a_slow_minute_moves_no_network_against_another(store: Store) -> None:
    for _ in range(3):
        store.remember(S, latency(reference=2.3))
    store.remember(B, latency(reference=2.3 + math.log(1.4)))
    first, second = (store.recall(network, latency().context) for network in (S, B))
    assert first and second
    assert first.value == pytest.approx(second.value) == pytest.approx(math.exp(1.5 + 2.3))


def test_stored_rows_never_change(store: Store) -> None:
    store.remember(S, latency())
    before = store.all_rows()
    store.remember(B, latency(reference=2.5))
    store.recall(S, latency().context)
    assert store.all_rows()[:1] == before


def test_the_constant_is_of_one_device_and_of_one_kind_of_reference(store: Store) -> None:
    store.remember(S, latency(reference=2.3))
    for changes in (
        {"device": Device(label="another", facts={"model": "b"})},
        {"details": {"clock": "b"}, "protocol": {"batch": 8}},
    ):
        other = latency(reference=9.0)
        details = other.details | changes.pop("details", {})
        store.remember(S, replace(other, details=details, **changes))
    found = store.recall(S, latency().context)
    assert found and store.calibration(found).constant == pytest.approx(2.3)


def test_repeats_are_combined_and_narrow_the_interval(store: Store) -> None:
    store.remember(S, latency(1.49))
    once = store.recall(S, latency().context)
    store.remember(S, latency(1.51))
    twice = store.recall(S, latency().context)
    assert once and twice
    assert twice.details["log_ratio"] == pytest.approx(1.5)
    assert twice.details["first_log_ratio"] == 1.49
    assert twice.high - twice.low < once.high - once.low
    assert [found.value for _, found in store.measured("ort")[latency().context]] == [twice.value]


def test_a_network_at_two_resolutions_is_no_repeat(store: Store) -> None:
    """The references are the same: both tell the device's constant, and neither how far processes differ."""
    for number in range(5):
        store.remember(S, latency(1.5 - number, protocol={"resolution": 224 - 32 * number}))
    found = store.recall(S, latency(protocol={"resolution": 224}).context)
    assert found and store.calibration(found).tau == USUAL_TAU
    assert store.calibration(found).measurements == 5


def test_measurements_of_the_first_version_keep_their_value_and_their_flag(store: Store) -> None:
    old = replace(latency(), details={"reference_ms": 5.4, "drift": 0.2}, quality="drifted", protocol={"revision": 1})
    store.remember(S, old)
    store.remember(S, latency())
    assert store.recall(S, old.context) == old
    found = store.recall(S, latency().context)
    assert found and found.quality == "clean"


def test_limits_are_decided_by_what_is_known_now(store: Store) -> None:
    """The first measurement came in a slow moment; later ones show the device's typical speed."""
    store.create("one", Config(budget=3, limits=("ort<=50ms",)).to_dict())
    trial = store.begin("one", proposal(S))
    slow = latency(reference=2.3 + math.log(1.4))
    assert slow.value > 50 > math.exp(3.8)
    store.remember(S, slow)
    limits = {str(limit): slow.value - 50 for limit in Config(limits=("ort<=50ms",)).parsed_limits}
    store.finish("one", trial, {"ort": slow}, values=[4.0, slow.value], constraints=limits, seconds={})
    assert store.run("one").trials[0].state == "infeasible"
    for _ in range(3):
        store.remember(B, latency())
    assert store.run("one").trials[0].state == "ok"
    assert set(store.run("one").trials[0].constraints) == set(limits)
