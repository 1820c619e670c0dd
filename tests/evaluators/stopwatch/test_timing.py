"""The stopwatch, on clocks that the test owns: what it reports is what was put in, whatever happened around it."""

from collections.abc import Callable

import numpy as np
import pytest

from evaluators.stopwatch.timing import Protocol, Timing, measure, ratio


class Machine:
    """A network of known latency on a machine of known troubles; time passes only when it runs."""

    def __init__(self, seconds: float, trouble: Callable[[int, np.random.Generator], tuple[float, float]]) -> None:
        self.seconds, self.trouble = seconds, trouble
        self.wall = self.cpu = 0.0
        self.runs, self.rng = 0, np.random.default_rng(0)

    def run(self) -> None:
        """`trouble` gives a factor of speed, and the seconds for which somebody else had the CPU."""
        factor, stolen = self.trouble(self.runs, self.rng)
        self.runs += 1
        self.cpu += self.seconds * factor
        self.wall += self.seconds * factor + stolen

    def time(self, cpu: bool = True, **changes: float) -> Timing:
        protocol = Protocol(**changes)  # type: ignore[arg-type]
        return measure(self.run, protocol, wall=lambda: self.wall, cpu=(lambda: self.cpu) if cpu else None)


def calm(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return 1 + 0.005 * rng.standard_normal(), 0.0


def bursts(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return calm(run, rng)[0], 0.05 if rng.random() < 0.4 else 0.0


def siege(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return calm(run, rng)[0], 0.02 + 0.05 * rng.random()


def cold(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return calm(run, rng)[0] * (2 - run / 10 if run < 10 else 1), 0.0


def wild(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.lognormal(0, 0.6)), 0.0


def tails(run: int, rng: np.random.Generator) -> tuple[float, float]:
    return calm(run, rng)[0] * (30 if rng.random() < 0.05 else 1), 0.0


@pytest.mark.parametrize("milliseconds", [0.01, 0.2, 3, 40, 150])
def test_a_calm_machine_gives_the_true_latency(milliseconds: float) -> None:
    timing = Machine(milliseconds / 1000, calm).time()
    assert timing.median == pytest.approx(milliseconds, rel=0.01)
    assert timing.low <= timing.median <= timing.high
    assert timing.quality == "clean"
    assert timing.half_width <= 0.02


def test_a_quick_network_runs_several_times_a_sample() -> None:
    assert Machine(0.00001, calm).time().inferences_per_sample >= 100
    assert Machine(0.01, calm).time().inferences_per_sample == 1


def test_samples_during_which_others_had_the_cpu_do_not_count() -> None:
    timing = Machine(0.04, bursts).time()
    assert timing.median == pytest.approx(40, rel=0.01)
    assert timing.quality == "clean"
    assert timing.clean == timing.samples
    assert timing.cpu_share is not None and timing.cpu_share < 0.9


def test_without_one_clean_sample_cpu_time_stands_in_and_says_so() -> None:
    timing = Machine(0.04, siege).time()
    assert timing.median == pytest.approx(40, rel=0.01)
    assert timing.quality == "cpu_time"
    assert timing.clean == 0


def test_without_a_cpu_clock_every_sample_counts() -> None:
    timing = Machine(0.04, siege).time(cpu=False)
    assert timing.median > 55
    assert timing.cpu_share is None


def test_the_cold_start_is_no_sample() -> None:
    timing = Machine(0.04, cold).time()
    assert timing.steady
    assert timing.median == pytest.approx(40, rel=0.02)


def test_heavy_tails_are_counted_not_averaged() -> None:
    timing = Machine(0.004, tails).time()
    assert timing.median == pytest.approx(4, rel=0.01)
    assert timing.outliers > 0


def test_a_wild_network_is_flagged_and_ends_at_the_limit() -> None:
    machine = Machine(0.05, wild)
    timing = machine.time(limit_seconds=3)
    assert timing.quality == "noisy"
    assert timing.half_width > 0.02
    assert machine.wall <= 3 + Protocol().warmup_limit_seconds + 1


def test_sampling_stops_when_the_interval_is_narrow() -> None:
    machine = Machine(0.04, calm)
    machine.time()
    assert machine.wall < Protocol().warmup_seconds + Protocol().seconds + 0.5


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """95 % intervals over 100 machines with noise of 10 %: small samples make a bootstrap a little narrow."""
    covered = 0
    for seed in range(100):
        machine = Machine(0.02, lambda run, rng: (1 + 0.1 * rng.standard_normal(), 0.0))
        machine.rng = np.random.default_rng(seed)
        timing = machine.time()
        covered += timing.low <= 20 <= timing.high
    assert covered >= 85


def test_where_the_run_time_tells_the_time_that_is_the_sample() -> None:
    machine = Machine(0.004, calm)  # of which the network is a quarter, and the rest is the way to it
    timing = measure(machine.run, wall=lambda: machine.wall, cpu=None, reported=lambda: 0.001)
    assert timing.median == pytest.approx(1.0)
    assert timing.inferences_per_sample == 1
    assert timing.quality == "clean"


class Pair:
    """Two networks on one machine: what troubles it troubles both."""

    def __init__(self, first: float, second: float, trouble: Callable[[int, np.random.Generator], tuple[float, float]]):
        self.machine = Machine(1.0, trouble)
        self.seconds = (first, second)

    def run(self, which: int) -> None:
        self.machine.seconds = self.seconds[which]
        self.machine.run()

    def ratio(self, seed: int) -> float:
        self.machine.rng = np.random.default_rng(seed)
        return ratio(
            (lambda: self.run(0), lambda: self.run(1)),
            Protocol(),
            wall=lambda: self.machine.wall,
            cpu=lambda: self.machine.cpu,
            seed=seed,
        )


@pytest.mark.parametrize("trouble", [calm, bursts, siege, tails])
@pytest.mark.parametrize("truth", [1.0, 1.1])
def test_two_networks_are_compared_truly_on_a_troubled_machine(
    truth: float, trouble: Callable[[int, np.random.Generator], tuple[float, float]]
) -> None:
    found = [Pair(0.04, 0.04 * truth, trouble).ratio(seed) for seed in range(5)]
    assert np.mean(found) == pytest.approx(truth, rel=0.01)
