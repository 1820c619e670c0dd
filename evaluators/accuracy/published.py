"""ImageNet top-1 predicted from published networks, with no data of yours: the lower end of its interval.

A Gaussian process over published ImageNet-1k results, by size and shape of the networks (`prediction/published_*.py`).
The value is what a network should reach at least, mean - 1.9 sd, because a search exploits whatever a mean promises far
from evidence. It is a prior and no accuracy: it hardly ranks networks of one size and family, and knows only ImageNet.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from evaluators.core.evaluator import Evaluator, check_range
from evaluators.core.measurement import Direction, Kind, Reading, SharedDetails, further_key
from search_spaces import Network
from search_spaces.common.errors import Unavailable

VALIDITY = (
    "from published networks, not trained: the lower end of predicted ImageNet top-1; a typical error is 1.3 points "
    "for a family that the table lacks, and 0.5 for relatives of one that it holds; it cannot tell r, the place "
    "of a transformer within a stage, dense tasks, other data or short trainings"
)


@dataclass(frozen=True, kw_only=True)
class Published(Evaluator):
    """The top-1 that a network should reach at least if it were trained on ImageNet by the paper's recipe."""

    unit: ClassVar[str] = "%"
    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "predicted"
    peers: ClassVar[bool] = True
    bought_with: ClassVar[tuple[str, ...]] = ("params", "activations")

    resolution: int = 224
    explore: bool = False  # whether a search may go where nothing was published

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 2048)

    @property
    def instant(self) -> bool:
        """It takes a millisecond."""
        return True

    def values(self, networks: Sequence[Network]) -> list[float]:
        """The lower ends of many networks at once."""
        from evaluators.prediction.published_prediction import predictions

        return [round(each.low, 4) for each in predictions(networks, self.resolution)]

    def missing(self) -> Unavailable | None:
        """It needs its table undamaged."""
        from evaluators.prediction.published_table import table

        try:
            table()
        except Unavailable as error:
            return error
        return None

    def distrusts(self, network: Network) -> str:
        """Networks unlike anything published: the table says nothing of their kind."""
        from evaluators.prediction.published_guard import UNLIKE, unlike

        return UNLIKE if not self.explore and unlike(network) else ""

    def protocol(self) -> dict[str, Any]:
        """The options, and the table: another one predicts other numbers."""
        from evaluators.prediction.published_table import table_digest

        return super().protocol() | {"table": table_digest()}

    def _read(self, network: Network) -> Reading:
        from evaluators.prediction.published_prediction import predict
        from evaluators.prediction.published_table import table

        done = predict(network, self.resolution)
        low, high, line = round(done.low, 4), round(done.high, 4), done.size_line
        return Reading(
            value=low,
            low=low,
            high=high,
            samples=len(table().model) - done.left_out,
            quality="abstains" if done.beyond else "predicted",
            warnings=(VALIDITY, *done.remarks),
            secondary={further_key("mean", "%"): round(done.mean, 2), further_key("size-alone", "%"): round(line, 2)},
            details={
                **SharedDetails(
                    fidelity="from published networks",
                    upper=high,
                    validity={"sentence": VALIDITY},
                ),
                **asdict(done),
                "evidence": done.evidence,
            },
        )
