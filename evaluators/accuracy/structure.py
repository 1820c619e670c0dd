"""Score from structure alone, no network run: the baseline that every other score must beat.

The value is ln(sum of block widths), that is ln(sum over stages of depth x width). On the only published set of
hybrids with trained accuracies (100 PiT networks, CIFAR-100) that sum ranked them better (Kendall tau 0.85) than every
training-free score tried, and than parameters (0.71) or MACs (0.70). The other counts are kept as details, for
predictors. A score is not an accuracy: `nas validate` tells what it ranks.
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator, check_range
from evaluators.core.measurement import UNVALIDATED, Direction, Kind, Reading
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Structure(Evaluator):
    """Wider and deeper is better; nothing else is known to it."""

    unit: ClassVar[str] = "ln channels"
    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "score"

    resolution: int = 224

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.prediction.features import structure

        found = structure(architecture, self.resolution)
        return Reading.exact(found["log_sum_of_widths"], warnings=(UNVALIDATED,), **found)
