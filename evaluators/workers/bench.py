"""Evaluates in separate processes, so that a crash or a hang costs one candidate and not the run.

Every latency has a fresh process; the next one starts early, so that nobody waits for its imports. Accuracies share one
process until it fails. Exact counts need none. The evaluator's location decides where a process runs: under another
interpreter or over SSH it is the same worker, and a lost connection is retried.
"""

import time
from types import TracebackType
from typing import Any, Self

from evaluators.core.evaluator import Evaluator, cores
from evaluators.core.locks import Say, speak
from evaluators.core.measurement import Measurement, differences
from evaluators.workers.connection import ConnectionLost, Worker
from search_spaces import Architecture
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer, failure

TIMEOUT_SECONDS = 120.0
CONNECTION_ATTEMPTS = 3


class Bench:
    """Evaluates candidates. Use it in a `with` statement: it owns processes.

    `timeout` limits one evaluation, in seconds. `others` is the number of other benches that work in parallel on the
    same device, which their creator holds for all of them. `say` receives messages about waiting.
    """

    def __init__(self, timeout: float = TIMEOUT_SECONDS, others: int = 0, say: Say = speak) -> None:
        self.timeout, self.others, self.say = timeout, others, say
        self.scorer: Worker | None = None
        self.spares: dict[str, Worker] = {}  # by the evaluator's spec

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (self.scorer, *self.spares.values()):
            if worker:
                worker.close()
        self.scorer, self.spares = None, {}

    def measure(self, evaluator: Evaluator, architecture: Architecture) -> Measurement:
        """The evaluator's measurement of an architecture, isolated as its family needs.

        Raises:
            MeasurementFailed: this architecture could not be evaluated.
            InfrastructureFailed: a connection, process, disk or device failed, not the architecture.
            Unavailable: the evaluator cannot run at its location.
        """
        if not self._isolated(evaluator):
            try:
                return evaluator.measure(architecture)
            except Exception as error:  # it costs only this candidate, as in a separate process
                raise failure(error) from error
        task = "join" if self.others else "measure"
        job = {"do": task, "architecture": architecture.to_dict()}
        answer = self._ask(evaluator, job)
        try:
            measurement = Measurement.from_dict(answer["measurement"])
        except (KeyError, TypeError) as error:
            raise _garbled(evaluator, error) from None
        if measurement.context != evaluator.context():  # a driver was updated there, or another machine answers
            changed = differences(measurement, evaluator.device(), evaluator.versions(), evaluator.protocol())
            raise InfrastructureFailed(
                f"another device or version answered for {evaluator.spec}: {changed}",
                "its numbers are not comparable with earlier ones: restore the earlier versions, or start a new run",
            )
        return measurement

    def ratio(self, evaluator: Evaluator, first: Architecture, second: Architecture, seed: int) -> float:
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
            if evaluator.family() == "latency" and self._isolated(evaluator) and evaluator.spec not in self.spares:
                self.spares[evaluator.spec] = Worker(evaluator.location, evaluator.local.spec)

    @staticmethod
    def _isolated(evaluator: Evaluator) -> bool:
        return evaluator.family() != "cost" and evaluator.metric.kind != "predicted"

    def _ask(self, evaluator: Evaluator, job: dict[str, Any]) -> dict[str, Any]:
        if reason := evaluator.missing():
            raise reason
        job = {**job, "evaluator": evaluator.local.spec}
        if evaluator.family() == "accuracy":
            return self._score(evaluator, job)
        for attempt in range(1, CONNECTION_ATTEMPTS + 1):
            try:
                return self._latency(evaluator, job)
            except ConnectionLost as error:
                if attempt == CONNECTION_ATTEMPTS:
                    raise ConnectionLost(f"{error.message} {attempt} times", error.hint) from None
                self.say(f"{error.message}: trying again, {attempt + 1} of {CONNECTION_ATTEMPTS}")
                time.sleep(attempt)
        raise AssertionError("the loop above returns or raises")

    def _latency(self, evaluator: Evaluator, job: dict[str, Any]) -> dict[str, Any]:
        self.prepare(evaluator)
        worker = self.spares.pop(evaluator.spec)
        try:
            return worker.run(job, self.timeout, self.say)
        finally:
            worker.close()

    def _score(self, evaluator: Evaluator, job: dict[str, Any]) -> dict[str, Any]:
        threads = max(1, cores() // (self.others + 1)) if self.others else 0
        scorer = self.scorer = self.scorer or Worker(prepare=evaluator.spec, threads=threads)
        try:
            return scorer.run(job, max(self.timeout, evaluator.patience), self.say)
        except NegativeAnswer:
            scorer.close()  # its state is no longer reliable
            self.scorer = None
            raise


def _garbled(evaluator: Evaluator, error: Exception) -> InfrastructureFailed:
    return InfrastructureFailed(
        f"the worker of {evaluator.spec} did not answer with a measurement", f"{type(error).__name__}: {error}"
    )
