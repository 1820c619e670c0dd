"""An accuracy that is predicted from the networks that a run trains first. The search fits it; a plug-in reads it."""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from evaluators.core.measurement import Kind, digest
from evaluators.training.fidelity import Fidelity
from search_spaces import Network
from search_spaces.common.errors import Unavailable

if TYPE_CHECKING:
    from evaluators.prediction.fusion import Fusion

Learned = TypeVar("Learned", bound="LearnedAccuracy")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The ids of the networks that were trained, and the models fitted on them."""

    networks: tuple[str, ...]
    fusion: "Fusion" = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class LearnedAccuracy(Fidelity):
    """The accuracy that the training of the same fidelity would reach, predicted from features of a network."""

    kind: ClassVar[Kind] = "predicted"
    fit: ClassVar[Fit | None] = None  # of an instance, once it is fitted

    def fitted(self: Learned, fit: Fit) -> Learned:
        """A copy of this evaluator that predicts by `fit`."""
        clone = replace(self)
        object.__setattr__(clone, "fit", fit)
        return clone

    def missing(self) -> Unavailable | None:
        """It needs data, and networks that were trained on it."""
        if self.fit:
            return None
        return super().missing() or Unavailable(
            f"{self.spec} has learnt from no real evaluation", "a search with this proxy trains some networks first"
        )

    def protocol(self) -> dict[str, Any]:
        """The fidelity, and the networks that it learnt from."""
        networks = self.fit.networks if self.fit else ()
        return super().protocol() | {"evaluations": len(networks), "networks": digest(sorted(networks))}

    @abstractmethod
    def row(self, network: Network) -> dict[str, float]:
        """The features of a network, by name."""
