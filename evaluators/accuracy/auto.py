"""Predicted accuracy, fused from structure, features and every real evaluation on your data. The default with data.

A few networks are really trained; a line, a forest and a Gaussian process learn from them, each counting by how well it
tells those that were left out. What it says is a prediction with an interval, and says itself how its ranking was
checked; it abstains where it does not rank.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from evaluators.core.evaluator import Evaluator, choice
from evaluators.core.measurement import Kind, Reading, SharedDetails, digest
from evaluators.training.fidelity import Fidelity
from search_spaces import Architecture
from search_spaces.common.errors import Unavailable

if TYPE_CHECKING:
    from evaluators.prediction.fusion import Fusion


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What was learnt: the ids of the networks that were really evaluated, and the models fitted on them."""

    networks: tuple[str, ...]
    fusion: "Fusion" = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Auto(Fidelity):
    """The accuracy that `train` of the same fidelity would find. The program teaches it, by `learning`."""

    kind: ClassVar[Kind] = "predicted"

    features: str = choice("structure", "all")
    taught: ClassVar[Taught | None] = None  # of an instance, where it has learnt

    def learning(self, taught: Taught) -> "Auto":
        """The same evaluator, having learnt that."""
        clone = replace(self)
        object.__setattr__(clone, "taught", taught)
        return clone

    def missing(self) -> Unavailable | None:
        """It needs data, and real evaluations on it."""
        if self.taught:
            return None
        return super().missing() or Unavailable(
            f"{self.spec} has learnt from no real evaluation", "a search with this proxy trains some networks first"
        )

    def protocol(self) -> dict[str, Any]:
        """The fidelity, and what was learnt from."""
        networks = self.taught.networks if self.taught else ()
        scores = {"scores": names} if (names := [score.name() for score in self._scores()]) else {}
        return super().protocol() | scores | {"evaluations": len(networks), "networks": digest(sorted(networks))}

    def row(self, architecture: Architecture) -> dict[str, float]:
        """The features of a network, by name."""
        from evaluators.prediction.features import structure

        return structure(architecture, self.resolution) | {
            score.name(): score.measure(architecture).value for score in self._scores()
        }

    def _scores(self) -> list[Evaluator]:
        """The scores of random networks that are features too: every such plug-in, our own and users'."""
        import evaluators
        from evaluators.scores.score import Score

        if self.features != "all":
            return []
        family = [evaluators.get(name) for name in evaluators.names("accuracy")]
        return [evaluator for evaluator in family if isinstance(evaluator, Score)]

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.prediction.features import matrix

        assert self.taught
        fusion = self.taught.fusion
        values, _ = matrix([self.row(architecture)])
        told = fusion.predict(values)
        mean, low, high, upper = (round(float(each[0]), 4) for each in (told.mean, told.low, told.high, told.upper))
        return Reading(
            value=mean,
            low=min(low, mean),
            high=max(high, mean),
            samples=fusion.validity.evaluations,
            quality="predicted" if fusion.validity.ranks else "abstains",
            warnings=(f"predicted, not trained; {fusion.validity.sentence}",),
            details={**SharedDetails(fidelity=self.fidelity, upper=upper, validity=fusion.validity.to_dict())},
        )
