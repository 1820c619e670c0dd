"""The driver's side of a worker: its process and the lines that they exchange. Every wait has a time limit."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from typing import IO, Any

from evaluators.core import scratch
from evaluators.core.locations import HERE, Location
from evaluators.core.locks import SAY_SECONDS, Say, speak
from evaluators.workers import jobs
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, UsageError

START_SECONDS = 120.0  # until a worker is ready: time for an interpreter and its imports
SILENCE_SECONDS = 3 * SAY_SECONDS  # a worker that waits for its device reports it three times as often
END_SECONDS = 10.0  # until a killed process has ended
LARGEST_ANSWER = 2**20  # bytes
LAST_OUTPUT = 2000  # bytes of what a process prints before it ends
GREETING = b'{"ready":'
SSH_FAILED = 255  # the exit code of ssh itself, whatever became of the command
SIGNALS = {number.value: number.name for number in signal.Signals}
FROM_OUTSIDE = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT}  # no network causes these


class ConnectionLost(InfrastructureFailed):
    """The connection to another machine was lost, which says nothing about the candidate."""


def succeeded(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that is no failure.

    Raises:
        InfrastructureFailed: it says that something around the evaluation failed.
        MeasurementFailed: it says that the evaluation failed.
    """
    if "cause" in answer:
        failed = InfrastructureFailed if "infrastructure" in answer else MeasurementFailed
        raise failed(str(answer["cause"]), str(answer.get("detail", "")))
    return answer


class Worker:
    """A process at some location that does one job after another.

    `prepare` is the spec of an evaluator whose imports it loads first; `threads` limits OpenMP (0: no limit).
    """

    def __init__(self, location: Location = HERE, prepare: str = "", threads: int = 0) -> None:
        self.location, self.prepare, self.ready = location, prepare, False
        self.took = 0.0  # seconds of its latest job, from the moment at which it had the device
        command, self.room = location.command(), scratch.mine().room()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the process
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                start_new_session=True,  # Ctrl-C reaches the driver alone, which decides about the candidate
                env=location.environment(self.room) | ({"OMP_NUM_THREADS": str(threads)} if threads else {}),
            )
        except OSError as error:
            self.errors.close()
            raise InfrastructureFailed(f"no process could be started: {error.strerror}", str(error)) from None
        self.answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.before = b""  # what a remote shell prints before the worker speaks
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        if prepare:
            self._send({"do": "prepare", "evaluator": prepare})

    def _listen(self) -> None:
        assert self.process.stdout
        speaks = False
        while (line := self.process.stdout.readline(LARGEST_ANSWER + 1)).endswith(b"\n"):
            before, greeting, rest = (b"", b"", line) if speaks else line.partition(GREETING)
            self.before = (self.before + before)[-LAST_OUTPUT:]
            speaks = speaks or bool(greeting)
            if speaks:
                self.answers.put(greeting + rest)
        # A partial line means the end, too, unless it is so long that no worker can have written it.
        self.answers.put(line if len(line) > LARGEST_ANSWER else b"")

    def _send(self, job: dict[str, Any]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write((json.dumps(job) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended: `_receive` reports it

    def run(self, job: dict[str, Any], timeout: float, say: Say = speak, spent: float = 0.0) -> dict[str, Any]:
        """The answer to a job. Waiting for a free device does not count as time; `say` receives its holder.

        `spent` are the seconds that earlier jobs took of the same candidate's time.

        Raises:
            ConnectionLost: the machine can no longer be reached.
            InfrastructureFailed: the process did not start, was ended from outside, or gave no valid answer.
            MeasurementFailed: the evaluation failed, took longer than `timeout` seconds, or ended the process.
        """
        self._send(job)
        if not self.ready:
            self._receive(START_SECONDS)
            self.ready = True
            if self.prepare:
                self._receive(START_SECONDS)
        start = time.monotonic()
        try:
            waits = job["do"] in ("measure", "compare")
            limit = timeout if job["do"] in ("open", "join") else 0.0
            answer = self._receive(SILENCE_SECONDS if waits else timeout, limit)
            while "waiting" in answer:
                say(str(answer["waiting"]))
                answer = self._receive(SILENCE_SECONDS)
            if "begun" in answer:
                start = time.monotonic()
                answer = self._receive(max(0.0, timeout - spent), timeout)
        finally:
            self.took = time.monotonic() - start
        return succeeded(answer)

    def _receive(self, seconds: float, limit: float = 0.0) -> dict[str, Any]:
        """The next answer. Silence is the candidate's fault if a `limit` of its time ends with it."""
        try:
            line = self.answers.get(timeout=seconds)
        except queue.Empty:
            output = self._last_output()
            self.close()
            if limit:
                raise MeasurementFailed(f"took longer than {limit:g} s and was stopped", output) from None
            raise InfrastructureFailed(
                f"the worker on {self.location} said nothing for {seconds:g} s", output
            ) from None
        if not line:
            self._raise_ended()
        try:
            return jobs.read(line[: LARGEST_ANSWER + 1], "the answer")
        except UsageError as error:
            self.close()
            start = line[:80].decode(errors="backslashreplace")
            raise InfrastructureFailed(
                f"the worker on {self.location} answered something else: {start}", error.message
            ) from None

    def _raise_ended(self) -> None:
        """Raises the error that says what ended the process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)  # it has closed its output, so it is about to end
        self.kill()
        code, output = self.process.returncode or 0, self._last_output()
        if self.location.host and code == SSH_FAILED:
            raise ConnectionLost(f"the connection to {self.location.host} was lost", output)
        if code - 128 in SIGNALS and self.location.host:
            code = 128 - code  # how a remote shell reports a signal
        ended = f"was ended by {SIGNALS.get(-code, f'signal {-code}')}" if code < 0 else f"exited with {code}"
        if not self.ready:
            raise InfrastructureFailed(f"no worker could be started on {self.location}: its process {ended}", output)
        if code < 0 and -code in FROM_OUTSIDE:
            raise InfrastructureFailed(f"the process {ended}, from outside", output)
        raise MeasurementFailed(f"the process {ended}", output)

    def _last_output(self) -> str:
        file = self.errors.fileno()
        printed = os.pread(file, LAST_OUTPUT, max(0, os.fstat(file).st_size - LAST_OUTPUT))
        return (self.before + printed).decode(errors="backslashreplace")

    def kill(self) -> None:
        """Ends the process and its children at once. Whoever waits for its answer learns that it has ended."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)

    def close(self) -> None:
        """Kills the process and its children at once; over SSH the remote worker ends with the connection."""
        self.kill()
        self.listener.join(timeout=5)  # it reads to the end of the output, which the kill has brought
        streams: list[IO[bytes] | None] = [self.process.stdin, self.errors]
        if not self.listener.is_alive():
            streams.append(self.process.stdout)
        for stream in streams:
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        shutil.rmtree(self.room, ignore_errors=True)
