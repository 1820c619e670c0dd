"""The command `nas train`: the real accuracy of one network, into a folder and into the database."""

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
from nas import __version__, console, interruption
from nas.commands.measure import find_architecture
from nas.progress import FIRST, LEAST, SHARE, duration, moving_line
from nas.search.accuracy import check_data
from results.store.database import schema, sqlite_path
from results.store.database_errors import explained
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer, failure

INTERRUPTED = 130
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
    """Trains one network, or goes on with it. Returns the exit code."""
    architecture = find_architecture(target)
    folder = output or beside(store_url) / "trained" / f"{architecture.id}-{data_label(data).replace('/', '-')}"
    plan = Plan(architecture=architecture, data=data, recipe=FullRecipe.of(given, plain=plain), weights=weights or "")
    if resume:
        plan = as_begun(plan, folder, given, plain=plain)
    check_data(data, console.say if is_first() else lambda words: None)
    way_on = console.command("train", target, "--data", data, "-o", str(folder), "--resume")
    announce(plan, folder, way_on)
    with interruptible(way_on) as ending:
        found = trained(plan, folder, ending, resume=resume, store_url=store_url)
        if is_first():
            _finish(architecture, folder, found, as_json)
    return ending.code


def beside(store_url: str) -> Path:
    """The folder of the database, where everything else is put as well."""
    path = sqlite_path(store_url)
    return path.parent if path else Path("runs")


def as_begun(plan: Plan, folder: Path, given: Mapping[str, Any], *, plain: bool) -> Plan:
    """The plan that a folder was begun with, and what was given beside it, which may differ in nothing that matters."""
    stored = TrainingFolder(folder).plan()
    try:
        recipe = FullRecipe.of({**stored["recipe"], **(PLAIN if plain else {}), **given})
    except (KeyError, TypeError) as error:
        raise NegativeAnswer(f"'{folder}' was begun by another version of nas: {error}", "start anew") from None
    return replace(plan, recipe=recipe, weights=plan.weights or stored["weights"])


def announce(plan: Plan, folder: Path, way_on: str) -> None:
    """What is trained, how and where, before it begins."""
    if not is_first():
        return
    recipe = plan.recipe
    console.say(f"nas {__version__}, training {plan.architecture}  {plan.architecture.id}")
    console.say(f"  data         {data_label(plan.data)}, {recipe.resolution} px")
    console.say(
        f"  recipe       {recipe.epochs} epochs of batches of {recipe.batch_size}, AdamW, learning rate up to "
        f"{recipe.highest_rate:.3g}, weight decay {recipe.weight_decay:g}, augmentation {recipe.augment}"
    )
    console.say(f"  folder       {folder}")
    if not _board_is_there():
        console.say("  TensorBoard  is not installed: log.csv has the same (pip install 'nas-nextvit[tensorboard]')")
    console.say(f"  Ctrl-C is safe: {way_on} goes on from the last epoch")


class Ending:
    """Whether a person (Ctrl-C), a cluster (SIGTERM) or a closed terminal wants the program to end; its exit code."""

    def __init__(self) -> None:
        self.code = 0
        interruption.listen(self._asked)

    def _asked(self, number: int, frame: object) -> None:
        self.code = INTERRUPTED
        raise KeyboardInterrupt

    def check(self) -> None:
        """Ends now what should have ended: Python loses an exception that meets it while it tidies up after loaders."""
        if self.code:
            raise KeyboardInterrupt


@contextmanager
def interruptible(way_on: str) -> Iterator[Ending]:
    """Ends well when it is told to end or the machine refuses something, and says how to go on."""
    ending = Ending()
    try:
        yield ending
    except KeyboardInterrupt:
        if is_first():
            console.say(f"interrupted; every finished epoch is kept. Go on with:\n  {way_on}")
    except (InfrastructureFailed, OSError) as error:  # no network's own failure: a device, a disk, a lock
        found = failure(error)
        raise type(found)(found.message, f"{found.hint}\n  go on with: {way_on}".lstrip()) from error
    finally:
        leave()


def trained(plan: Plan, folder: Path, ending: Ending, *, resume: bool, store_url: str) -> Measurement:
    """Trains a network while nobody else uses its device or its folder, and remembers what it reached.

    Raises:
        NegativeAnswer: another process trains in this folder; or as `train_fully`.
        StoreError: the database cannot be written: said before anything is trained.
    """
    if not is_first():
        return train_fully(plan, folder, resume=resume)
    with ExitStack() as stack:
        _hold(stack, folder)
        status = stack.enter_context(moving_line("starting"))
        listener = _Audience(plan, folder, ending, status, store_url)
        found = train_fully(plan, folder, resume=resume, listener=listener)
    _remember(store_url, plan.architecture, found)
    return found


def check_writable(store_url: str) -> None:
    """Refuses a database to which nothing can be written; one that is not there is made.

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


def _remember(store_url: str, architecture: Architecture, found: Measurement) -> None:
    """Keeps what was reached, and shows it in every run that holds the network."""
    store = Store(store_url, writable=True)
    try:
        if not store.recall(architecture, found.context):
            store.remember(architecture, found)
        runs = [
            name
            for name in store.names()
            if any(trial.architecture.id == architecture.id for trial in store.run(name).trials)
        ]
        for name in runs:
            store.add_column(name, found.metric.name, found.context)
    finally:
        store.close()
    shown = f": {console.command('show', runs[-1])} and its dashboard have it as {found.metric.name}" if runs else ""
    console.say(f"kept in {store_url}{shown}")


def _finish(architecture: Architecture, folder: Path, found: Measurement, as_json: bool) -> None:
    assert found.best_epoch, "every full training has one"
    (best, top1), hours = found.best_epoch, found.seconds / 3600
    took = f"{hours:.1f} h" if hours >= 1 else f"{found.seconds:.0f} s"
    console.say(f"reached {found} after the last epoch; best {top1:.4g} % in epoch {best}; {took}")
    for warning in found.warnings:
        console.say(f"warning: {warning}")
    files = TrainingFolder(folder)
    console.say(f"weights: {files.final} of the last epoch, {files.best} of the best")
    if as_json:
        document = {"architecture": architecture.to_dict(), "id": architecture.id, "folder": str(folder)}
        console.write_json({**document, "measurement": found.to_dict()})


class _Audience(Listener):
    """The person at the terminal: a line that moves, or plain lines now and then; and TensorBoard, where it is."""

    def __init__(self, plan: Plan, folder: Path, ending: Ending, status: Status | None, store_url: str) -> None:
        self.recipe, self.folder, self.ending, self.status, self.store_url = (
            plan.recipe,
            folder,
            ending,
            status,
            store_url,
        )
        self.board: Any = None
        self.began, self.first_epoch, self.last = time.perf_counter(), 0, ""
        self.due = self.began + FIRST  # of the next plain line

    def begin(self) -> None:
        """The last moment to find out that the result could not be kept."""
        check_writable(self.store_url)

    def say(self, words: str) -> None:
        """A line of talk."""
        console.say(f"  {words}")

    def step(self, epoch: int, done: int, steps: int) -> None:
        """Where the epoch stands, and how long the rest will take."""
        self.ending.check()
        self.first_epoch = self.first_epoch or epoch
        now = time.perf_counter()
        if self.status:
            self.status.update(self._line(epoch, done, steps, now - self.began))
        elif now >= self.due:
            self._plainly(now, f"  {self._line(epoch, done, steps, now - self.began)}")

    def _line(self, epoch: int, done: int, steps: int, seconds: float) -> str:
        made = (epoch - self.first_epoch) * steps + done
        left = seconds / made * (self.recipe.epochs * steps - (epoch - 1) * steps - done)
        speed = made * self.recipe.batch_size / seconds
        return (
            f"epoch {epoch}/{self.recipe.epochs}  batch {done}/{steps}  {speed:.0f} images/s, "
            f"about {duration(left)} left{self.last}"
        )

    def _plainly(self, now: float, words: str) -> None:
        self.due = now + max(LEAST, SHARE * (now - self.began))
        console.say(words)

    def epoch(self, row: Mapping[str, float]) -> None:
        """What an epoch reached."""
        self.last = f"; top-1 {row['top1']:.2f} %, loss {row['train_loss']:.3f}"
        if not self.status:
            words = f"epoch {row['epoch']:.0f}/{self.recipe.epochs}  {row['seconds']:.1f} s{self.last}"
            self._plainly(time.perf_counter(), words)
        if _board_is_there():
            self._draw(row)

    def _draw(self, row: Mapping[str, float]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        if self.board is None:
            self.board = SummaryWriter(self.folder / TENSORBOARD, purge_step=int(row["epoch"]))
        for name, value in row.items():
            if name != "epoch":
                self.board.add_scalar(name, value, int(row["epoch"]))
        self.board.flush()


def _board_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec(TENSORBOARD) is not None
