"""Multiply-accumulates for one image, in billions: convolutions, linear layers and attention products.

fvcore counts the first two; it cannot count fused attention, which is counted here. Norms, activations and pooling are
not multiply-accumulates of the paper's tables: what was left out is listed with the number.
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.common.evaluator import Evaluator, check_range
from evaluators.common.measurement import Direction, Kind, Reading
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Macs(Evaluator):
    """Next-ViT-S has 5.79 G at 224 px."""

    unit: ClassVar[str] = "G"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "exact"
    packages: ClassVar[tuple[str, ...]] = ("fvcore",)

    resolution: int = 224

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.common.counting import macs

        found = macs(architecture, self.resolution)
        return Reading.exact(
            found.count / 1e9, count=found.count, attention=found.attention, uncounted=dict(found.uncounted)
        )
