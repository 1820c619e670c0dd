"""Predicted accuracy, learnt from structure, scores and real evaluations on your data. The default with data.

A search trains a few networks; a line, a forest and a Gaussian process learn from them and are mixed by their errors on
left-out networks (`prediction/fusion.py`). The result is a prediction with an interval and with a sentence on how its
ranking was checked; it abstains if there is no evidence that it ranks.
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
    """What was learnt: the ids of the trained networks, and the prediction fitted on them."""

    networks: tuple[str, ...]
    fusion: "Fusion" = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Auto(Fidelity):
    """Predicts the accuracy that `train` reaches at the same fidelity. A search teaches it, by `learning`."""

    kind: ClassVar[Kind] = "predicted"

    features: str = choice("structure", "all")
    taught: ClassVar[Taught | None] = None  # set on an instance that has learnt

    def learning(self, taught: Taught) -> "Auto":
        """A copy of this evaluator that has learnt `taught`."""
        clone = replace(self)
        object.__setattr__(clone, "taught", taught)
        return clone

    def missing(self) -> Unavailable | None:
        """Why it cannot predict: without data, or without real evaluations on it."""
        if self.taught:
            return None
        return super().missing() or Unavailable(
            f"{self.spec} has learnt from no real evaluation", "a search with this proxy trains some networks first"
        )

    def protocol(self) -> dict[str, Any]:
        """The fidelity, the features, and the networks it learnt from."""
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
        predicted = fusion.predict(values)
        columns = (predicted.mean, predicted.low, predicted.high, predicted.upper)
        mean, low, high, upper = (round(float(column[0]), 4) for column in columns)
        return Reading(
            value=mean,
            low=min(low, mean),
            high=max(high, mean),
            samples=fusion.validity.evaluations,
            quality="predicted" if fusion.validity.ranks else "abstains",
            warnings=(f"predicted, not trained; {fusion.validity.sentence}",),
            details={**SharedDetails(fidelity=self.fidelity, upper=upper, validity=fusion.validity.to_dict())},
        )
