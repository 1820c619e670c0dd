"""The folder of a full training: what it trains, its log, its checkpoint, its weights, and what it reached.

training.json                  architecture, data, recipe, versions; when it has ended, what it reached
log.csv                        a row for each epoch
checkpoints/last.safetensors   where it stands, to go on from there
best.safetensors               the weights of the best epoch, by the names of the network's parameters
final.safetensors              those of the last epoch, which reached what is reported
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.training.recipe import FREE
from search_spaces.common import files
from search_spaces.common.errors import NegativeAnswer, UsageError

SCHEMA = "nas.training/1"
COLUMNS = ("epoch", "learning_rate", "train_loss", "validation_loss", "top1", "top5", "seconds")


@dataclass(frozen=True)
class TrainingFolder:
    """The files of one training, by name."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """Where the training stands."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def final(self) -> Path:
        """The weights of the last epoch."""
        return self.path / "final.safetensors"

    @property
    def holds_training(self) -> bool:
        """Whether a training was begun here."""
        return (self.path / "training.json").is_file()

    def plan(self) -> dict[str, Any]:
        """What is trained here, as `begin` wrote it.

        Raises:
            UsageError: no training lies here.
            NegativeAnswer: its description is damaged.
        """
        file = self.path / "training.json"
        if not self.holds_training:
            raise UsageError(f"'{self.path}' holds no training to resume", "start a new one, or name its folder")
        try:
            found: dict[str, Any] = json.loads(file.read_text())
            assert found["schema"] == SCHEMA
        except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
            what = str(error) or f"expected the schema {SCHEMA}"
            raise NegativeAnswer(f"'{file}' cannot be read: {what}", "start a new training run") from None
        return found

    def refuse_if_taken(self) -> None:
        """Refuses a folder in which something lies.

        Raises:
            UsageError: something lies there already.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            resume = "resume the training run in that folder, or " if self.holds_training else ""
            raise UsageError(f"'{self.path}' exists and is not empty", f"{resume}choose another folder")

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Makes the folder and writes down what is trained.

        Raises:
            NegativeAnswer: it cannot be written there.
        """
        self._write("training.json", json.dumps({"schema": SCHEMA, **plan, "result": None}, indent=2))

    def check(self, plan: Mapping[str, Any]) -> None:
        """Refuses to go on with another network, other data or another recipe than those that it began with.

        Raises:
            UsageError: they differ; says in what.
        """
        stored = self.plan()
        for name in ("architecture", "data", "weights"):
            if stored[name] != plan[name]:
                raise UsageError(f"'{self.path}' holds a training with another {name}", "choose another folder")
        then, now = stored["recipe"], plan["recipe"]
        names = [name for name in now if name not in FREE and then.get(name) != now[name]]
        if changed := [f"{name} is {then.get(name)}, not {now[name]}" for name in names]:
            raise UsageError(
                f"'{self.path}' holds a training with another recipe: {', '.join(changed)}",
                "resume it without these settings, or choose another folder",
            )

    def finish(self, result: Mapping[str, Any]) -> None:
        """Writes down what was reached.

        Raises:
            NegativeAnswer: it cannot be written.
        """
        self._write("training.json", json.dumps({**self.plan(), "result": result}, indent=2))

    def log(self, curve: Sequence[Mapping[str, float]]) -> None:
        """Writes a row for each epoch: those alone that a checkpoint holds.

        Raises:
            NegativeAnswer: it cannot be written.
        """
        rows = [",".join(f"{row[name]:g}" for name in COLUMNS) for row in curve]
        self._write("log.csv", "\n".join([",".join(COLUMNS), *rows]) + "\n")

    def _write(self, name: str, text: str) -> None:
        files.replace(self.path / name, text, sole_writer=True)
