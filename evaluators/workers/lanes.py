"""Jobs that somebody else does: a lane of a queue stands for one device, whoever asks and whoever serves it.

Scores and trainings need no device for themselves: as many of a lane are done at once as workers serve it.

The jobs and answers are those of a worker process (`jobs.py`). The program provides the queue: this package
knows no database.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from evaluators.core.locations import HERE, Location
from evaluators.core.locks import SAY_SECONDS, Say, speak
from evaluators.core.measurement import digest
from evaluators.core.source_digest import code
from evaluators.workers.connection import Worker, succeeded
from search_spaces.common.errors import InfrastructureFailed, Unavailable

POLL_SECONDS = 1.0
NEEDED = "lanes are those of a team's database: add --store postgresql://HOST/NAME"


@dataclass(frozen=True, kw_only=True)
class LaneState:
    """How a lane is doing: who serves it at present, and how many jobs wait or are being done."""

    workers: tuple[str, ...]  # for people
    waiting: int
    doing: int
    command: str  # that would serve it


class Queue(Protocol):
    """Where jobs wait. A job has a key: the same one is not put twice, and has one answer."""

    def put(self, lane: str, key: str, job: dict[str, Any], seconds: float, *, alone: bool = True) -> None:
        """Adds a job, unless it waits already or has an answer. Doing it may take so many seconds.

        Of those that are to be done `alone`, one of a lane is done at a time; others as many as workers serve it.
        """

    def answer(self, key: str, seconds: float) -> dict[str, Any] | None:
        """The answer to a job; None where there is none within so many seconds."""

    def forget(self, key: str) -> None:
        """Removes the answer to a job, and the job itself where it waits: the next one of that key is a new one."""

    def state(self, lane: str) -> LaneState:
        """How a lane is doing."""


class _Queues:
    """The queue of this process, opened when it is first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opening: Callable[[], Queue] | None = None
        self.queue: Queue | None = None
        self.owner = secrets.token_hex(8)  # of the jobs of this process

    def get(self, lane: str) -> Queue:
        with self.lock:
            if self.queue is None and self.opening is None:
                raise Unavailable(f"there is no lane '{lane}' without a database on a server", NEEDED)
            if self.queue is None and self.opening:
                self.queue = self.opening()
            assert self.queue
            return self.queue


_queues = _Queues()


def provide(opening: Callable[[], Queue] | None) -> None:
    """Lanes are those of the queue that this opens, when one is first needed; of none, there are no lanes."""
    _queues.opening, _queues.queue = opening, None


def act_for(run: str) -> None:
    """The jobs of this process are those of a run: whoever resumes it asks for the same ones."""
    _queues.owner = f"run {run}"


def started(location: Location = HERE, prepare: str = "", threads: int = 0) -> "Worker | LaneWorker":
    """What does jobs at a location: a process, or whoever serves a lane.

    Raises:
        Unavailable: it is a lane, and there is no queue.
    """
    return reached(location.lane) if location.lane else Worker(location, prepare, threads)


def reached(lane: str, *, alone: bool = True) -> "LaneWorker":
    """Whoever serves a lane. Jobs that need no device for themselves need not be done `alone`.

    Raises:
        Unavailable: there is no queue.
    """
    return LaneWorker(_queues.get(lane), lane, _queues.owner, alone=alone)


class LaneWorker:
    """The driver's side of a lane, in place of a process.

    A job outlives it: the same owner who asks again gets the same answer. Owners share none: each measures for itself.
    """

    def __init__(self, queue: Queue, lane: str, owner: str = "", *, alone: bool = True) -> None:
        self.queue, self.lane, self.owner, self.alone = queue, lane, owner, alone
        self.took = 0.0  # seconds of its latest job, for which the device was held
        self._killed = threading.Event()

    def run(self, job: dict[str, Any], timeout: float, say: Say = speak, spent: float = 0.0) -> dict[str, Any]:
        """The answer to a job. Waiting for a device does not count as time; `say` receives why it waits.

        Raises:
            InfrastructureFailed: this was ended, or whoever served the lane failed.
            MeasurementFailed: the evaluation failed.
            Unavailable: nobody serves the lane.
        """
        if job["do"] in ("open", "prepare"):
            return {}  # whoever serves the lane prepares what it needs
        key = digest([self.owner, self.lane, job, code()])
        self.queue.put(self.lane, key, job, timeout, alone=self.alone)
        answer = self._waited(key, say, patient=job["do"] != "describe")
        self.queue.forget(key)
        self.took = float(answer.get("took", 0.0))
        return succeeded(answer)

    def _waited(self, key: str, say: Say, *, patient: bool) -> dict[str, Any]:
        said = time.monotonic()
        while (answer := self.queue.answer(key, POLL_SECONDS)) is None:
            if self._killed.is_set():
                raise InfrastructureFailed(f"waiting for lane '{self.lane}' was ended", "the job stays in the queue")
            if time.monotonic() - said >= SAY_SECONDS:
                said, state = time.monotonic(), self.queue.state(self.lane)
                if not state.workers and not patient:
                    self.queue.forget(key)
                    raise Unavailable(f"nobody serves the lane '{self.lane}'", f"on its machine: {state.command}")
                say(self._waiting(state))
        return answer

    def _waiting(self, state: LaneState) -> str:
        if not state.workers:
            return f"waiting: nobody serves the lane '{self.lane}'; on its machine: {state.command}"
        others = f"{state.doing} being done, {state.waiting} waiting"
        return f"waiting for lane '{self.lane}', served by {', '.join(state.workers)}: {others}"

    def kill(self) -> None:
        """Ends the waiting."""
        self._killed.set()

    def close(self) -> None:
        """Lets go; a job that waits stays, and its answer serves the one who asks again."""
