"""Runs that are interrupted again and again in real measurements: no trial is lost, none is double, no file is left."""

import logging
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Program

CHOICES = ("--proxy", "structure", "--latency", "ort:resolution=64", "--seed", "7")
LOG = logging.getLogger(__name__)  # the figures: --log-file=figures.log --log-file-level=info
INTERRUPTIONS = 20
STARTING = 0.25  # of the kills come while a run starts
AWAY = {signal.SIGINT: 130, signal.SIGTERM: 130, signal.SIGHUP: 130, signal.SIGKILL: -signal.SIGKILL}


def trials(program: Program, run: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = program("show", run, "--all", "--json").json["trials"]
    return shown


def finished_trials(program: Program, run: str) -> list[dict[str, Any]]:
    """The trials that are finished, as they are stored; none where the run was killed before there was one."""
    shown = program("show", run, "--all", "--json")
    return [stored(trial) for trial in shown.json["trials"] if trial["state"] != "running"] if shown.out else []


def stored(trial: dict[str, Any]) -> dict[str, Any]:
    """A trial with ratios for latencies: every further measurement moves the constant behind their milliseconds."""
    taken = trial["measurements"].items()
    values = {name: found["details"].get("first_log_ratio", found["value"]) for name, found in taken}
    return trial | {"measurements": values}


def end(process: "subprocess.Popen[str]", how: signal.Signals) -> int:
    process.send_signal(how)
    process.communicate(timeout=60)
    return process.returncode


def files(folder: Path) -> list[Path]:
    """What is still in a folder for temporary files when the last worker has had time to notice and to end."""
    for _ in range(100):
        if not list(folder.iterdir()):
            break
        time.sleep(0.1)
    return list(folder.rglob("*"))


def measuring(process: "subprocess.Popen[str]") -> None:
    """Waits for the first trial of a run: from then on it measures nearly all the time."""
    assert process.stdout
    for line in process.stdout:
        if '"event": "trial"' in line:
            return
    raise AssertionError(process.stderr.read() if process.stderr else "")


def kill_at_random(process: "subprocess.Popen[str]", moments: random.Random) -> None:
    """While it starts, or while candidates are in the works after another one was finished."""
    if moments.random() < STARTING:
        time.sleep(moments.uniform(0, 3))
    else:
        measuring(process)
        time.sleep(moments.uniform(0, 0.7))
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"it ended before it was killed:\n{said[-2000:]}"


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGKILL])
def test_a_run_interrupted_in_a_measurement_leaves_no_file(
    nas: Program, how: signal.Signals, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed terminal ends it as Ctrl-C does."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    process = nas.start("run", "--budget", "50", *CHOICES, "--sampler", "random", "--json")
    measuring(process)
    assert end(process, how) == AWAY[how]
    assert files(temporary) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "kills_wanted", "budget"),
    [("random", 10, 40), ("tpe", 10, 40), ("nsga2", 10, 40), ("gp", 10, 40), ("screen", 40, 120)],
)
def test_a_run_killed_again_and_again_equals_an_uninterrupted_one(
    nas: Program, sampler: str, kills_wanted: int, budget: int
) -> None:
    """At random moments: while it starts, or while two candidates are in the works after another one was finished.

    The run without a kill evaluates one candidate after the other.

    It takes its numbers from the same store, and must ask for the same.
    """
    moments, seen, kills = random.Random(sampler), list[dict[str, Any]](), list[int]()
    command = ["run", "--name", "killed", "--budget", str(budget), *CHOICES, "--sampler", sampler]
    command += ["--measure", "all", "--json", "--jobs", "2"]
    alone = ["--seed-from", "none"]  # else the second run would learn from the first
    while len(kills) < kills_wanted:
        process = nas.start(*command, *([] if kills else alone))
        kill_at_random(process, moments)
        now = finished_trials(nas, "killed")
        assert now[: len(seen)] == seen, "a trial was lost or changed"
        seen = now
        kills.append(len(now))
    LOG.info("%s: finished trials at each kill: %s", sampler, kills)
    assert nas(*command).code == 0
    assert nas("run", "--name", "whole", *command[3:-1], "1", *alone).code == 0
    killed, whole = trials(nas, "killed"), trials(nas, "whole")
    assert [trial["trial"] for trial in killed] == list(range(budget))
    assert len({trial["id"] for trial in killed}) == budget, "no network twice"
    assert {trial["state"] for trial in killed} == {"ok"}
    for name in ("id", "anchor", "measurements", "constraints"):
        assert [trial[name] for trial in killed] == [trial[name] for trial in whole], name


@pytest.mark.slow
@pytest.mark.parametrize("how", list(AWAY), ids=lambda how: how.name)
def test_twenty_interruptions_leave_no_file(
    nas: Program,
    how: signal.Signals,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At random moments; what a kill leaves behind, if it strikes everybody, the next start removes."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    moments, left, codes = random.Random(how.value), list[int](), list[int]()
    for _ in range(INTERRUPTIONS):
        process = nas.start("run", "--name", "cut", "--budget", "500", *CHOICES, "--sampler", "random", "--json")
        measuring(process)
        time.sleep(moments.uniform(0, 4))
        codes.append(end(process, how))
        left.append(len(files(temporary)))
    assert set(codes) == {AWAY[how]}
    LOG.info("%s: files left after each interruption: %s", how.name, left)
    assert sum(left) == 0


@pytest.mark.slow
def test_files_left_by_a_killed_driver_and_its_workers_are_removed_at_the_next_start(
    nas: Program, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    for _ in range(INTERRUPTIONS // 4):
        process = nas.start("run", "--name", "cut", "--budget", "500", *CHOICES, "--sampler", "random", "--json")
        measuring(process)
        workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        for worker in workers:
            os.kill(int(worker), signal.SIGSTOP)  # so that none of them sees the others end
        process.kill()
        for worker in workers:
            os.kill(int(worker), signal.SIGKILL)
        process.communicate(timeout=60)
        assert len(list(temporary.iterdir())) == 1, "of this one alone: the earlier ones were swept"
    assert nas("measure", "next-vit-s", "--latency", "ort:resolution=64").code == 0
    assert files(temporary) == []
