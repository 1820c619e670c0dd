"""The stopwatch: the only code that times a network.

Warm-up until steady, samples in blocks, a bootstrap interval over block medians (samples are autocorrelated), a stop
rule on that interval. A sample during which the thread was off the CPU is not a sample of the network: where the
thread's own CPU time is known, only samples with CPU / wall >= `clean_share` count, and where too few are clean the
CPU times stand in, flagged. Rules and thresholds: MLPerf, nvbench, pyperf, trtexec and measurements of our own.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluators.core.measurement import Quality

Samples = NDArray[np.float64]
Clock = Callable[[], float]


class Clocks(NamedTuple):
    """What a run is timed by, in seconds: see `measure`."""

    wall: Clock
    cpu: Clock | None
    reported: Clock | None


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Every knob of the stopwatch. Seconds are wall time; shares are of 1."""

    warmup_agreement: float = 0.02  # two successive windows' medians
    warmup_runs: int = 3
    warmup_seconds: float = 0.15
    warmup_limit_seconds: float = 3.0
    block_seconds: float = 0.05
    shortest_sample_seconds: float = 0.001  # quicker networks run several times a sample
    blocks: int = 6
    seconds: float = 0.5
    limit_seconds: float = 6.0
    half_width: float = 0.02  # of the median: stop when the interval is this narrow
    clean_share: float = 0.98
    resamples: int = 1000
    outlier_deviations: float = 14.8  # robust standard deviations, as in hyperfine

    def to_dict(self) -> dict[str, Any]:
        """Plain data, recorded with every measurement."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One network's time in milliseconds: median of clean samples, its 95 % interval, and how it went."""

    median: float
    low: float
    high: float
    samples: int
    quality: Quality  # clean, cpu_time or noisy
    p10: float
    p90: float
    minimum: float
    clean: int
    outliers: int
    cpu_share: float | None
    warmup_seconds: float
    steady: bool
    inferences_per_sample: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width, as a share of the median."""
        return (self.high - self.low) / 2 / self.median


def measure(
    run_once: Callable[[], object],
    protocol: Protocol | None = None,
    *,
    wall: Clock = time.perf_counter,
    cpu: Clock | None = time.thread_time,
    reported: Clock | None = None,
    seed: int = 0,
) -> Timing:
    """Times `run_once` by the protocol.

    `cpu` reads the CPU time of the thread that does all the work; None where there is no such thread (several
    threads, a GPU), and then every sample counts as clean. `reported` reads the seconds of the last run where the
    run-time tells them (a GPU's events, Core ML): they are the samples then.
    """
    protocol = protocol or Protocol()
    clocks = Clocks(wall, cpu, reported)
    with _no_collecting():
        warm_seconds, steady, one = _warm_up(run_once, protocol, clocks)
        short = one < protocol.shortest_sample_seconds and not reported
        repeats = max(1, round(protocol.shortest_sample_seconds / one + 0.5)) if short else 1
        blocks = _sample(run_once, protocol, clocks, repeats, seed)
    return _summary(blocks, protocol, cpu is not None, seed, warm_seconds, steady, repeats)


def ratio(
    runs: tuple[Callable[[], object], Callable[[], object]],
    protocol: Protocol,
    *,
    rounds: int = 8,
    wall: Clock = time.perf_counter,
    cpu: Clock | None = None,
    reported: tuple[Clock | None, Clock | None] = (None, None),
    seed: int = 0,
) -> float:
    """How many times longer the second run takes: blocks of both in random order, round after round.

    Both are judged by the same clock: clean wall time, or CPU time where one of them had too few clean samples.
    """
    clocks = tuple(Clocks(wall, cpu, own) for own in reported)
    rng, blocks = np.random.default_rng(seed), ([], [])  # type: tuple[np.random.Generator, tuple[list[Samples], ...]]
    with _no_collecting():
        for run, own in zip(runs, clocks, strict=True):
            _warm_up(run, protocol, own)
        for _ in range(rounds):
            for which in rng.permutation(2):
                blocks[which].append(_block(runs[which], protocol, clocks[which], 1))
    medians = [_block_medians(each, protocol, cpu is not None) for each in blocks]
    if min(map(len, medians)) < rounds / 2:
        medians = [np.array([np.median(block[:, 1]) for block in each]) for each in blocks]
    first, second = (float(np.median(each)) for each in medians)
    return second / first


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


def _warm_up(run_once: Callable[[], object], protocol: Protocol, clocks: Clocks) -> tuple[float, bool, float]:
    """Runs until two successive windows agree. Returns (seconds, whether they did, seconds of one run)."""
    times: list[float] = []
    wall = clocks.wall
    start = last = wall()
    while True:
        run_once()
        now = wall()
        times.append(clocks.reported() if clocks.reported else now - last)
        last = now
        window = max(2, len(times) // 3)
        recent, before = np.median(times[-window:]), np.median(times[-2 * window : -window] or times)
        enough = len(times) >= protocol.warmup_runs and now - start >= protocol.warmup_seconds
        steady = enough and bool(abs(recent / before - 1) <= protocol.warmup_agreement)
        if steady or now - start >= protocol.warmup_limit_seconds:
            return now - start, steady, float(recent)


def _sample(
    run_once: Callable[[], object], protocol: Protocol, clocks: Clocks, repeats: int, seed: int
) -> list[Samples]:
    """Blocks of samples, each sample a row of (wall, CPU) milliseconds for one inference."""
    blocks: list[Samples] = []
    start = clocks.wall()
    while True:
        blocks.append(_block(run_once, protocol, clocks, repeats))
        elapsed = clocks.wall() - start
        if elapsed >= protocol.limit_seconds:
            return blocks
        medians = _block_medians(blocks, protocol, clocks.cpu is not None)
        if elapsed >= protocol.seconds and len(medians) >= protocol.blocks:
            low, high = _interval(medians, protocol, seed)
            if (high - low) / 2 <= protocol.half_width * float(np.median(medians)):
                return blocks


def _block(run_once: Callable[[], object], protocol: Protocol, clocks: Clocks, repeats: int) -> Samples:
    rows: list[tuple[float, float]] = []
    wall, cpu = clocks.wall, clocks.cpu
    start = wall()
    while not rows or wall() - start < protocol.block_seconds:
        cpu_start, wall_start = cpu() if cpu else 0.0, wall()
        for _ in range(repeats):
            run_once()
        wall_time = clocks.reported() if clocks.reported else wall() - wall_start
        rows.append((wall_time, cpu() - cpu_start if cpu else wall_time))
    return np.array(rows) * (1000 / repeats)


def _clean(samples: Samples, protocol: Protocol) -> NDArray[np.bool_]:
    return samples[:, 1] >= protocol.clean_share * samples[:, 0]


def _block_medians(blocks: list[Samples], protocol: Protocol, has_cpu: bool) -> Samples:
    """The median wall time of each block's clean samples; blocks without any drop out."""
    kept = [block[_clean(block, protocol), 0] if has_cpu else block[:, 0] for block in blocks]
    return np.array([np.median(times) for times in kept if len(times)])


def _interval(medians: Samples, protocol: Protocol, seed: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median of block medians."""
    draws = np.random.default_rng(seed).choice(medians, (protocol.resamples, len(medians)))
    low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
    return float(low), float(high)


def _summary(
    blocks: list[Samples], protocol: Protocol, has_cpu: bool, seed: int, warm: float, steady: bool, repeats: int
) -> Timing:
    samples = np.concatenate(blocks)
    clean = _clean(samples, protocol) if has_cpu else np.ones(len(samples), dtype=bool)
    quality: Quality = "clean"
    medians, counted = _block_medians(blocks, protocol, has_cpu), samples[clean, 0]
    if len(medians) < protocol.blocks and has_cpu:
        medians, quality = np.array([np.median(block[:, 1]) for block in blocks]), "cpu_time"
        counted = samples[:, 1]
    low, high = _interval(medians, protocol, seed)
    median = float(np.median(medians))
    if quality == "clean" and (not steady or (high - low) / 2 > protocol.half_width * median):
        quality = "noisy"
    spread = 1.4826 * float(np.median(np.abs(counted - np.median(counted)))) or 1e-12
    p10, p90 = np.quantile(counted, (0.1, 0.9))
    return Timing(
        median=median,
        low=low,
        high=high,
        samples=len(counted),
        quality=quality,
        p10=float(p10),
        p90=float(p90),
        minimum=float(counted.min()),
        clean=int(clean.sum()),
        outliers=int((np.abs(counted - np.median(counted)) > protocol.outlier_deviations * spread).sum()),
        cpu_share=float(samples[:, 1].sum() / samples[:, 0].sum()) if has_cpu else None,
        warmup_seconds=warm,
        steady=steady,
        inferences_per_sample=repeats,
    )
