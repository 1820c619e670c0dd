"""Score from structure alone, without running a network: the baseline that every other score must beat.

The value is ln(sum of block widths), that is ln(sum over stages of depth x width). On the only published set of hybrids
with trained accuracies (100 PiT networks, CIFAR-100) it ranked better (Kendall tau 0.85) than every training-free score
tried, and than parameters (0.71) or MACs (0.70). The details hold all other counts, for predictors. A score is not an
accuracy: check what it ranks before relying on it.
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator, check_range
from evaluators.core.measurement import UNVALIDATED, Direction, Kind, Reading
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Structure(Evaluator):
    """The logarithm of the sum of block widths: wider and deeper is better."""

    unit: ClassVar[str] = "ln channels"
    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "score"

    resolution: int = 224

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    def _read(self, architecture: Architecture) -> Reading:
        from evaluators.prediction.features import structure

        features = structure(architecture, self.resolution)
        return Reading.exact(features["log_sum_of_widths"], warnings=(UNVALIDATED,), **features)
