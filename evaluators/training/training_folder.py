"""The folder of a full training: its plan, log, checkpoint, weights and result.

training.json                  architecture, data, recipe and versions; at the end also the result
log.csv                        a row for each epoch
checkpoints/last.safetensors   the state from which the training resumes
best.safetensors               the weights of the best epoch, by the names of the network's parameters
final.safetensors              the weights of the last epoch, to which the result belongs
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
    """The files of one training."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """The path of the checkpoint."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def best(self) -> Path:
        """The path of the weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def final(self) -> Path:
        """The path of the weights of the last epoch."""
        return self.path / "final.safetensors"

    @property
    def holds_training(self) -> bool:
        """Whether a training was started in this folder."""
        return (self.path / "training.json").is_file()

    def plan(self) -> dict[str, Any]:
        """The plan of the training, as `begin` wrote it, and its result if it has ended.

        Raises:
            UsageError: the folder holds no training.
            NegativeAnswer: the plan is damaged.
        """
        file = self.path / "training.json"
        if not self.holds_training:
            raise UsageError(f"'{self.path}' holds no training to resume", "start a new one, or name its folder")
        try:
            plan: dict[str, Any] = json.loads(file.read_text())
            assert plan["schema"] == SCHEMA
        except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
            reason = str(error) or f"expected the schema {SCHEMA}"
            raise NegativeAnswer(f"'{file}' cannot be read: {reason}", "start a new training run") from None
        return plan

    def refuse_if_taken(self) -> None:
        """Checks that a new training may start in this folder.

        Raises:
            UsageError: the folder is not empty.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            resume = "resume the training run in that folder, or " if self.holds_training else ""
            raise UsageError(f"'{self.path}' exists and is not empty", f"{resume}choose another folder")

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Creates the folder and writes the plan.

        Raises:
            NegativeAnswer: it cannot be written there.
        """
        self._write("training.json", json.dumps({"schema": SCHEMA, **plan, "result": None}, indent=2))

    def check(self, plan: Mapping[str, Any]) -> None:
        """Checks that a resumed training has the network, data and recipe that it started with.

        Raises:
            UsageError: they differ; the message says in what.
        """
        stored = self.plan()
        for name in ("architecture", "data", "weights"):
            if stored[name] != plan[name]:
                raise UsageError(f"'{self.path}' holds a training with another {name}", "choose another folder")
        before, now = stored["recipe"], plan["recipe"]
        names = [name for name in now if name not in FREE and before.get(name) != now[name]]
        if changed := [f"{name} is {before.get(name)}, not {now[name]}" for name in names]:
            raise UsageError(
                f"'{self.path}' holds a training with another recipe: {', '.join(changed)}",
                "resume it without these settings, or choose another folder",
            )

    def finish(self, result: Mapping[str, Any]) -> None:
        """Adds the result to the plan.

        Raises:
            NegativeAnswer: it cannot be written.
        """
        self._write("training.json", json.dumps({**self.plan(), "result": result}, indent=2))

    def log(self, curve: Sequence[Mapping[str, float]]) -> None:
        """Writes the log: a row for each epoch of the checkpoint.

        Raises:
            NegativeAnswer: it cannot be written.
        """
        rows = [",".join(f"{row[name]:g}" for name in COLUMNS) for row in curve]
        self._write("log.csv", "\n".join([",".join(COLUMNS), *rows]) + "\n")

    def _write(self, name: str, text: str) -> None:
        files.replace(self.path / name, text, sole_writer=True)
