"""The fidelity of an accuracy: data, resolution, epochs, images and seeds of the training behind it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evaluators.core.evaluator import Evaluator, always, check_range, cores
from evaluators.core.measurement import Direction, Kind, Measurement, Reading, SharedDetails
from evaluators.datasets import data
from evaluators.datasets.hugging_face import check_name
from evaluators.datasets.split import SPLIT
from evaluators.statistics.intervals import normal, spread_error
from evaluators.targets import gpu
from search_spaces.common.errors import Unavailable, UsageError
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from evaluators.training.short_training import Fit

USUAL_RATE = 0.0007
MEMORY = 16 << 10  # MiB of GPU memory for each network in training
MOST = 8  # networks in parallel


@dataclass(frozen=True, kw_only=True)
class Fidelity(Evaluator):
    """The options of every evaluator based on training. Accuracies of different fidelities are not comparable."""

    unit: ClassVar[str] = "%"
    direction: ClassVar[Direction] = "maximize"
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    imports: ClassVar[tuple[str, ...]] = ("torch", "search_spaces.nextvit.network")
    patience: ClassVar[float] = 86_400.0
    usual_rate: ClassVar[float] = USUAL_RATE  # peak learning rate, if none is chosen

    data: str = always("digits")
    resolution: int = 64
    epochs: int = always(9)
    images: int = 0  # to train on; 0 means all
    seeds: int = 1
    rate: float = 0.0  # peak learning rate, the same for all networks; 0: not chosen, which means the usual one

    def __post_init__(self) -> None:
        check_range("resolution", self.resolution, 32, 512)
        check_range("epochs", self.epochs, 1, 10_000)
        check_range("images", self.images, 0, 100_000_000)
        check_range("seeds", self.seeds, 1, 100)
        if not 0 <= self.rate <= 1:
            raise UsageError(
                f"rate expects a number from 0 to 1, got {self.rate:g}", f"for example rate={self.usual_rate}"
            )
        if "," in self.data or "@" in self.data:
            raise UsageError(f"'{self.data}': the data's name may not contain ',' or '@'", "rename the folder")
        if self.data.startswith(data.HUGGING_FACE):
            check_name(self.data.removeprefix(data.HUGGING_FACE))
        elif not data.is_built_in(self.data) and is_folder(self.data):
            object.__setattr__(self, "data", str(Path(self.data).resolve()))

    @property
    def portable(self) -> Evaluator:
        """With the identity of its data for a name: another machine has them in another folder."""
        return self if data.is_built_in(self.data) else replace(self, data=data.identity(self.data))

    def as_here(self, measurement: Measurement) -> Measurement:
        """With the data's name here. Their content is part of the protocol, and stays."""
        return replace(
            measurement,
            metric=self.metric,
            protocol=measurement.protocol | {"data": self.data},
            details=measurement.details | {"fidelity": self.fidelity},
        )

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
        name = self.name() if self.trains else "train"
        return f"{name}:" + ",".join(f"{name}={getattr(self, name)}" for name in _names())

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
            **({} if data.is_built_in(self.data) else {"split": SPLIT}),
        }


@dataclass(frozen=True, kw_only=True)
class Trained(Fidelity):
    """What a network reaches by a training of this fidelity, several of them in parallel."""

    kind: ClassVar[Kind] = "trained"

    def physical(self) -> str:
        """The GPU, if there is one, because latencies are measured on it, too."""
        return gpu.physical() if trains_on() == "cuda" else super().physical()

    def at_once(self) -> int:
        """One network per core, as far as the memory of a GPU allows."""
        room = gpu.memory() // MEMORY if trains_on() == "cuda" else MOST
        return max(1, min(cores(), room, MOST))

    def reached(
        self, values: Sequence[float], sampling: float, fits: "Sequence[Fit]", skill: float, **details: Any
    ) -> Reading:
        """The reading of trainings with different seeds, from their values in percent and how each of them went.

        The interval covers the sample of validation images, whose standard error is `sampling`, and the spread of the
        seeds, if there are several. `skill` is the mean of the trainings.
        """
        from evaluators.training.loop import multiplies_in_half

        mean = sum(values) / len(values)
        half = normal() * hypot(sampling, spread_error(values))
        return Reading(
            value=round(mean, 4),
            low=max(round(mean - half, 4), self.bounds[0]),
            high=min(round(mean + half, 4), self.bounds[1]),
            samples=self.seeds,
            quality="trained",
            warnings=tuple(dict.fromkeys(note for fit in fits for note in fit.notes)),
            details={
                **SharedDetails(fidelity=self.fidelity, skill=round(skill, 5)),
                "by_seed": [round(value, 4) for value in values],
                "curves": [fit.curve for fit in fits],
                "samples": fits[0].samples,
                "seconds": [fit.seconds for fit in fits],
                "device": trains_on(),
                "precision": "bfloat16" if trains_on() == "cuda" or multiplies_in_half() else "float32",
                **details,
            },
        )


def trains_on() -> str:
    """The device of short trainings, by its name in torch."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _names() -> list[str]:
    return [option.name for option in fields(Fidelity)]
