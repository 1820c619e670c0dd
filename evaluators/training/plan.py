"""What a full training is asked to do, and who hears how it goes."""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.core.measurement import Metric
from evaluators.training.recipe import FullRecipe
from search_spaces import Architecture
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from evaluators.datasets.sources import Source

REVISION = 2  # raised when the same recipe begins to give other numbers


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained: the network, on which data, by which recipe, and from which weights (empty: from scratch)."""

    architecture: Architecture
    data: str
    recipe: FullRecipe
    weights: str = ""

    @property
    def metric(self) -> Metric:
        """Accuracy, named by its fidelity; on the procedural set it is a skill instead."""
        recipe = self.recipe
        seed = f",seed={recipe.seed}" if recipe.seed else ""
        return Metric(
            name=f"full:data={data_label(self.data)},resolution={recipe.resolution},epochs={recipe.epochs}{seed}",
            unit="% synthetic skill" if self.data == "synthetic" else "%",
            direction="maximize",
            kind="trained",
        )

    def protocol(self, identity: str) -> dict[str, Any]:
        """Every setting that changes the number, for any network; `identity` is that of the data."""
        recipe = self.recipe.protocol()
        return {"evaluator": "full", "revision": REVISION, **recipe, "weights": self.weights, "data identity": identity}

    def described(self, source: "Source") -> dict[str, Any]:
        """Plain data for `training.json`."""
        return {
            "architecture": json.loads(self.architecture.canonical_json()),
            "notation": str(self.architecture),
            "data": {"name": data_label(self.data), "identity": source.identity, "classes": source.classes},
            "recipe": asdict(self.recipe),
            "weights": self.weights,
            "versions": versions(),
        }


class Listener:
    """Hears how a training goes. This one ignores everything: override what you want to hear."""

    def say(self, message: str) -> None:
        """A remark for people."""

    def begin(self) -> None:
        """Everything is ready. An exception raised here stops the training before anything is written."""

    def step(self, epoch: int, done: int, steps: int) -> None:
        """A batch of the epoch is done: number `done` of `steps`."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch is done; `row` is its row of the log."""


def data_label(data: str) -> str:
    """The name of a data set for people: of a folder, the last part of its path."""
    return Path(data).resolve().name if is_folder(data) else data


def versions() -> dict[str, str]:
    """Versions of the packages that change the result."""
    return {package: importlib.metadata.version(package) for package in ("torch", "timm")}
