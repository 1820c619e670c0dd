"""From ratios to milliseconds: the constant of a device, the spread between its processes, repeats combined."""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators import Device, Measurement, Metric
from evaluators.stopwatch.calibration import (
    LARGEST_ERROR,
    LEAST_TAU,
    USUAL_TAU,
    Calibration,
    DeviceHistory,
    Ratio,
    advice,
    calibrate,
    described,
    flag,
    ratio_of,
)

METRIC = Metric(name="ort", unit="ms", direction="minimize", kind="measured")


def ratio(log: float = 1.5, error: float = 0.004, reference: float = 2.3, rounds: int = 10) -> Ratio:
    return Ratio(log=log, error=error, rounds=rounds, reference=reference, cpu_share=1.0)


def measurement(found: Ratio) -> Measurement:
    value, low, high, quality = found.here()
    return Measurement(
        metric=METRIC, value=value, low=low, high=high, samples=found.rounds, quality=quality, device=Device(label="a"),
        versions={}, protocol={}, when="2026-01-01T00:00:00+00:00", seconds=2.0, details=found.to_dict(),
    )  # fmt: skip


def test_a_measurement_stores_its_ratio() -> None:
    assert ratio_of(measurement(ratio())) == ratio()
    old = Measurement.from_dict({**measurement(ratio()).to_dict(), "details": {"reference_ms": 5.4}})
    assert ratio_of(old) is None, "of the first version"


def test_every_protocol_has_its_words() -> None:
    """A user's own evaluator has another clock than ours."""
    new = measurement(ratio())
    old = Measurement.from_dict({**new.to_dict(), "details": {}, "protocol": {"stopwatch": {}}})
    own = Measurement.from_dict({**new.to_dict(), "details": {}})
    assert [described(each) for each in (new, old, own)] == ["10 rounds", "by the first version's stopwatch", ""]
    assert described(Calibration(constant=0.0).applied([new, new])) == "20 rounds in 2 processes"


def test_one_constant_moves_all_networks_alike() -> None:
    """A network that was measured in a slow minute is not slower than one that was measured in a quick one."""
    history = [(str(number), ratio(reference=2.3 + 0.1 * math.sin(number))) for number in range(60)]
    known = calibrate(history)
    values = {known.applied([measurement(found)]).value for _, found in history}
    assert len(values) == 1
    assert known.constant == pytest.approx(2.3, abs=0.03)
    assert 0 < known.constant_error < 0.03


def test_what_is_stored_never_changes_what_is_printed() -> None:
    known = Calibration(constant=2.3)
    once = known.applied([measurement(ratio())])
    assert known.applied([once]).value == pytest.approx(once.value)
    assert Calibration(constant=2.4).applied([once]).value == pytest.approx(once.value * math.exp(0.1))


@given(st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=8))
def test_repeats_narrow_the_interval_and_stay_among_themselves(moves: Sequence[float]) -> None:
    known = Calibration(constant=0.0)
    single = known.applied([measurement(ratio())])
    many = known.applied([measurement(ratio(log=1.5 + move)) for move in moves])
    assert many.high / many.low < single.high / single.low
    assert math.exp(1.5 + min(moves)) * 0.999999 <= many.value <= math.exp(1.5 + max(moves)) * 1.000001
    assert many.details["processes"] == len(moves)
    assert many.samples == 10 * len(moves)


@pytest.mark.parametrize("tau", [0.0, 0.02, 0.05])
def test_the_spread_between_processes_is_estimated_from_repeats(tau: float) -> None:
    rng = np.random.default_rng(0)
    history = [
        (str(network), ratio(log=network + tau * rng.standard_normal() + 0.004 * rng.standard_normal()))
        for network in range(20)
        for _ in range(6)
    ]
    known = calibrate(history)
    assert known.repeats == 100
    assert known.tau == pytest.approx(max(tau, LEAST_TAU), rel=0.25)


def test_a_few_spoilt_repeats_do_not_make_every_network_doubtful() -> None:
    rng = np.random.default_rng(0)
    calm = [(str(number % 5), ratio(log=0.005 * rng.standard_normal())) for number in range(20)]
    spoilt = [("9", ratio(log=0.0)), ("9", ratio(log=0.6)), ("8", ratio(log=0.4, error=0.2)), ("8", ratio(log=0.0))]
    assert calibrate([*calm, *spoilt]).tau < 1.5 * USUAL_TAU


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.floats(-0.1, 0.1), st.sampled_from([0.004, LARGEST_ERROR, 0.031])),
        min_size=1,
        max_size=30,
    )
)
def test_a_history_that_grows_says_what_all_of_it_says(measured: Sequence[tuple[str, float, float]]) -> None:
    history = DeviceHistory()
    for count, (key, log, error) in enumerate(measured, start=1):
        history.add(key, ratio(log=log, error=error))
        clear = [each for each in measured[:count] if each[2] <= LARGEST_ERROR]
        own = [[each for each in clear if each[0] == name] for name in "abcd"]
        repeats = [each for each in own if len(each) > 1]
        known = history.calibration()
        assert known.measurements == count
        assert known.repeats == sum(len(each) - 1 for each in repeats)
        if repeats:
            differences = [abs(one[1] - other[1]) for each in repeats for one, other in combinations(each, 2)]
            errors = [error for each in repeats for _, _, error in each]
            excess = (1.4826 * median(differences)) ** 2 / 2 - median(errors) ** 2
            variance = (4 * USUAL_TAU**2 + known.repeats * excess) / (4 + known.repeats)
            assert known.tau == pytest.approx(math.sqrt(max(LEAST_TAU**2, variance)))


def test_without_repeats_the_usual_is_believed() -> None:
    assert calibrate([("a", ratio()), ("b", ratio())]).tau == USUAL_TAU


@pytest.mark.parametrize("tau", [0.004, 0.01, 0.03])
def test_repeats_lie_in_each_others_intervals_as_often_as_they_say(tau: float) -> None:
    rng = np.random.default_rng(1)
    history = [
        (str(network), ratio(log=tau * rng.standard_normal() + 0.004 * rng.standard_normal()))
        for network in range(30)
        for _ in range(8)
    ]
    known, inside, total = calibrate(history), 0, 0
    for network in range(30):
        own = [found for name, found in history if name == str(network)]
        for index, one in enumerate(own):
            for other in own[:index]:
                total += 1
                inside += abs(one.log - other.log) <= 1.96 * math.sqrt(
                    one.variance(known.tau) + other.variance(known.tau)
                )
    assert 0.90 <= inside / total <= 0.985


@pytest.mark.parametrize(
    ("half", "rounds", "share", "expected"),
    [
        (0.02, 10, 1.0, "clean"),
        (0.02, 10, None, "clean"),
        (0.02, 2, 1.0, "clean"),
        (0.02, 10, 0.6, "corrected"),
        (0.05, 10, 1.0, "corrected"),
        (0.05, 5, 1.0, "noisy"),
        (0.08, 10, 1.0, "noisy"),
    ],
)
def test_flags_mean_what_they_say(half: float, rounds: int, share: float | None, expected: str) -> None:
    quality = flag(half, rounds, [share])
    assert quality == expected
    assert bool(advice(quality, half)) == (expected == "noisy")


def test_a_combination_drops_the_warning_that_it_made_good() -> None:
    noisy = measurement(ratio(error=0.05))
    assert noisy.quality == "noisy"
    combined = Calibration(constant=2.3).applied([noisy, *[measurement(ratio())] * 3])
    assert (combined.quality, combined.warnings) == ("clean", ())


def test_no_history_has_no_constant() -> None:
    with pytest.raises(ValueError, match="no constant"):
        calibrate([])
