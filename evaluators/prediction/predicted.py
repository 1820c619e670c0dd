"""A latency that is predicted from earlier measurements on its device, which need not be present.

Its numbers have the kind `predicted` everywhere, so they never share an axis with measured ones.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evaluators.core.evaluator import Evaluator, Family
from evaluators.core.measurement import Device, Measurement, Metric, Reading, digest
from search_spaces import Network
from search_spaces.common.errors import Unavailable

if TYPE_CHECKING:
    from evaluators.prediction.latency_predictor import Predictor


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The basis of a predictor: the context of the measurements, and the networks measured in it."""

    context: str
    networks: tuple[str, ...]  # their ids
    example: Measurement
    predictor: "Predictor" = field(compare=False)


def predicted_spec(spec: str) -> str:
    """The spec of the prediction of an evaluator's numbers."""
    return f"{spec}{',' if ':' in spec else ':'}predicted"


@dataclass(frozen=True, kw_only=True)
class Predicted(Evaluator):
    """The prediction of another evaluator's numbers. `which` selects a device by the beginning of its id."""

    inner: Evaluator
    which: str = ""
    knowledge: Knowledge | None = None

    def name(self) -> str:
        """The name of the evaluator whose numbers are predicted."""
        return self.inner.name()

    def family(self) -> Family:  # type: ignore[override]  # an instance's: its inner evaluator decides
        """The family of that evaluator."""
        return self.inner.family()

    @property
    def spec(self) -> str:
        """The evaluator's own spec with the option `predicted`."""
        return predicted_spec(self.inner.spec) + (f"={self.which}" if self.which else "")

    @property
    def metric(self) -> Metric:
        """The meaning of its numbers, of the kind `predicted`."""
        inner = self.inner.metric
        return Metric(name=self.spec, unit=inner.unit, direction=inner.direction, kind="predicted")

    @property
    def instant(self) -> bool:
        """It needs no measurement."""
        return True

    def missing(self) -> Unavailable | None:
        """Why it cannot predict: without measurements, which the program supplies from the database."""
        if self.knowledge:
            return None
        return Unavailable(
            f"{self.spec} has learnt from no measurements",
            f"measure about 40 networks with {self.inner.spec} first",
        )

    def device(self) -> Device:
        """The device for which it predicts."""
        return self._known().example.device

    def versions(self) -> dict[str, str]:
        """The versions for which it predicts."""
        return self._known().example.versions

    def protocol(self) -> dict[str, Any]:
        """What it learnt from: context, number and digest of the measured networks."""
        known = self._known()
        return {
            "evaluator": self.name(),
            "predicted_from": known.context,
            "measurements": len(known.networks),
            "networks": digest(sorted(known.networks)),
        }

    def _known(self) -> Knowledge:
        if reason := self.missing():
            raise reason
        assert self.knowledge
        return self.knowledge

    def _read(self, architecture: Network) -> Reading:
        predictor = self._known().predictor
        prediction, quality = predictor.predict(architecture), predictor.held_out()
        return Reading(
            value=prediction.value,
            low=prediction.low,
            high=prediction.high,
            samples=quality.measurements,
            quality="predicted",
            warnings=(
                f"predicted from {quality.measurements} measurements (held-out error {quality.mean_error:.1%}), "
                "not measured",
            ),
        )
