"""The stopwatch, on clocks that the test owns: what it reports is what was put in, whatever happened around it."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from evaluators.stopwatch.calibration import Ratio, error
from evaluators.stopwatch.rounds import Protocol, Timed, measure

REFERENCES = (0.0055, 0.018)
Trouble = Callable[[float, np.random.Generator], tuple[float, float]]


class Machine:
    """Networks of known latency on a machine of known troubles; time passes only when one of them runs."""

    def __init__(self, trouble: Trouble, seed: int = 0) -> None:
        self.trouble, self.rng = trouble, np.random.default_rng(seed)
        self.wall = self.cpu = 0.0
        self.runs = 0

    def network(self, seconds: float, *, cpu: bool = True, runs: int = 1) -> Timed:
        """`trouble` gives a factor of speed at a time, and the seconds for which somebody else had the CPU."""

        def once() -> None:
            factor, stolen = self.trouble(self.wall, self.rng)
            self.runs += 1
            self.cpu += seconds * factor
            self.wall += seconds * factor + stolen

        return Timed(once=once, cpu=(lambda: self.cpu) if cpu else None, runs=runs)

    def time(self, seconds: float, *, cpu: bool = True, protocol: Protocol | None = None) -> Ratio:
        references = [self.network(REFERENCES[0], cpu=cpu, runs=2), self.network(REFERENCES[1], cpu=cpu)]
        candidate = self.network(seconds, cpu=cpu)
        return Ratio.of(measure(candidate, references, protocol or Protocol(), error=error, wall=lambda: self.wall))


def calm(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return 1 + 0.005 * rng.standard_normal(), 0.0


def slow(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return 1.4 * calm(now, rng)[0], 0.0


def drifting(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return calm(now, rng)[0] * (1 + 0.3 * math.sin(now)), 0.0


def bursts(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return calm(now, rng)[0], 0.05 if rng.random() < 0.4 else 0.0


def siege(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return calm(now, rng)[0], 0.02 + 0.05 * rng.random()


def tails(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return calm(now, rng)[0] * (10 if rng.random() < 0.05 else 1), 0.0


def wild(now: float, rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.lognormal(0, 0.6)), 0.0


def truth(seconds: float) -> float:
    return math.log(seconds) - sum(map(math.log, REFERENCES)) / 2


@pytest.mark.parametrize("trouble", [calm, slow, drifting, bursts, siege, tails])
@pytest.mark.parametrize("milliseconds", [0.2, 3, 40, 150, 700])
def test_the_ratio_is_the_true_one_whatever_troubles_the_machine(trouble: Trouble, milliseconds: float) -> None:
    found = [Machine(trouble, seed).time(milliseconds / 1000).log for seed in range(5)]
    assert np.median(found) == pytest.approx(truth(milliseconds / 1000), abs=0.02)


def test_the_time_of_the_references_is_that_of_the_same_rounds() -> None:
    assert Machine(slow).time(0.04).reference == pytest.approx(
        math.log(1.4 * 1000 * math.sqrt(0.0055 * 0.018)), abs=0.01
    )


def test_the_share_of_the_cpu_tells_a_calm_machine_from_a_shared_one() -> None:
    assert Machine(calm).time(0.04).cpu_share == pytest.approx(1)
    share = Machine(siege).time(0.04).cpu_share
    assert share is not None and share < 0.8
    assert Machine(siege).time(0.04, cpu=False).cpu_share is None


@pytest.mark.parametrize("trouble", [calm, drifting, bursts, siege, tails, wild])
@pytest.mark.parametrize("milliseconds", [0.01, 40, 400, 900, 1400])
def test_it_ends_within_its_limit(trouble: Trouble, milliseconds: float) -> None:
    """The limit is looked at before every run: a run in progress is the most that it can be overdrawn by."""
    machine = Machine(trouble)
    machine.time(milliseconds / 1000)
    longest = (milliseconds / 1000) * (12 if trouble in (tails, wild) else 1.4) + 0.1
    warm_up = longest + 0.5
    assert machine.wall <= Protocol().limit_seconds + warm_up + longest


@pytest.mark.parametrize("seconds", [1.4, 2.5, 10.0])
def test_a_network_that_is_slower_than_the_limit_gets_two_rounds_and_an_honest_interval(seconds: float) -> None:
    ratio = Machine(calm).time(seconds)
    assert ratio.rounds >= 2
    assert ratio.error >= 0.005
    assert abs(ratio.log - truth(seconds)) <= 3 * ratio.error


def test_a_calm_machine_is_asked_no_longer_than_needed() -> None:
    machine = Machine(calm)
    ratio = machine.time(0.04)
    assert ratio.error <= Protocol().enough_error
    assert machine.wall < 1.2


def test_the_error_is_never_zero() -> None:
    assert error(np.zeros(1)) > error(np.zeros(2)) > error(np.zeros(20)) > 0


def test_where_the_run_time_tells_the_time_that_is_the_sample() -> None:
    machine = Machine(calm)
    network = Timed(once=machine.network(0.004).once, reported=lambda: 0.001)  # the rest is the way to the device
    rounds = measure(network, [], Protocol(), error=error, wall=lambda: machine.wall)
    assert rounds.medians == pytest.approx([0.001])
    assert Ratio.of(rounds).log == pytest.approx(math.log(0.001))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 200 machines whose rounds differ by 10 %, at 95 %."""

    def noisy(now: float, rng: np.random.Generator) -> tuple[float, float]:
        return 1 + 0.1 * rng.standard_normal(), 0.0

    covered = 0
    for seed in range(200):
        ratio = Machine(noisy, seed).time(0.04)
        covered += abs(ratio.log - truth(0.04)) <= 1.96 * math.sqrt(ratio.variance(0.0))
    assert 180 <= covered <= 198
