"""Measuring on another machine: a real sshd on the loopback interface, cut in the middle."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import evaluators
from evaluators.core import locations
from evaluators.core.locations import Location
from evaluators.workers import remote
from evaluators.workers.bench import Bench
from evaluators.workers.connection import ConnectionLost, Worker
from search_spaces import PAPER
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, Unavailable
from tests.ssh import HOST, SSHD, Server, name, short_folder

S = PAPER["next-vit-s"]
SPEC = f"ort:resolution=32,python={sys.executable}@ssh:{HOST}"

pytestmark = pytest.mark.skipif(
    not SSHD and not os.environ.get("CI"), reason="there is no sshd (openssh-server) on this machine"
)


@pytest.fixture(scope="module")
def server():
    folder = short_folder()
    server = Server(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def connected(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NAS_SSH", server.client)
    folder = short_folder()  # its own control socket: no connection outlives its test
    monkeypatch.setattr(locations, "_sockets", lambda: folder)
    remote._describe.cache_clear()
    yield
    subprocess.run(
        [*server.client.split(), f"-oControlPath={folder}/%C", "-O", "exit", HOST], capture_output=True, check=False
    )
    remote._describe.cache_clear()


def test_a_number_from_over_there_is_the_one_that_is_measured_there() -> None:
    evaluator, local = evaluators.get(SPEC), evaluators.get("ort:resolution=32")
    assert evaluator.missing() is None
    with Bench() as bench:
        found = bench.measure(evaluator, S)
    assert evaluator.spec == evaluator.metric.name == SPEC
    assert found.metric.name == "ort:resolution=32"
    assert found.context == evaluator.context() == local.context(), "one key, whatever the way"
    assert found.value > 0


def test_a_cut_connection_is_tried_again(server: Server) -> None:
    evaluator = evaluators.get(SPEC)
    assert evaluator.missing() is None
    with Bench() as bench:
        bench.prepare(evaluator)  # connected, and then cut
        server.stop()
        again = threading.Timer(0.5, server.start)
        again.start()
        assert bench.measure(evaluator, S).value > 0
        again.join()


def test_a_connection_that_stays_cut_is_no_candidates_failure(server: Server) -> None:
    evaluator = evaluators.get(SPEC.replace("resolution=32", "resolution=1024"))
    assert evaluator.missing() is None
    cut = threading.Timer(2.0, server.stop)  # in the middle: it takes longer than that
    try:
        heard: list[str] = []
        with Bench(say=heard.append) as bench:
            cut.start()
            with pytest.raises(ConnectionLost, match=f"the connection to {HOST} was lost 3 times"):
                bench.measure(evaluator, PAPER["next-vit-l"])
        heard = [words for words in heard if not words.startswith("waiting")]  # its locks are not those of the tests
        assert heard == [f"the connection to {HOST} was lost: trying again, {attempt} of 3" for attempt in (2, 3)]
        remote._describe.cache_clear()
        assert "does not answer over SSH" in str(evaluator.missing())
    finally:
        cut.join()
        server.start()


def test_a_worker_that_is_killed_over_there_is_no_lost_connection(server: Server) -> None:
    worker = Worker(Location(host=HOST, python=sys.executable))
    worker.run({"do": "describe", "evaluator": "ort"}, 60)
    os.kill(server.workers()[-1], signal.SIGKILL)  # the last of shell and interpreter
    with pytest.raises(MeasurementFailed, match="the process was ended by SIGKILL"):
        worker.run({"do": "measure", "evaluator": "ort", "architecture": S.to_dict()}, 60)
    worker.close()


def test_a_worker_ends_with_its_connection_and_leaves_nothing(server: Server) -> None:
    worker = Worker(Location(host=HOST, python=sys.executable))
    worker.run({"do": "prepare", "evaluator": "ort"}, 60)
    (pid,) = [each for each in server.workers() if "sh\0-c" not in name(each)]
    opened = [Path(link).resolve() for link in Path(f"/proc/{pid}/fd").iterdir()]
    (folder,) = [path for path in opened if path.name.startswith("nas-tmp-")]
    worker._send({"do": "measure", "evaluator": "ort:resolution=1024", "architecture": PAPER["next-vit-l"].to_dict()})
    worker._receive(30)
    assert server.workers()
    worker.close()
    for _ in range(100):
        if not server.workers() and not folder.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{server.workers()} go on for nobody, or left {folder}")


def test_another_version_over_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "code", lambda: "0123456789ab")
    with Bench() as bench, pytest.raises(Unavailable, match=f"another version of nas measures on .*{HOST}"):
        bench.measure(evaluators.get(SPEC), S)


def test_another_device_that_answers_is_no_candidates_failure_and_says_what_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluator = evaluators.get(SPEC)
    described = evaluator.description()  # type: ignore[attr-defined]
    before = {**described, "device": {"label": "then", "facts": {**described["device"]["facts"], "model": "Then"}}}
    monkeypatch.setattr(remote.Remote, "description", lambda self: before)
    with Bench() as bench, pytest.raises(InfrastructureFailed, match=r"another device or version answered.*is Then"):
        bench.measure(evaluator, S)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (f"ort:python=/nowhere/python@ssh:{HOST}", "there is no '/nowhere/python' on nas-test-host"),
        (f"ort:python=/bin/false@ssh:{HOST}", "nas does not run under /bin/false on nas-test-host"),
        ("ort@ssh:no-such-host.invalid", "no-such-host.invalid does not answer over SSH"),
        (f"ort:provider=coreml,python={sys.executable}@ssh:{HOST}", f"on {HOST}: the installed onnxruntime"),
    ],
)
def test_what_is_missing_over_there_is_said(spec: str, words: str) -> None:
    reason = evaluators.get(spec).missing()
    assert reason and words in reason.message
    assert reason.hint
