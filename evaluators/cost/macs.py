"""Multiply-accumulates for one image, in billions: convolutions, linear layers and attention products.

Norms, activations and poolings do not count, as in the paper's tables.
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator, check_range
from evaluators.core.measurement import Direction, Kind, Reading
from evaluators.counts.networks import total
from search_spaces import Network


@dataclass(frozen=True, kw_only=True)
class Macs(Evaluator):
    """Billions of multiply-accumulates; Next-ViT-S has 5.79 G at 224 px."""

    unit: ClassVar[str] = "G"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "exact"
    peers: ClassVar[bool] = True

    resolution: int = 224

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    def _read(self, network: Network) -> Reading:
        work = total(network, self.resolution)
        return Reading.exact(work.all_macs / 1e9, count=work.all_macs, attention=work.attention)
