"""A run whose device is another machine: measured over there, cut in the middle, and gone on with."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import Program
from tests.ssh import HOST, SSHD, Server, short_folder

pytestmark = pytest.mark.skipif(
    not SSHD and not os.environ.get("CI"), reason="there is no sshd (openssh-server) on this machine"
)
SPEC = f"ort:resolution=32,python={sys.executable}@ssh:{HOST}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    folder = short_folder()
    server = Server(folder)
    monkeypatch.setenv("NAS_SSH", server.client)
    yield server
    server.stop()
    shutil.rmtree(folder)


def run(program: Program, *arguments: str) -> "subprocess.Popen[str]":
    return program.start("run", "--name", "far", "--json", *arguments)


@pytest.mark.slow
def test_a_run_over_ssh_stops_at_a_lost_connection_and_resumes_with_the_same_candidate(
    nas: Program, server: Server
) -> None:
    choices = ("--proxy", "structure", "--latency", SPEC, "--sampler", "random", "--budget", "6")
    process = run(nas, *choices)
    assert process.stdout
    events: list[dict] = []
    with process:
        for line in process.stdout:
            events.append(json.loads(line))
            if sum(event["event"] == "trial" for event in events) == 3:
                server.stop()
        errors = process.stderr.read() if process.stderr else ""
    assert process.returncode == 1, errors
    assert f"the connection to {HOST} was lost 3 times" in errors
    assert "resume with: nas run --name far" in errors
    trials = [event for event in events if event["event"] == "trial"]
    assert {trial["state"] for trial in trials} == {"ok"}
    waiting, *_ = [
        trial for trial in nas("show", "far", "--all", "--json").json["trials"] if trial["state"] == "running"
    ]
    server.start()
    again = run(nas)
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    shown = nas("show", "far", "--all", "--json").json["trials"]
    assert [trial["state"] for trial in shown] == ["ok"] * 6
    assert shown[waiting["trial"]]["id"] == waiting["id"]
    measurements = [trial["measurements"][SPEC] for trial in shown]
    assert len({measurement["device"]["label"] for measurement in measurements}) == 1
    assert {measurement["metric"]["name"] for measurement in measurements} == {"ort:resolution=32"}


def test_a_run_does_not_start_if_its_machine_does_not_answer(nas: Program, server: Server) -> None:
    server.stop()
    ended = nas("run", "--budget", "4", "--latency", SPEC)
    server.start()
    assert ended.code == 1
    assert f"{HOST} does not answer over SSH" in ended.err
    assert list(nas.folder.iterdir()) == []
    seen = nas("doctor", "--quick", "--latency", SPEC)
    assert seen.code == 0, seen.err
    assert HOST in seen.out
