"""Several candidates in the works: while one is measured, the next is built in another process, a third is asked for.

A thread for each only waits for the processes that evaluate it. Everything else, the store above all, stays with the
thread that owns the pipeline, which takes the candidates out in the order in which they were asked for.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from evaluators import Evaluator, Measurement
from evaluators.core.evaluator import cores
from evaluators.targets.latency import Latency
from evaluators.workers.bench import Bench
from nas.search.sampling.history import AHEAD
from results.store.record import Trial
from search_spaces.common.errors import UsageError

USUAL_JOBS = 2  # one candidate is measured while the other is built: a third would only wait for the device
KILL_SECONDS = 0.1  # between two attempts to end what still works


@dataclass(eq=False)
class Candidate:
    """A candidate in the works, and what is known of it so far."""

    trial: Trial
    measurements: dict[str, Measurement] = field(default_factory=dict)  # by spec
    unstored: list[Measurement] = field(default_factory=list)
    spent: "Counter[str]" = field(default_factory=Counter)  # seconds, by step
    error: Exception | None = None
    accuracy: float = nan  # the first objective, once it is known
    prospects: Callable[[float], list[Measurement]] | None = None  # latencies that leave it none, for its accuracy
    predicted: list[Measurement] = field(default_factory=list)  # in place of measured latencies
    done: bool = False

    @property
    def is_hopeless(self) -> bool:
        """Whether predicted latencies leave it no prospect of standing on the front."""
        if self.prospects and not self.predicted:
            self.predicted = self.prospects(self.accuracy)
        return bool(self.predicted)


Measured = tuple[Candidate, Evaluator, Measurement]


class Pipeline:
    """Candidates in the works: `jobs` of them are evaluated at once, further ones wait. It owns threads: use `with`."""

    def __init__(self, bench: Bench, jobs: int, ahead: int = AHEAD) -> None:
        self.bench, self.jobs, self.ahead, self.stopped = bench, jobs, ahead, False
        self.works: deque[Candidate] = deque()  # in the order in which they were asked for
        self._pool = ThreadPoolExecutor(jobs)
        self._futures: list[Future[None]] = []
        self._news: SimpleQueue[Measured | Candidate] = SimpleQueue()  # what was measured, and candidates that are done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        while working := [future for future in self._futures if not future.done()]:
            self.bench.kill()
            wait(working, KILL_SECONDS)

    @property
    def has_room(self) -> bool:
        """Whether another candidate may be asked for: with a single job, only when nothing else is going on."""
        return len(self.works) < (self.ahead + 1 if self.jobs > 1 else 1)

    @property
    def first_is_done(self) -> bool:
        """Whether the candidate that was asked for first is, by the news so far."""
        return bool(self.works) and self.works[0].done

    def submit(self, candidate: Candidate, evaluators: Sequence[Evaluator]) -> None:
        """Evaluates a candidate, as soon as a job is free, by these evaluators; without any it is done."""
        self.works.append(candidate)
        candidate.done = not evaluators
        if evaluators:
            self._futures.append(self._pool.submit(self._evaluate, candidate, evaluators))

    def _evaluate(self, candidate: Candidate, evaluators: Sequence[Evaluator]) -> None:
        """In a thread, to which the candidate belongs until it is done."""
        try:
            for evaluator in evaluators:
                is_latency = evaluator.family() == "latency"
                if self.stopped or (is_latency and candidate.is_hopeless):
                    return
                measurement = self._measured(candidate, evaluator)
                candidate.accuracy = candidate.accuracy if is_latency else measurement.value
                self._news.put((candidate, evaluator, measurement))
        except Exception as error:  # whatever it is, it is raised or recorded when the candidate's turn has come
            candidate.error = error
        finally:
            self._news.put(candidate)

    def _measured(self, candidate: Candidate, evaluator: Evaluator) -> Measurement:
        spent, step = candidate.spent, evaluator.family()

        def waited(seconds: float) -> None:
            spent.update({step: -seconds, "waiting": seconds})

        with timed(step, spent):
            return self.bench.measure(evaluator, candidate.trial.architecture, waited)

    def news(self, *, wait: bool) -> Iterator[Measured]:
        """Yields what was measured since; with `wait`, until the first candidate is done."""
        while (wait and not self.first_is_done) or not self._news.empty():
            news = self._news.get()
            if isinstance(news, Candidate):
                news.done = True
            else:
                yield news


@contextmanager
def timed(step: str, spent: "Counter[str]") -> Iterator[None]:
    """Adds the seconds that something takes."""
    start = time.perf_counter()
    try:
        yield
    finally:
        spent[step] += time.perf_counter() - start  # type: ignore[assignment]


def usual_jobs(latencies: Sequence[Evaluator], lane: str = "", ahead: int = AHEAD) -> int:
    """How many candidates are in the works at once where nobody says: two if that disturbs no measurement, else one.

    As many as a search asks for, where others train in a lane.
    """
    if cores() < USUAL_JOBS or not all(map(_leaves_a_core, latencies)):
        return 1
    return ahead + 1 if lane else min(USUAL_JOBS, ahead + 1)


def _leaves_a_core(latency: Evaluator) -> bool:
    """Whether this machine may work beside a measurement without disturbing it."""
    local = latency.local
    elsewhere = latency.location.is_elsewhere or latency.physical() != "machine" or latency.metric.kind == "predicted"
    return elsewhere or (isinstance(local, Latency) and local.opens_early)


def check_jobs(jobs: int, lane: str = "", ahead: int = AHEAD) -> int:
    """The number of candidates in the works at once that a user asked for; in a lane, others' cores compute.

    Raises:
        UsageError: this machine has fewer cores, or a search does not ask so far ahead.
    """
    most = ahead + 1 if lane else min(cores(), ahead + 1)
    if not 1 <= jobs <= most:
        why = f"a search asks for {most} ahead" if most > ahead else f"this machine has {most} cores"
        raise UsageError(f"--jobs expects a number from 1 to {most} ({why}), got {jobs}", f"for example --jobs {most}")
    return jobs
