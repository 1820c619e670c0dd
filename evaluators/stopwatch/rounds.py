"""The stopwatch: the only code that times a network.

A machine changes its speed within tenths of a second, so that a reference timed before or after the network comes too
late. A network is therefore timed in rounds, in which it alternates with references in random order: what slows one
slows the others. What counts is the logarithm of its time over theirs, round by round.

The clock is the CPU time of the thread that does the work where one thread does it all, the run-time's own report
where there is one (the events of a GPU, Core ML), and the wall otherwise.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Every knob of the stopwatch. Seconds are wall time; of a round, they are by the network's own clock."""

    warmup_seconds: float = 0.0  # after one discarded run of each network
    round_seconds: float = 0.05  # a network that takes less runs several times a round
    enough_rounds: int = 8  # from here on, a small enough error ends the measurement
    enough_error: float = 0.004  # of the logarithm: no longer matters beside the spread between processes
    rounds: int = 6  # fewer only where the limit comes first
    seconds: float = 1.8
    limit_seconds: float = 3.0  # checked before every run; two rounds are taken in any case

    def to_dict(self) -> dict[str, Any]:
        """Plain data, recorded with every measurement."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Something that can be timed: how to run it once, and by which clocks."""

    once: Callable[[], object]
    cpu: Clock | None = None  # the CPU time of the one thread that does the work
    reported: Clock | None = None  # the seconds of the last run, where the run-time itself tells them
    runs: int = 1  # in each round, at the least


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """What the rounds gave: seconds of one run, by round and network (n, 1 + references), the candidate first."""

    seconds: NDArray[np.float64]
    cpu_share: float | None  # of the wall time during which the thread had the CPU; None without such a clock
    elapsed: float  # seconds that all of it took

    @property
    def ratios(self) -> NDArray[np.float64]:
        """The logarithm of the candidate's time over the geometric mean of the references', by round."""
        logs = np.log(self.seconds)
        return logs[:, 0] - logs[:, 1:].mean(axis=1) if logs.shape[1] > 1 else logs[:, 0]

    @property
    def medians(self) -> list[float]:
        """Seconds of one run of each network, at the median."""
        return [float(seconds) for seconds in np.median(self.seconds, axis=0)]

    @property
    def references(self) -> NDArray[np.float64]:
        """The logarithm of the geometric mean of the references' seconds, by round; zeros without references."""
        logs = np.log(self.seconds[:, 1:])
        return logs.mean(axis=1) if logs.shape[1] else np.zeros(len(logs))


LEAST_ROUNDS = 2
GROUP_SECONDS = 0.001  # shorter runs are timed together


def measure(
    candidate: Timed,
    references: Sequence[Timed],
    protocol: Protocol,
    *,
    error: Callable[[NDArray[np.float64]], float],
    wall: Clock = time.perf_counter,
    seed: int = 0,
) -> Rounds:
    """Times a network against references, round by round, until `error` of its ratios is small or time is up.

    A network that is too slow for two rounds within the limit gets the second nevertheless: one alone has no spread.
    """
    networks, rng = (candidate, *references), np.random.default_rng(seed)
    rows: list[NDArray[np.float64]] = []  # by round: (networks, 3): clock of one run, CPU and wall of all its runs
    with _no_collecting():
        _warm_up(networks, protocol, wall)
        start = wall()
        while not _is_over(rows, wall() - start, protocol, error):
            row = np.zeros((len(networks), 3))
            for index in rng.permutation(len(networks)):
                if len(rows) >= LEAST_ROUNDS and wall() - start >= protocol.limit_seconds:
                    break
                least = protocol.round_seconds if index == 0 else 0.0
                row[index] = _timed(networks[index], least, start + protocol.limit_seconds, wall)
            else:
                rows.append(row)
                continue
            break  # half a round tells nothing
        elapsed = wall() - start
    times = np.array(rows)
    share = float(times[:, :, 1].sum() / times[:, :, 2].sum()) if all(network.cpu for network in networks) else None
    return Rounds(seconds=times[:, :, 0], cpu_share=share, elapsed=elapsed)


def _is_over(
    rows: list[NDArray[np.float64]],
    elapsed: float,
    protocol: Protocol,
    error: Callable[[NDArray[np.float64]], float],
) -> bool:
    if len(rows) < LEAST_ROUNDS:
        return False
    if elapsed >= protocol.limit_seconds or (elapsed >= protocol.seconds and len(rows) >= protocol.rounds):
        return True
    if len(rows) < protocol.enough_rounds:
        return False
    return (
        error(Rounds(seconds=np.array(rows)[:, :, 0], cpu_share=None, elapsed=elapsed).ratios) <= protocol.enough_error
    )


def _timed(network: Timed, least: float, end: float, wall: Clock) -> tuple[float, float, float]:
    """Seconds of one run by the network's clock, and the CPU and wall seconds of all runs that this took.

    The median over groups of runs of a millisecond or more: a single hiccup among many short runs does not count.
    """
    clock, groups, spent = network.cpu or wall, list[float](), 0.0
    began, cpu_began, runs = wall(), clock(), 0
    while True:
        group, taken, start = 0, 0.0, clock()
        while taken < GROUP_SECONDS and (not group or wall() < end):
            network.once()
            group += 1
            taken = taken + network.reported() if network.reported else clock() - start
        groups.append(max(taken / group, 1e-9))
        runs, spent, now = runs + group, spent + taken, wall()
        if (runs >= network.runs and spent >= least) or now >= end:
            return median(groups), clock() - cpu_began, now - began


def _warm_up(networks: Sequence[Timed], protocol: Protocol, wall: Clock) -> None:
    start = wall()
    while True:
        for network in networks:
            network.once()
        if wall() - start >= protocol.warmup_seconds:
            return


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keeps the garbage collector out of the samples."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
