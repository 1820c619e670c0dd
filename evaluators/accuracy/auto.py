"""Predicted accuracy, learnt from structure, scores and real evaluations on your data. The default with data.

A search trains a few networks; a line, a forest and a Gaussian process learn from them and are mixed by their errors on
left-out networks (`prediction/fusion.py`). The result is a prediction with an interval and with a sentence on how its
ranking was checked; it abstains if there is no evidence that it ranks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.core.evaluator import Evaluator, choice
from evaluators.core.measurement import Reading, SharedDetails
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from search_spaces import Network


@dataclass(frozen=True, kw_only=True)
class Auto(LearnedAccuracy):
    """The accuracy that `train` of the same fidelity would reach."""

    features: str = choice("structure", "all")

    def protocol(self) -> dict[str, Any]:
        """The fidelity, the networks it learnt from, and the scores among its features."""
        scores = {"scores": names} if (names := [score.name() for score in self._scores()]) else {}
        return super().protocol() | scores

    def row(self, network: Network) -> dict[str, float]:
        """The features of a network, by name."""
        from evaluators.prediction.features import structure

        return structure(network, self.resolution) | {
            score.name(): score.measure(network).value for score in self._scores()
        }

    @property
    def instant(self) -> bool:
        """Whether it needs no scores, once it is fitted."""
        return self.fit is not None and self.features != "all"

    def values(self, networks: Sequence[Network]) -> list[float]:
        """The predictions for many networks at once."""
        from evaluators.prediction.features import matrix

        assert self.fit
        values, _ = matrix([self.row(network) for network in networks])
        return [round(float(value), 4) for value in self.fit.fusion.predict(values).mean]

    def _scores(self) -> list[Evaluator]:
        """The scores of random networks that are features too: every such plug-in, our own and users'."""
        import evaluators
        from evaluators.scores.score import Score

        if self.features != "all":
            return []
        family = [evaluators.get(name) for name in evaluators.names("accuracy")]
        return [evaluator for evaluator in family if isinstance(evaluator, Score)]

    def _read(self, network: Network) -> Reading:
        from evaluators.prediction.features import matrix

        assert self.fit
        fusion = self.fit.fusion
        values, _ = matrix([self.row(network)])
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
