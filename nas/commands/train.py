"""The command `nas train`: a full training of one network, into a folder; its accuracy goes into the database."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.status import Status

from evaluators import Measurement
from evaluators.core.locks import Taken, alone, exclusive
from evaluators.core.measurement import digest
from evaluators.targets import gpu
from evaluators.training.full_training import train_fully
from evaluators.training.plan import Listener, Plan, data_label
from evaluators.training.processes import is_first, leave
from evaluators.training.recipe import PLAIN, FullRecipe
from evaluators.training.training_folder import TrainingFolder
from nas import __version__, console, signals
from nas.exit_codes import INTERRUPTED
from nas.progress import FIRST, LEAST, SHARE, duration, moving_line
from nas.search.accuracy import check_data
from results.store.database import schema
from results.store.database_errors import explained
from results.store.database_url import sqlite_path
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common import networks
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer, failure

TENSORBOARD = "tensorboard"


def start(
    target: str,
    data: str,
    output: Path | None,
    *,
    given: Mapping[str, Any],
    plain: bool,
    weights: str | None,
    resume: bool,
    store_url: str,
    as_json: bool,
) -> int:
    """Trains one network, or resumes its training. Returns the exit code."""
    architecture = networks.ours(networks.find(target))
    folder = output or folder_of(store_url) / "trained" / f"{architecture.id}-{data_label(data).replace('/', '-')}"
    plan = Plan(architecture=architecture, data=data, recipe=FullRecipe.of(given, plain=plain), weights=weights or "")
    if resume:
        plan = resumed(plan, folder, given, plain=plain)
    check_data(data, console.say if is_first() else lambda message: None)
    resume_command = console.command("train", target, "--data", data, "-o", str(folder), "--resume")
    announce(plan, folder, resume_command)
    with interruptible(resume_command) as interruption:
        measurement = trained(plan, folder, interruption, resume=resume, store_url=store_url)
        if is_first():
            _finish(architecture, folder, measurement, as_json)
    return interruption.code


def folder_of(store_url: str) -> Path:
    """The folder of the database, in which all other results are written by default."""
    path = sqlite_path(store_url)
    return path.parent if path else Path("runs")


def resumed(plan: Plan, folder: Path, given: Mapping[str, Any], *, plain: bool) -> Plan:
    """The plan stored in a folder, changed by the given settings; `train_fully` refuses changes of the result."""
    stored = TrainingFolder(folder).plan()
    try:
        recipe = FullRecipe.of({**stored["recipe"], **(PLAIN if plain else {}), **given})
    except (KeyError, TypeError) as error:
        raise NegativeAnswer(
            f"'{folder}' was written by another version of nas: {error}", "train again, in another folder: -o"
        ) from None
    return replace(plan, recipe=recipe, weights=plan.weights or stored["weights"])


def announce(plan: Plan, folder: Path, resume_command: str) -> None:
    """Prints what is trained, how and where, before the training begins."""
    if not is_first():
        return
    recipe = plan.recipe
    console.say(f"nas {__version__}, training {plan.architecture}  {plan.architecture.id}")
    console.say(f"  data         {data_label(plan.data)}, {recipe.resolution} px")
    console.say(
        f"  recipe       {recipe.epochs} epochs of batches of {recipe.batch_size}, AdamW, peak learning rate "
        f"{recipe.highest_rate:.3g}, weight decay {recipe.weight_decay:g}, augmentation {recipe.augment}"
    )
    console.say(f"  folder       {folder}")
    if not _has_tensorboard():
        console.say(
            "  TensorBoard  is not installed; log.csv has the same curves (pip install 'nas-nextvit[tensorboard]')"
        )
    console.say(f"  Ctrl-C is safe; to resume after the last epoch: {resume_command}")


class Interruption:
    """Whether Ctrl-C, a cluster (SIGTERM) or a closed terminal has asked the program to end, and its exit code."""

    def __init__(self) -> None:
        self.code = 0
        signals.listen(self._interrupt)

    def _interrupt(self, number: int, frame: object) -> None:
        self.code = INTERRUPTED
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raises again: Python loses an exception that is raised while it cleans up after data loaders."""
        if self.code:
            raise KeyboardInterrupt


@contextmanager
def interruptible(resume_command: str) -> Iterator[Interruption]:
    """Ends cleanly on an interruption or a failure of the machine, and prints how to resume."""
    interruption = Interruption()
    try:
        yield interruption
    except KeyboardInterrupt:
        if is_first():
            console.say(f"interrupted; every finished epoch is stored. Resume with:\n  {resume_command}")
    except (InfrastructureFailed, OSError) as error:  # a device, a disk or a lock, not the network
        cause = failure(error)
        raise type(cause)(cause.message, f"{cause.hint}\n  resume with: {resume_command}".lstrip()) from error
    finally:
        leave()


def trained(plan: Plan, folder: Path, interruption: Interruption, *, resume: bool, store_url: str) -> Measurement:
    """Trains a network with its device and its folder locked, and stores the accuracy.

    Raises:
        NegativeAnswer: another process trains in this folder; or as `train_fully`.
        StoreError: the database cannot be written; raised before the training.
    """
    if not is_first():
        return train_fully(plan, folder, resume=resume)
    with ExitStack() as stack:
        _hold(stack, folder)
        status = stack.enter_context(moving_line("starting"))
        listener = _Progress(plan, folder, interruption, status, store_url)
        measurement = train_fully(plan, folder, resume=resume, listener=listener)
    _remember(store_url, plan.architecture, measurement)
    return measurement


def check_writable(store_url: str) -> None:
    """Refuses a database that cannot be written; a missing one is created.

    Raises:
        StoreError: it cannot be written.
    """
    store = Store(store_url, writable=True)
    try:
        with explained(store_url), store.engine.connect() as connection:
            connection.execute(schema.update().values(version=schema.c.version))
            connection.rollback()
    finally:
        store.close()


def _hold(stack: ExitStack, folder: Path) -> None:
    try:
        stack.enter_context(alone(f"training-{digest(str(folder.resolve()))}"))
    except Taken as taken:
        raise NegativeAnswer(
            f"another process trains in '{folder}': {taken.holder}", "wait for it, or name another with -o"
        ) from None
    stack.enter_context(exclusive(_physical(), console.say))


def _physical() -> str:
    import torch

    return gpu.physical() if torch.cuda.is_available() else "machine"


def _remember(store_url: str, architecture: Architecture, measurement: Measurement) -> None:
    """Stores the accuracy, and adds it as a column to every run that holds the network."""
    store = Store(store_url, writable=True)
    try:
        if not store.recall(architecture, measurement.context):
            store.remember(architecture, measurement)
        runs = [
            name
            for name in store.names()
            if any(trial.architecture.id == architecture.id for trial in store.run(name).trials)
        ]
        for name in runs:
            store.add_column(name, measurement.metric.name, measurement.context)
    finally:
        store.close()
    hint = (
        f": {console.command('show', runs[-1])} and its dashboard show it as {measurement.metric.name}" if runs else ""
    )
    console.say(f"stored in {store_url}{hint}")


def _finish(architecture: Architecture, folder: Path, measurement: Measurement, as_json: bool) -> None:
    assert measurement.best_epoch, "every full training has one"
    (epoch, top1), hours = measurement.best_epoch, measurement.seconds / 3600
    time_taken = f"{hours:.1f} h" if hours >= 1 else f"{measurement.seconds:.0f} s"
    console.say(f"reached {measurement} after the last epoch; best {top1:.4g} % in epoch {epoch}; {time_taken}")
    for warning in measurement.warnings:
        console.say(f"warning: {warning}")
    files = TrainingFolder(folder)
    console.say(f"weights: {files.final} of the last epoch, {files.best} of the best one")
    if as_json:
        document = {"architecture": architecture.to_dict(), "id": architecture.id, "folder": str(folder)}
        console.write_json({**document, "measurement": measurement.to_dict()})


class _Progress(Listener):
    """Reports a training as a progress line, or as plain lines now and then; and to TensorBoard if it is installed."""

    def __init__(
        self, plan: Plan, folder: Path, interruption: Interruption, status: Status | None, store_url: str
    ) -> None:
        self.recipe, self.folder, self.store_url = plan.recipe, folder, store_url
        self.interruption, self.status = interruption, status
        self.tensorboard: Any = None
        self.started, self.first_epoch, self.last = time.perf_counter(), 0, ""
        self.due = self.started + FIRST  # of the next plain line

    def begin(self) -> None:
        """Checks, before any training, that the result can be stored."""
        check_writable(self.store_url)

    def say(self, message: str) -> None:
        """Prints a message."""
        console.say(f"  {message}")

    def step(self, epoch: int, done: int, steps: int) -> None:
        """Reports the position in the epoch, and the time left."""
        self.interruption.check()
        self.first_epoch = self.first_epoch or epoch
        now = time.perf_counter()
        if self.status:
            self.status.update(self._line(epoch, done, steps, now - self.started))
        elif now >= self.due:
            self._print(now, f"  {self._line(epoch, done, steps, now - self.started)}")

    def _line(self, epoch: int, done: int, steps: int, seconds: float) -> str:
        batches = (epoch - self.first_epoch) * steps + done
        left = seconds / batches * (self.recipe.epochs * steps - (epoch - 1) * steps - done)
        speed = batches * self.recipe.batch_size / seconds
        return (
            f"epoch {epoch}/{self.recipe.epochs}  batch {done}/{steps}  {speed:.0f} images/s, "
            f"about {duration(left)} left{self.last}"
        )

    def _print(self, now: float, line: str) -> None:
        self.due = now + max(LEAST, SHARE * (now - self.started))
        console.say(line)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Reports the result of an epoch."""
        self.last = f"; top-1 {row['top1']:.2f} %, loss {row['train_loss']:.3f}"
        if not self.status:
            line = f"epoch {row['epoch']:.0f}/{self.recipe.epochs}  {row['seconds']:.1f} s{self.last}"
            self._print(time.perf_counter(), line)
        if _has_tensorboard():
            self._log(row)

    def _log(self, row: Mapping[str, float]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        if self.tensorboard is None:
            self.tensorboard = SummaryWriter(self.folder / TENSORBOARD, purge_step=int(row["epoch"]))
        for name, value in row.items():
            if name != "epoch":
                self.tensorboard.add_scalar(name, value, int(row["epoch"]))
        self.tensorboard.flush()


def _has_tensorboard() -> bool:
    from importlib.util import find_spec

    return find_spec(TENSORBOARD) is not None
