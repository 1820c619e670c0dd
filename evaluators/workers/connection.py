"""The driver's side of a worker: its process, and the lines that go to and fro. Nothing here waits without an end."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from typing import IO, Any

from evaluators.core import scratch
from evaluators.core.locations import HERE, Place
from evaluators.core.locks import SAY_SECONDS, Say, speak
from evaluators.workers import jobs
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, UsageError

START_SECONDS = 120.0  # until a worker is ready: an interpreter and its imports, at most
SILENCE_SECONDS = 3 * SAY_SECONDS  # a worker that waits for its device says so in a third of it
END_SECONDS = 10.0  # until the system has ended a process that it was told to kill
LARGEST_ANSWER = 2**20  # bytes
LAST_WORDS = 2000  # bytes of what a process says before it ends
GREETING = b'{"ready":'
SSH_FAILED = 255  # what ssh itself exits with, whatever became of the command
SIGNALS = {each.value: each.name for each in signal.Signals}
FROM_OUTSIDE = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT}  # which no network brings about


class ConnectionLost(InfrastructureFailed):
    """The way to another machine was cut, which says nothing about the candidate."""


class Worker:
    """A process that evaluates one job after another, in some place."""

    def __init__(self, place: Place = HERE, prepare: str = "", threads: int = 0) -> None:
        self.place, self.prepare, self.ready = place, prepare, False
        command, self.room = place.command(), scratch.mine().room()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as the process
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                start_new_session=True,  # Ctrl-C reaches us, and we decide what becomes of the candidate
                env=place.environment(self.room) | ({"OMP_NUM_THREADS": str(threads)} if threads else {}),
            )
        except OSError as error:
            self.errors.close()
            raise InfrastructureFailed(f"no process could be started: {error.strerror}", str(error)) from None
        self.answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.before = b""  # what a shell says over there, before the worker does
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        if prepare:
            self._send({"do": "prepare", "evaluator": prepare})

    def _listen(self) -> None:
        assert self.process.stdout
        speaks = False
        while (line := self.process.stdout.readline(LARGEST_ANSWER + 1)).endswith(b"\n"):
            before, greeting, rest = (b"", b"", line) if speaks else line.partition(GREETING)
            self.before = (self.before + before)[-LAST_WORDS:]
            speaks = speaks or bool(greeting)
            if speaks:
                self.answers.put(greeting + rest)
        # Half a line is the end, too, unless it is so long that whoever writes it is no worker.
        self.answers.put(line if len(line) > LARGEST_ANSWER else b"")

    def _send(self, job: dict[str, Any]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write((json.dumps(job) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the empty answer says so, with its last words

    def run(self, job: dict[str, Any], timeout: float, say: Say = speak) -> dict[str, Any]:
        """The answer to a job. Waiting until its device is free does not count; `say` hears who holds it.

        Raises:
            ConnectionLost: the machine cannot be reached any more.
            InfrastructureFailed: the process did not start, was ended from outside, or says nothing that makes sense.
            MeasurementFailed: the evaluation failed, took longer than `timeout` seconds, or ended the process.
        """
        self._send(job)
        if not self.ready:
            self._receive(START_SECONDS)
            self.ready = True
            if self.prepare:
                self._receive(START_SECONDS)
        waits = job["do"] in ("measure", "compare")
        answer = self._receive(SILENCE_SECONDS if waits else timeout, begun=job["do"] == "join")
        while "waiting" in answer:
            say(str(answer["waiting"]))
            answer = self._receive(SILENCE_SECONDS)
        if "begun" in answer:
            answer = self._receive(timeout, begun=True)
        if "cause" in answer:
            failed = InfrastructureFailed if "infrastructure" in answer else MeasurementFailed
            raise failed(str(answer["cause"]), str(answer.get("detail", "")))
        return answer

    def _receive(self, seconds: float, begun: bool = False) -> dict[str, Any]:
        """The next answer. Before an evaluation has begun, silence is not the candidate's fault."""
        try:
            line = self.answers.get(timeout=seconds)
        except queue.Empty:
            words = self._last_words()
            self.close()
            if begun:
                raise MeasurementFailed(f"took longer than {seconds:g} s and was stopped", words) from None
            raise InfrastructureFailed(f"the worker on {self.place} said nothing for {seconds:g} s", words) from None
        if not line:
            self._mourn()
        try:
            return jobs.read(line[: LARGEST_ANSWER + 1], "the answer")
        except UsageError as error:
            self.close()
            told = line[:80].decode(errors="backslashreplace")
            raise InfrastructureFailed(
                f"the worker on {self.place} answered something else: {told}", error.message
            ) from None

    def _mourn(self) -> None:
        """Says what ended the process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)  # it has closed its output, and ends
        self._kill()
        code, words = self.process.returncode or 0, self._last_words()
        if self.place.host and code == SSH_FAILED:
            raise ConnectionLost(f"the connection to {self.place.host} was lost", words)
        if code - 128 in SIGNALS and self.place.host:
            code = 128 - code  # how a shell over there reports a signal
        ended = f"was ended by {SIGNALS.get(-code, f'signal {-code}')}" if code < 0 else f"exited with {code}"
        if not self.ready:
            raise InfrastructureFailed(f"no worker could be started on {self.place}: its process {ended}", words)
        if code < 0 and -code in FROM_OUTSIDE:
            raise InfrastructureFailed(f"the process {ended}, from outside", words)
        raise MeasurementFailed(f"the process {ended}", words)

    def _last_words(self) -> str:
        file = self.errors.fileno()
        said = os.pread(file, LAST_WORDS, max(0, os.fstat(file).st_size - LAST_WORDS))
        return (self.before + said).decode(errors="backslashreplace")

    def _kill(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)

    def close(self) -> None:
        """Ends the process at once, and whatever it has started; over SSH, its worker ends with the connection."""
        self._kill()
        self.listener.join(timeout=5)  # it reads to the end of the output, which has come
        streams: list[IO[bytes] | None] = [self.process.stdin, self.errors]
        if not self.listener.is_alive():
            streams.append(self.process.stdout)
        for stream in streams:
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        shutil.rmtree(self.room, ignore_errors=True)
