"""The process that evaluates: JSON lines in, JSON lines out. Run as `python -m evaluators.workers.worker`.

`jobs.py` documents the requests. The first answer is `{"ready": PROCESS}`; anything before it comes from a login shell.
The answers to a measurement are `{"waiting": WHY}`, every 30 s while another process holds the device, then
`{"begun": true}`, then the measurement or the cause of its failure. Standard output carries only answers: output of
libraries goes to standard error. With `--attached` the process ends as soon as its input does, because its driver has
ended. Its temporary files are in a folder that is removed with it.
"""

import json
import os
import queue
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import evaluators
from evaluators import Evaluator
from evaluators.core import scratch
from evaluators.core.locks import exclusive
from evaluators.core.source_digest import code
from evaluators.targets.latency import Latency
from evaluators.workers import jobs
from search_spaces.common.errors import InfrastructureFailed, UnknownName, UsageError, failure

Answer = dict[str, Any]
LAST_SECONDS = 5.0  # a driver that dies closes our input, and releases its folder a moment later


def main() -> None:
    """Answers one job per line until its input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    room = scratch.worker_room()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    attached = "--attached" in sys.argv[1:]
    threading.Thread(target=_listen, args=(sys.stdin.buffer, lines, room, attached), daemon=True).start()
    _reply(answers, {"ready": os.getpid()})
    while line := lines.get():
        answers.write(_answer(line, answers))


def _listen(source: BinaryIO, lines: "queue.SimpleQueue[bytes]", room: Path, attached: bool) -> None:
    while line := source.readline(jobs.LARGEST_JOB + 1):
        lines.put(line)
        if len(line) > jobs.LARGEST_JOB:
            break  # the rest of the line is not a job
    if attached and len(line) <= jobs.LARGEST_JOB:
        shutil.rmtree(room, ignore_errors=True)
        scratch.mine().leave(LAST_SECONDS)
        os._exit(0)  # in the middle of a measurement too: nobody will read its answer
    lines.put(b"")


def _answer(line: bytes, answers: TextIO) -> str:
    try:
        job = jobs.parse(line)
        if job["do"] == "describe" and (reason := _unknown(job["evaluator"])):
            return _line({"code": code(), "source": {}, "missing": {"message": reason.message, "hint": reason.hint}})
        evaluator = evaluators.get(job["evaluator"])
        if not evaluator.location.is_here:
            raise UsageError(f"'{evaluator.spec}' names another location: a worker measures where it runs")
        return _line(_do(job, evaluator, answers))
    except Exception as error:  # any failure is an answer
        return _line(failed(error))


def failed(error: Exception) -> Answer:
    """The answer that says what failed."""
    known = failure(error)
    answer: Answer = {"cause": known.message, "detail": known.hint}
    return answer | ({"infrastructure": True} if isinstance(known, InfrastructureFailed) else {})


def _unknown(spec: str) -> UnknownName | None:
    """Whether there is no such evaluator here: one that asks may have it as a plug-in of its own."""
    try:
        evaluators.get(spec)
    except UnknownName as error:
        return error
    return None


def _do(job: dict[str, Any], evaluator: Evaluator, answers: TextIO) -> Answer:
    if job["do"] == "describe":
        return describe(evaluator)
    if job["do"] == "prepare":
        evaluator.prepare()
        return {"prepared": evaluator.spec}
    if job["do"] == "open":
        if isinstance(evaluator, Latency):
            evaluator.open(job["architecture"])
        return {"opened": evaluator.spec}
    if job["do"] == "join":
        return _measured(job, evaluator)
    with exclusive(evaluator.physical(), lambda message: _reply(answers, {"waiting": message})):
        _reply(answers, {"begun": True})
        if job["do"] == "measure":
            return _measured(job, evaluator)
        if not isinstance(evaluator, Latency):
            raise UsageError(f"'{evaluator.spec}' is not a latency: only latencies are compared in pairs")
        return {"ratio": evaluator.ratio(job["architecture"], job["other"], job.get("seed", 0))}


def _measured(job: dict[str, Any], evaluator: Evaluator) -> Answer:
    return {"measurement": evaluator.measure(job["architecture"]).to_dict()}


def describe(evaluator: Evaluator) -> Answer:
    """The context of an evaluator's numbers on this machine, or why it cannot run here."""
    reason = evaluator.missing()
    identity = {"code": code(), "source": evaluator.source()}
    if reason:
        return identity | {"missing": {"message": reason.message, "hint": reason.hint}}
    device = evaluator.device()
    return identity | {
        "device": {"label": device.label, "facts": device.facts},
        "versions": evaluator.versions(),
        "protocol": evaluator.protocol(),
        "state": evaluator.state() if isinstance(evaluator, Latency) else {},
    }


def _line(answer: Answer) -> str:
    return json.dumps(answer, allow_nan=False) + "\n"


def _reply(answers: TextIO, answer: Answer) -> None:
    answers.write(_line(answer))


if __name__ == "__main__":
    main()
