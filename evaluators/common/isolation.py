"""Evaluating in processes of their own, so that a crash or a hang costs one candidate and not the run.

Latencies get a fresh process each; the next one is started early, so that its imports cost no waiting. Scores share
one process until it fails. Exact counts need no process. One measurement at a time on a device, whoever asks.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from types import TracebackType
from typing import Any, Self

import filelock

from evaluators.common.evaluator import Evaluator
from evaluators.common.locks import lock
from evaluators.common.measurement import Measurement
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

TIMEOUT_SECONDS = 120.0
PREPARATION = {
    "latency": ["evaluators.common.onnx_graph", "onnxruntime"],
    "accuracy": ["torch", "search_spaces.nextvit.network"],
}


class Worker:
    """A process that evaluates one job after another."""

    def __init__(self, prepare: list[str] | None = None) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evaluators.common.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us, and we decide what becomes of the candidate
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        self.preparing = bool(prepare)
        if prepare:
            self._send({"prepare": prepare})

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
        """The answer to a job.

        Raises:
            MeasurementFailed: it failed, took longer than `timeout` seconds, or the process died.
        """
        self._send(job)
        if self.preparing:
            self._receive(timeout)
            self.preparing = False
        answer = self._receive(timeout)
        if "cause" in answer:
            raise MeasurementFailed(answer["cause"], answer["detail"])
        return answer

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            line = self.answers.get(timeout=timeout)
        except queue.Empty:
            words = self._last_words()
            self.close()
            raise MeasurementFailed(f"took longer than {timeout:g} s and was stopped", words) from None
        if not line:
            raise MeasurementFailed(self._obituary(), self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _obituary(self) -> str:
        code = self.process.wait()
        return (
            f"the process was ended by {signal.Signals(-code).name}" if code < 0 else f"the process exited with {code}"
        )

    def _last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def close(self) -> None:
        """Ends the process at once, and whatever it has started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.join(timeout=5)  # it reads to the end of the output, which has come
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream:
                stream.close()


class Bench:
    """Where candidates are evaluated. Use it in a `with` statement: it owns processes.

    `timeout` bounds one evaluation, in seconds.
    """

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        self.timeout = timeout
        self.scorer: Worker | None = None
        self.spare: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (self.scorer, self.spare):
            if worker:
                worker.close()
        self.scorer = self.spare = None

    def measure(self, evaluator: Evaluator, architecture: Architecture, baseline: float | None = None) -> Measurement:
        """The evaluator's measurement of an architecture, isolated as its family needs.

        Raises:
            MeasurementFailed: this architecture could not be evaluated; says why.
            Unavailable: the evaluator cannot run on this machine.
        """
        if evaluator.family() == "cost":
            try:
                return evaluator.measure(architecture, baseline)
            except Exception as error:  # it costs this candidate, as in a process of its own
                raise MeasurementFailed.of(error) from error
        if reason := evaluator.missing():
            raise reason
        job = {"evaluator": evaluator.spec, "architecture": architecture.to_dict(), "baseline": baseline}
        with exclusive(evaluator):
            answer = self._latency(job) if evaluator.family() == "latency" else self._score(job)
        return Measurement.from_dict(answer["measurement"])

    def prepare(self) -> None:
        """Starts the process of the next latency, so that its imports run while something else is thought about."""
        self.spare = self.spare or Worker(PREPARATION["latency"])

    def _latency(self, job: dict[str, Any]) -> dict[str, Any]:
        self.prepare()
        worker, self.spare = self.spare, None
        assert worker
        try:
            return worker.run(job, self.timeout)
        finally:
            worker.close()

    def _score(self, job: dict[str, Any]) -> dict[str, Any]:
        self.scorer = self.scorer or Worker(PREPARATION["accuracy"])
        try:
            return self.scorer.run(job, self.timeout)
        except MeasurementFailed:
            self.scorer.close()  # its state is not to be trusted any more
            self.scorer = None
            raise


def exclusive(evaluator: Evaluator) -> filelock.BaseFileLock:
    """Waits until nobody else evaluates on that device: a latency is measured alone."""
    return lock(f"device-{evaluator.device().facts.get('kind', 'cpu')}")
