"""How noisy a machine is, in terms of what is measured on it: one network, process after process."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluators.statistics.intervals import normal
from evaluators.stopwatch.calibration import Ratio

FEWEST = 3  # processes, below which a spread says nothing


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The spread of one network's latency between processes, as shares of 1."""

    processes: int
    alone: float  # standard deviation of the logarithm of its time
    paired: float  # the same of its time over the references' of the same rounds
    cpu_share: float | None  # of the wall time during which the thread had the CPU, at the median

    @property
    def within(self) -> float:
        """How close repeats come to each other, 95 % of the time."""
        return normal() * self.paired

    def sentence(self) -> str:
        """What to expect of latencies that are measured now."""
        share = "" if self.cpu_share is None else f"; the CPU was ours for {self.cpu_share:.0%} of the time"
        return (
            f"a latency here repeats within {self.within:.1%} ({self.processes} processes; without reference networks "
            f"within {normal() * self.alone:.1%}){share}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "sentence": self.sentence()}


def noise(ratios: Sequence[Ratio]) -> Noise | None:
    """The noise of a machine from one network's ratios in several processes; None where they are too few."""
    if len(ratios) < FEWEST:
        return None
    shares = [ratio.cpu_share for ratio in ratios if ratio.cpu_share is not None]
    return Noise(
        processes=len(ratios),
        alone=float(np.std([ratio.log + ratio.reference for ratio in ratios], ddof=1)),
        paired=float(np.std([ratio.log for ratio in ratios], ddof=1)),
        cpu_share=float(np.median(shares)) if shares else None,
    )
