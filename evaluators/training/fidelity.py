"""The fidelity of an accuracy: data, resolution, epochs, images and seeds of the training behind it."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from evaluators.core.evaluator import Evaluator, always, check_range
from evaluators.core.measurement import Direction
from evaluators.datasets import data
from evaluators.datasets.hugging_face import check_name
from evaluators.datasets.split import SPLIT
from search_spaces.common.errors import Unavailable, UsageError
from search_spaces.common.texts import is_folder

USUAL_RATE = 0.0007  # peak learning rate, if none is chosen


@dataclass(frozen=True, kw_only=True)
class Fidelity(Evaluator):
    """The options of every evaluator based on training. Accuracies of different fidelities are not comparable."""

    unit: ClassVar[str] = "%"
    direction: ClassVar[Direction] = "maximize"
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    imports: ClassVar[tuple[str, ...]] = ("torch", "search_spaces.nextvit.network")
    patience: ClassVar[float] = 86_400.0

    data: str = always("digits")
    resolution: int = 64
    epochs: int = always(9)
    images: int = 0  # to train on; 0 means all
    seeds: int = 1
    rate: float = 0.0  # peak learning rate, the same for all networks; 0: not chosen, which means 0.002

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 512)
        check_range("epochs", self.epochs, 1, 10_000)
        check_range("images", self.images, 0, 100_000_000)
        check_range("seeds", self.seeds, 1, 100)
        if not 0 <= self.rate <= 1:
            raise UsageError(f"rate expects a number from 0 to 1, got {self.rate:g}", f"for example rate={USUAL_RATE}")
        if "," in self.data or "@" in self.data:
            raise UsageError(f"'{self.data}': the data's name may not contain ',' or '@'", "rename the folder")
        if self.data.startswith(data.HUGGING_FACE):
            check_name(self.data.removeprefix(data.HUGGING_FACE))
        elif self.data not in data.BUILT_IN and is_folder(self.data):
            object.__setattr__(self, "data", str(Path(self.data).resolve()))

    def missing(self) -> Unavailable | None:
        """Why there is no such data; None if there is."""
        return data.missing(self.data)

    @property
    def fidelity(self) -> str:
        """The fidelity in a few words, for people."""
        name = Path(self.data).name if is_folder(self.data) else self.data
        count = f"{self.images} images" if self.images else "all images"
        seeds = f"{self.seeds} seed{'s' if self.seeds > 1 else ''}"
        return f"{name}, {count}, {self.resolution} px, {self.epochs} epochs, {seeds}"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest possible value, in percent: a skill below chance is negative."""
        return (-100.0, 100.0) if self.data == "synthetic" else (0.0, 100.0)

    @property
    def training(self) -> str:
        """The spec of the evaluator that trains at this fidelity."""
        return "train:" + ",".join(f"{name}={getattr(self, name)}" for name in _names())

    @property
    def trains(self) -> bool:
        """Whether it trains the networks itself: then the best of a run can be trained longer."""
        return self.kind == "trained"

    def protocol(self) -> dict[str, Any]:
        """Every setting that changes its numbers; the data by its content, not by its path."""
        settings = asdict(self)
        return {
            "evaluator": self.name(),
            "revision": self.revision,
            **settings,
            "data": self.data,
            "data identity": data.identity(self.data) if not self.missing() else "",
            **({} if self.data in data.BUILT_IN else {"split": SPLIT}),
        }


def _names() -> list[str]:
    return [option.name for option in fields(Fidelity)]
