"""Whether two networks can be told apart by their latency: pairs of measurements, in several processes.

Within one process both networks run in turns, so that whatever slows the machine slows both. From process to process
memory lies elsewhere, which moves a network by one or two per cent and no number of samples within a process shows
it: the interval is Student's over the logarithms of the processes' ratios. Which network is loaded first alternates.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from evaluators.core.evaluator import Evaluator
from evaluators.statistics.intervals import mean_interval
from evaluators.workers.bench import Bench
from search_spaces import Network

PROCESSES = 6
LEVEL = 0.99  # of a hundred truly equal pairs one is told apart by mistake
# Less than this is not called a difference: of 20 equal pairs beside a burning core two seemed 0.4 and 0.7 % apart.
RESOLUTION = 0.01


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many times the first one's latency the second one takes, with its 99 % interval."""

    evaluator: str
    ratio: float
    low: float
    high: float
    ratios: tuple[float, ...]  # one for each process

    @classmethod
    def of(cls, evaluator: Evaluator, ratios: Sequence[float]) -> Self:
        """The comparison from the ratios of at least two processes."""
        middle, half = mean_interval([math.log(ratio) for ratio in ratios], LEVEL)
        return cls(
            evaluator=evaluator.spec,
            ratio=math.exp(middle),
            low=math.exp(middle - half),
            high=math.exp(middle + half),
            ratios=tuple(ratios),
        )

    @property
    def distinguishable(self) -> bool:
        """Whether the interval excludes that they are within 1 % of each other."""
        return self.low > 1 + RESOLUTION or self.high < 1 - RESOLUTION

    def sentence(self, first: str, second: str) -> str:
        """The verdict, as a person would say it."""
        interval = f"ratio {self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}], 99 %, {len(self.ratios)} processes"
        if not self.distinguishable:
            return f"{self.evaluator}: {first} and {second} are not distinguishable ({interval})"
        word = "slower" if self.ratio > 1 else "faster"
        return f"{self.evaluator}: {second} is {abs(self.ratio - 1):.1%} {word} than {first} ({interval})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "distinguishable": self.distinguishable}


def process_ratio(bench: Bench, evaluator: Evaluator, first: Network, second: Network, seed: int) -> float:
    """The second network's latency divided by the first's, from one process; of an odd seed the second is loaded first.

    Raises:
        MeasurementFailed: one of them could not be measured.
    """
    if seed % 2:
        return 1 / bench.ratio(evaluator, second, first, seed)
    return bench.ratio(evaluator, first, second, seed)


def compare(bench: Bench, evaluator: Evaluator, first: Network, second: Network) -> Comparison:
    """Measures both in pairs, process by process.

    Raises:
        MeasurementFailed: one of them could not be measured.
    """
    return Comparison.of(evaluator, [process_ratio(bench, evaluator, first, second, seed) for seed in range(PROCESSES)])
