"""Evaluates in separate processes, so that a crash or a hang costs one candidate and not the run.

Every latency has a fresh process; the next one starts early, so that nobody waits for its imports. Accuracies share one
process until it fails. Exact counts need none. The evaluator's location decides where a process runs: under another
interpreter or over SSH it is the same worker, and a lost connection is retried.

Several threads may measure at once: each process belongs to one of them, they take turns on a device, and never more of
them compute than there are cores.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Any, Self

from evaluators.core.evaluator import Evaluator, cores
from evaluators.core.locks import Say, speak
from evaluators.core.measurement import Measurement, differences
from evaluators.workers.connection import ConnectionLost, Worker
from evaluators.workers.cores import Cores
from evaluators.workers.lanes import LaneWorker, reached, started
from search_spaces import Network
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer, failure

TIMEOUT_SECONDS = 120.0
CONNECTION_ATTEMPTS = 3
MOST_WAITING = 64  # jobs in a lane at once: those who serve it do as many as they are
Waited = Callable[[float], object]  # receives seconds


def _ignored(seconds: float) -> None:
    """Where nobody asks for them."""


class Bench:
    """Evaluates candidates. Use it in a `with` statement: it owns processes.

    `timeout` limits one evaluation, in seconds. `others` is the number of other benches that work in parallel on the
    same device, which their creator holds for all of them. `say` receives messages about waiting. Where a `lane` is
    named, whoever serves it computes the scores and trains.
    """

    def __init__(self, timeout: float = TIMEOUT_SECONDS, others: int = 0, say: Say = speak, lane: str = "") -> None:
        self.timeout, self.others, self.say, self.lane = timeout, others, say, lane
        self.scorer: Worker | None = None
        self.spares: dict[str, Worker | LaneWorker] = {}  # by the evaluator's spec
        self.cores = Cores(cores())
        self.held: Counter[str] = Counter()  # by device: the seconds for which latencies had it
        self._working: set[Worker | LaneWorker] = set()
        self._scoring = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}  # by device

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for worker in (self.scorer, *self.spares.values()):
            if worker:
                worker.close()
        self.scorer, self.spares = None, {}

    def kill(self) -> None:
        """Ends every process that works, and with it the measurements of other threads."""
        for worker in tuple(self._working):
            worker.kill()

    def measure(self, evaluator: Evaluator, architecture: Network, waited: Waited = _ignored) -> Measurement:
        """The evaluator's measurement of an architecture, isolated as its family needs.

        `waited` receives the seconds for which it waited for other threads: for the device, and for a core.

        Raises:
            MeasurementFailed: this architecture could not be evaluated.
            InfrastructureFailed: a connection, process, disk or device failed, not the architecture.
            Unavailable: the evaluator cannot run at its location.
        """
        if not self.isolates(evaluator):
            try:
                return evaluator.measure(architecture)
            except Exception as error:  # it costs only this candidate, as in a separate process
                raise failure(error) from error
        evaluator.check(architecture)
        task = "join" if self.others else "measure"
        job = {"do": task, "architecture": architecture.to_dict()}
        answer = self._ask(evaluator, job, waited)
        try:
            measurement = Measurement.from_dict(answer["measurement"])
        except (KeyError, TypeError) as error:
            raise _garbled(evaluator, error) from None
        if self.sends(evaluator):
            measurement = evaluator.as_here(measurement)
        if measurement.context != evaluator.context():  # a driver was updated there, or another machine answers
            changed = differences(measurement, evaluator.device(), evaluator.versions(), evaluator.protocol())
            raise InfrastructureFailed(
                f"another device or version answered for {evaluator.spec}: {changed}",
                "its numbers are not comparable with earlier ones: restore the earlier versions, or start a new run",
            )
        return measurement

    def ratio(self, evaluator: Evaluator, first: Network, second: Network, seed: int) -> float:
        """The second network's latency divided by the first's, both alternating in one fresh process."""
        job = {"do": "compare", "architecture": first.to_dict(), "other": second.to_dict(), "seed": seed}
        answer = self._ask(evaluator, job)
        try:
            return float(answer["ratio"])
        except (KeyError, TypeError, ValueError) as error:
            raise _garbled(evaluator, error) from None

    def prepare(self, *evaluators: Evaluator) -> None:
        """Starts the processes of the next latencies, so that their imports run during other work."""
        for evaluator in evaluators:
            if evaluator.family() == "latency" and self.isolates(evaluator) and evaluator.spec not in self.spares:
                self.spares[evaluator.spec] = _started(evaluator)

    @staticmethod
    def isolates(evaluator: Evaluator) -> bool:
        """Whether an evaluator needs another process."""
        return evaluator.family() != "cost" and evaluator.metric.kind != "predicted"

    def sends(self, evaluator: Evaluator) -> bool:
        """Whether the lane evaluates it."""
        return bool(self.lane) and evaluator.family() == "accuracy" and self.isolates(evaluator)

    def at_once(self, evaluator: Evaluator) -> int:
        """How many networks may be evaluated in parallel."""
        return MOST_WAITING if self.sends(evaluator) else evaluator.at_once()

    def _ask(self, evaluator: Evaluator, job: dict[str, Any], waited: Waited = _ignored) -> dict[str, Any]:
        if reason := evaluator.missing():
            raise reason
        job = {**job, "evaluator": evaluator.local.spec}
        if evaluator.family() == "accuracy":
            return self._score(evaluator, job, waited)
        for attempt in range(1, CONNECTION_ATTEMPTS + 1):
            try:
                return self._latency(evaluator, job, waited)
            except ConnectionLost as error:
                if attempt == CONNECTION_ATTEMPTS:
                    raise ConnectionLost(f"{error.message} {attempt} times", error.hint) from None
                self.say(f"{error.message}: trying again, {attempt + 1} of {CONNECTION_ATTEMPTS}")
                time.sleep(attempt)
        raise AssertionError("the loop above returns or raises")

    def _latency(self, evaluator: Evaluator, job: dict[str, Any], waited: Waited) -> dict[str, Any]:
        worker, opening = self.spares.pop(evaluator.spec, None), 0.0
        beside, measuring = (
            (nullcontext,) * 2 if evaluator.location.is_elsewhere else (self.cores.beside, self.cores.measuring)
        )
        with ExitStack() as stack:
            with _counted(beside(), waited):
                worker = worker or _started(evaluator)
                stack.callback(worker.close)
                stack.enter_context(self._at_work(worker))
                if job["do"] == "measure":
                    worker.run({**job, "do": "open"}, self.timeout)
                    opening = worker.took
            with self._turn(evaluator, waited), _counted(measuring(), waited):
                try:
                    return worker.run(job, self.timeout, self.say, spent=opening)
                finally:
                    self.held[_device(evaluator)] += worker.took  # type: ignore[assignment]

    @contextmanager
    def _at_work(self, worker: Worker | LaneWorker) -> Iterator[None]:
        self._working.add(worker)
        try:
            yield
        finally:
            self._working.discard(worker)

    def _turn(self, evaluator: Evaluator, waited: Waited) -> AbstractContextManager[None]:
        """Waits here for other threads: at the device's lock their processes would report each other."""
        return _counted(self._turns.setdefault(_device(evaluator), threading.Lock()), waited)

    def _score(self, evaluator: Evaluator, job: dict[str, Any], waited: Waited) -> dict[str, Any]:
        seconds = max(self.timeout, evaluator.patience)
        if self.sends(evaluator):
            lane = reached(self.lane, alone=False)
            with self._at_work(lane):
                return lane.run({**job, "do": "measure", "evaluator": evaluator.portable.spec}, seconds, self.say)
        threads = max(1, cores() // (self.others + 1)) if self.others else 0
        with self._scoring, self._turn(evaluator, waited):
            scorer = self.scorer = self.scorer or Worker(prepare=evaluator.spec, threads=threads)
            try:
                with self._at_work(scorer):
                    return scorer.run(job, seconds, self.say)
            except NegativeAnswer:
                scorer.close()  # its state is no longer reliable
                self.scorer = None
                raise


@contextmanager
def _counted(waiting: AbstractContextManager[object], waited: Waited) -> Iterator[None]:
    """Enters, and says how long that took."""
    start = time.monotonic()
    with waiting:
        waited(time.monotonic() - start)
        yield


def _device(evaluator: Evaluator) -> str:
    """The name of the device for which measurements of one bench wait here."""
    place = evaluator.location
    return f"{evaluator.physical()} on {place if place.is_elsewhere else 'this machine'}"


def _started(evaluator: Evaluator) -> Worker | LaneWorker:
    return started(evaluator.location, evaluator.local.spec)


def _garbled(evaluator: Evaluator, error: Exception) -> InfrastructureFailed:
    return InfrastructureFailed(
        f"the worker of {evaluator.spec} did not answer with a measurement", f"{type(error).__name__}: {error}"
    )
