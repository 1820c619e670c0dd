"""Parameters, in millions: what training stores, with 1000 classes and before norms are merged."""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.common.evaluator import Evaluator
from evaluators.common.measurement import Direction, Kind, Reading
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Params(Evaluator):
    """Counted on the network itself, block by block."""

    unit: ClassVar[str] = "M"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "exact"

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.common.counting import macs

        params = macs(architecture).params  # counted along the way
        return Reading.exact(params / 1e6, count=params)
