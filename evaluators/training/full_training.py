"""A full training: the real accuracy of one network, by the official recipe or another, on one device or on many.

It stands in a folder (`training_folder.py`), from which it goes on after whatever ended it: at most the running epoch
is lost, and on a CPU what it reaches is what an uninterrupted one would have reached, bit for bit.
"""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.core.measurement import Measurement, Metric
from evaluators.training.loop import within_memory
from evaluators.training.processes import join
from evaluators.training.recipe import FullRecipe
from evaluators.training.training_folder import TrainingFolder
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from evaluators.datasets.sources import Source

REVISION = 2  # raised when the same recipe begins to give other numbers
MOST_AT_ONCE = 256  # images on a device: as on each of the eight of the official training


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be trained: the network, on which data, how, and from which weights (none: from the start)."""

    architecture: Architecture
    data: str
    recipe: FullRecipe
    weights: str = ""

    @property
    def metric(self) -> Metric:
        """Accuracy, named by its fidelity; what is reached on the procedural set is a skill."""
        recipe, name = self.recipe, told(self.data)
        seed = f",seed={recipe.seed}" if recipe.seed else ""
        return Metric(
            name=f"full:data={name},resolution={recipe.resolution},epochs={recipe.epochs}{seed}",
            unit="% synthetic skill" if self.data == "synthetic" else "%",
            direction="maximize",
            kind="trained",
        )

    def protocol(self, identity: str) -> dict[str, Any]:
        """Every setting that changes the number, for any network."""
        recipe = self.recipe.protocol()
        return {"evaluator": "full", "revision": REVISION, **recipe, "weights": self.weights, "data identity": identity}

    def described(self, source: "Source") -> dict[str, Any]:
        """Plain data for `training.json`."""
        return {
            "architecture": json.loads(self.architecture.canonical_json()),
            "notation": str(self.architecture),
            "data": {"name": told(self.data), "identity": source.identity, "classes": source.classes},
            "recipe": asdict(self.recipe),
            "weights": self.weights,
            "versions": versions(),
        }


class Listener:
    """Who hears how a training goes on; this one does nothing with it."""

    def say(self, words: str) -> None:
        """Something to be known."""

    def begin(self) -> None:
        """Everything is there and fits together; what is raised now stops it before anything is written."""

    def step(self, epoch: int, done: int, steps: int) -> None:
        """A batch of the epoch is done."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch is done: a row of the log."""


def train_fully(plan: Plan, path: Path, *, resume: bool = False, listener: Listener | None = None) -> Measurement:
    """Trains a network to the end of its schedule, and says what it reached on the validation images.

    Raises:
        Unavailable: no such data, or too few devices.
        UsageError: the folder is taken, or holds another training.
        NegativeAnswer: too many images cannot be read, or the folder cannot be written.
        MeasurementFailed: the loss is not finite any more, or the device has no memory for two images.
    """
    from evaluators.datasets.sources import opened
    from evaluators.training.loaders import Loaders
    from evaluators.training.training_run import Sitting

    listener, folder, processes = listener or Listener(), TrainingFolder(path), join()
    if processes.first and not resume:
        folder.refuse_if_taken()
    source = opened(plan.data, plan.recipe.resolution, say=listener.say)
    if resume:
        folder.check(plan.described(source))
        if done := folder.plan()["result"]:
            return Measurement.from_dict(done)
    loaders = Loaders(source, plan.recipe, processes)
    listener.say(
        f"{len(source.train)} images of {source.classes} classes to train on, {len(source.valid)} to validate on; "
        f"{processes.count} x {processes.device.partition(':')[0]}"
    )
    for remark in source.remarks:
        listener.say(remark)

    def attempt(microbatch: int) -> Measurement:
        return Sitting(plan, folder, loaders, processes, microbatch, listener).run()

    at_once = min(plan.recipe.batch_size // processes.count, MOST_AT_ONCE)
    if processes.count == 1:
        return within_memory(attempt, at_once)
    import torch

    try:  # in parts, one process would need fewer of them than another, and wait for it for ever
        return attempt(at_once)
    except torch.OutOfMemoryError:
        words = f"{at_once} images do not fit into the memory of {processes.device}"
        raise MeasurementFailed(words, "lower --batch-size, or start more processes") from None


def told(data: str) -> str:
    """The name of a data set, for people: of a folder, its last part."""
    return Path(data).resolve().name if is_folder(data) else data


def versions() -> dict[str, str]:
    """Versions of the packages that change what is reached."""
    return {package: importlib.metadata.version(package) for package in ("torch", "timm")}
