"""Predicted accuracy, fused from structure, features and every real evaluation on your data. The default with data.

A few networks are really trained; a line, a forest and a Gaussian process learn from them, each counting by how well it
tells those that were left out. What it says is a prediction with an interval, and says itself how its ranking was
checked; it abstains where it does not rank.
"""

from dataclasses import dataclass

from evaluators.core.evaluator import choice
from evaluators.core.measurement import Reading
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Auto(LearnedAccuracy):
    """The accuracy that `train` of the same fidelity would reach."""

    features: str = choice("structure", "all")

    def row(self, architecture: Architecture) -> dict[str, float]:
        """The features of a network, by name."""
        import evaluators
        from evaluators.prediction.features import SCORES, structure

        found = structure(architecture, self.resolution)
        if self.features == "all":
            found |= {name: evaluators.get(name).measure(architecture).value for name in SCORES}
        return found

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.prediction.features import matrix

        assert self.fit
        fusion = self.fit.fusion
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
            details={"fidelity": self.fidelity, "upper": upper, "validity": fusion.validity.to_dict()},
        )
