"""Parameters of the network in training, in millions, with 1000 classes and before norms are merged."""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.measurement import Direction, Kind, Reading
from evaluators.counts.networks import total
from search_spaces import Network


@dataclass(frozen=True, kw_only=True)
class Params(Evaluator):
    """Millions of parameters; Next-ViT-S has 31.8 M."""

    unit: ClassVar[str] = "M"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "exact"
    peers: ClassVar[bool] = True

    def _read(self, network: Network) -> Reading:
        count = total(network).params
        return Reading.exact(count / 1e6, count=count)
