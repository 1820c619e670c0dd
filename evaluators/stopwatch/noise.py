"""How noisy this machine is, in numbers: five seconds of the same work, looked at as a latency would be."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

SECONDS = 5.0
SIZE = 128  # a square of numbers that stays in the cache
REPEATS = 16  # a sample takes a few milliseconds


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Shares of 1. A quiet machine has nearly all samples clean and a spread below 2 %."""

    samples: int
    clean: float  # samples during which the thread had the CPU for 98 % of the time or more
    wall_spread: float  # from the 10 % to the 90 % quantile of wall times, over the median
    cpu_spread: float  # the same of the thread's own CPU times
    slowest: float  # the slowest sample over the median, minus 1

    def sentence(self) -> str:
        """What the numbers mean for latencies that are measured now."""
        told = (
            f"{self.samples} samples in {SECONDS:g} s: {self.clean:.0%} undisturbed, wall time spreads by "
            f"{self.wall_spread:.1%}, CPU time by {self.cpu_spread:.1%}, the slowest {self.slowest:+.0%}"
        )
        if self.clean >= 0.9 and self.wall_spread <= 0.03:
            return f"quiet: {told}"
        if self.clean >= 0.2:
            return f"noisy, but measurable: only undisturbed samples will count; {told}"
        return f"too noisy for wall time: CPU time will stand in, flagged; {told}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "sentence": self.sentence()}


def self_test(seconds: float = SECONDS) -> Noise:
    """Does the same elementwise work for that long on one thread, and looks at every sample."""
    numbers = np.random.default_rng(0).standard_normal((SIZE, SIZE))
    rows = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(REPEATS):
            np.sqrt(np.abs(np.sin(numbers)), out=numbers)  # elementwise: a matrix product would start threads
        rows.append((time.perf_counter() - wall, time.thread_time() - cpu))
    times = np.array(rows)
    low, middle, high = np.quantile(times, (0.1, 0.5, 0.9), axis=0)
    return Noise(
        samples=len(times),
        clean=float((times[:, 1] >= 0.98 * times[:, 0]).mean()),
        wall_spread=float((high[0] - low[0]) / middle[0]),
        cpu_spread=float((high[1] - low[1]) / middle[1]),
        slowest=float(times[:, 0].max() / middle[0] - 1),
    )
