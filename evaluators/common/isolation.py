"""Evaluating in processes of their own, so that a crash or a hang costs one candidate and not the run.

Latencies get a fresh process each; the next one is started early, so that its imports cost no waiting. Scores share
one process until it fails. Exact counts need no process. Where the process runs is the place's affair: under another
interpreter or over SSH it is the same worker, and a lost connection is tried again.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from types import TracebackType
from typing import Any, Self

from evaluators.common.evaluator import Evaluator, cores
from evaluators.common.measurement import Measurement, differences
from evaluators.common.places import HERE, Place
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

TIMEOUT_SECONDS = 120.0
CONNECTION_ATTEMPTS = 3
SSH_FAILED = 255  # what ssh itself exits with, whatever became of the command


class ConnectionLost(MeasurementFailed):
    """The way to another machine was cut, which says nothing about the candidate."""


class Worker:
    """A process that evaluates one job after another, in some place."""

    def __init__(self, place: Place = HERE, prepare: str = "", threads: int = 0) -> None:
        self.place = place
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, lives as long as the process
        try:
            self.process = subprocess.Popen(
                place.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                start_new_session=True,  # Ctrl-C reaches us, and we decide what becomes of the candidate
                env=place.environment() | ({"OMP_NUM_THREADS": str(threads)} if threads else {}),
            )
        except OSError as error:
            self.errors.close()
            raise MeasurementFailed(f"no process could be started: {error.strerror}", str(error)) from None
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        self.preparing = bool(prepare)
        if prepare:
            self._send({"do": "prepare", "evaluator": prepare})

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")  # the process has ended

    def _send(self, job: dict[str, Any]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the empty answer says so, with its last words

    def run(self, job: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The answer to a job. Waiting until its device is free does not count.

        Raises:
            ConnectionLost: the machine cannot be reached any more.
            MeasurementFailed: it failed, took longer than `timeout` seconds, or the process died.
        """
        self._send(job)
        if self.preparing:
            self._receive(timeout)
            self.preparing = False
        answer = self._receive(None if job["do"] in ("measure", "compare") else timeout)
        if answer.get("begun"):
            answer = self._receive(timeout)
        if "cause" in answer:
            raise MeasurementFailed(answer["cause"], answer["detail"])
        return answer

    def _receive(self, timeout: float | None) -> dict[str, Any]:
        try:
            line = self.answers.get(timeout=timeout)
        except queue.Empty:
            words = self._last_words()
            self.close()
            raise MeasurementFailed(f"took longer than {timeout:g} s and was stopped", words) from None
        if not line:
            self._mourn()
        try:
            answer = json.loads(line)
        except ValueError:
            raise MeasurementFailed(f"the worker on {self.place} answered something else: {line:.80}") from None
        if not isinstance(answer, dict):
            raise MeasurementFailed(f"the worker on {self.place} answered something else: {line:.80}")
        return answer

    def _mourn(self) -> None:
        """Says what ended the process."""
        code, words = self.process.wait(), self._last_words()
        if self.place.host and code == SSH_FAILED:
            raise ConnectionLost(f"the connection to {self.place.host} was lost", words)
        if code > 128 and self.place.host:
            code = 128 - code  # how a shell over there reports a signal
        ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        raise MeasurementFailed(f"the process {'was ' if code < 0 else ''}{ended}", words)

    def _last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def close(self) -> None:
        """Ends the process at once, and whatever it has started; over SSH, its worker ends with the connection."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.join(timeout=5)  # it reads to the end of the output, which has come
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class Bench:
    """Where candidates are evaluated. Use it in a `with` statement: it owns processes.

    `timeout` bounds one evaluation, in seconds. `beside` others work on the same device at the same time, which whoever
    made them all holds for them.
    """

    def __init__(self, timeout: float = TIMEOUT_SECONDS, beside: int = 0) -> None:
        self.timeout, self.beside = timeout, beside
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

    def measure(self, evaluator: Evaluator, architecture: Architecture, baseline: float | None = None) -> Measurement:
        """The evaluator's measurement of an architecture, isolated as its family needs.

        Raises:
            MeasurementFailed: this architecture could not be evaluated; says why.
            Unavailable: the evaluator cannot run in its place.
        """
        if not self._isolated(evaluator):
            try:
                return evaluator.measure(architecture, baseline)
            except Exception as error:  # it costs this candidate, as in a process of its own
                raise MeasurementFailed.of(error) from error
        task = "join" if self.beside else "measure"
        job = {"do": task, "architecture": architecture.to_dict(), "baseline": baseline}
        measurement = Measurement.from_dict(self._ask(evaluator, job)["measurement"])
        if measurement.context != evaluator.context():  # a driver was updated over there, or another machine answers
            changed = differences(measurement, evaluator.device(), evaluator.versions(), evaluator.protocol())
            raise MeasurementFailed(f"another device or version answered for {evaluator.spec}", changed)
        return measurement

    def ratio(self, evaluator: Evaluator, first: Architecture, second: Architecture, seed: int) -> float:
        """How many times slower the second network is, alternating with the first in one fresh process."""
        job = {"do": "compare", "architecture": first.to_dict(), "other": second.to_dict(), "seed": seed}
        return float(self._ask(evaluator, job)["ratio"])

    def prepare(self, *evaluators: Evaluator) -> None:
        """Starts the processes of the next latencies, so that their imports run while something else is thought of."""
        for evaluator in evaluators:
            if evaluator.family() == "latency" and self._isolated(evaluator) and evaluator.spec not in self.spares:
                self.spares[evaluator.spec] = Worker(evaluator.place, evaluator.local.spec)

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
                    raise MeasurementFailed(f"{error.cause} {attempt} times", error.detail) from None
                time.sleep(attempt)
        raise AssertionError("the loop above returns or raises")

    def _latency(self, evaluator: Evaluator, job: dict[str, Any]) -> dict[str, Any]:
        self.prepare(evaluator)
        worker = self.spares.pop(evaluator.spec)
        try:
            return worker.run(job, self.timeout)
        finally:
            worker.close()

    def _score(self, evaluator: Evaluator, job: dict[str, Any]) -> dict[str, Any]:
        threads = max(1, cores() // (self.beside + 1)) if self.beside else 0
        scorer = self.scorer = self.scorer or Worker(prepare=evaluator.spec, threads=threads)
        try:
            return scorer.run(job, max(self.timeout, evaluator.patience))
        except MeasurementFailed:
            scorer.close()  # its state is not to be trusted any more
            self.scorer = None
            raise
