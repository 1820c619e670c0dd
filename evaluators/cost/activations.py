"""Activations for one image, in millions: elements written by convolutions, linear layers and attention products.

On GPUs they predict latency better than MACs do (Radosavovic et al., arXiv 2003.13678, section 4).
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator, check_range
from evaluators.core.measurement import Direction, Kind, Reading
from evaluators.counts.networks import total
from search_spaces import Network


@dataclass(frozen=True, kw_only=True)
class Activations(Evaluator):
    """Millions of activations; Next-ViT-S has 18.4 M at 224 px."""

    unit: ClassVar[str] = "M"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "exact"
    peers: ClassVar[bool] = True

    resolution: int = 224

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    def _read(self, network: Network) -> Reading:
        work = total(network, self.resolution)
        return Reading.exact(work.activations / 1e6, count=work.activations)
