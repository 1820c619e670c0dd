"""The base class of training-free scores: several seeds, their interval, and a check for untrainable networks."""

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator, check_range, cores
from evaluators.core.measurement import UNVALIDATED, Direction, Kind, Reading
from evaluators.statistics.intervals import mean_interval
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed


@dataclass(frozen=True, kw_only=True)
class Score(Evaluator):
    """A score of random networks: deterministic for its seed, with an interval from the spread between seeds.

    A score is never an accuracy. A plug-in implements `_score`, the value of one random network of the architecture.
    """

    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "score"
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    imports: ClassVar[tuple[str, ...]] = ("torch", "search_spaces.nextvit.network")
    smallest_batch: ClassVar[int] = 16  # fewer images make batch statistics meaningless

    batch: int = 16
    resolution: int = 64
    seeds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("batch", self.batch, self.smallest_batch, 1024)
        check_range("resolution", self.resolution, 32, 512)
        check_range("seeds", self.seeds, 2, 100)
        check_range("seed", self.seed, 0, 2**31 - 1)

    def _read(self, architecture: Architecture) -> Reading:
        import numpy as np
        import torch

        torch.set_num_threads(1)  # seeds run in threads instead: faster, and the same sums on any number of cores
        with ThreadPoolExecutor(min(self.seeds, cores())) as pool:
            scores = pool.map(lambda index: self._score(architecture, self.seed + index), range(self.seeds))
            values = np.array(list(scores))
        if not np.isfinite(values).all():
            raise MeasurementFailed(
                "untrainable: the output of a random network is not finite, or the same for all inputs",
                f"{self.spec} of {architecture}: {values.tolist()}",
            )
        mean, half = mean_interval(values)
        value = round(mean, 6)
        return Reading(
            value=value,
            low=value - half,
            high=value + half,
            samples=self.seeds,
            quality="score",
            warnings=(UNVALIDATED,),
            details={"by_seed": values.round(6).tolist()},
        )

    @abstractmethod
    def _score(self, architecture: Architecture, seed: int) -> float:
        """The score of the random network of one seed."""
