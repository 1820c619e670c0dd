"""Faults of a team's machines, in real processes: killed drivers, full disks, candidates that kill or hang a worker."""

import random
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from results import load
from results.store.record import Run
from results.store.store import Store
from tests.conftest import Program
from tests.nas.search.test_interruptions import kill_at_random
from tests.postgresql import Server

SPACE = ("--proxy", "structure", "--sampler", "random", "--seed", "7")
KILLS = 40
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM measurements) > 12 THEN
        RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON measurements FOR EACH ROW EXECUTE FUNCTION no_room()
"""
Serve = Callable[..., "subprocess.Popen[str]"]


def names(run: Run) -> list[str]:
    return [trial.architecture.id for trial in run.trials]


@pytest.mark.slow
def test_a_driver_killed_forty_times_loses_nothing(nas: Program, serving: Serve, server: Server, url: str) -> None:
    """At random moments, over a lane; the candidates are those of a run that nobody killed."""
    serving("--offer", "ort")
    latency = ("--latency", "ort:resolution=64@lane:box", "--store", url)
    command = ("run", *SPACE, *latency, "--budget", "60", "--json", "--jobs", "2", "--name")
    moments, finished, kills = random.Random(0), 0, 0
    while kills < KILLS:
        process = nas.start(*command, "killed")
        kill_at_random(process, moments)
        kills += 1
        with closing(Store(url)) as store:
            now = sum(each.state == "ok" for each in store.run("killed").trials) if "killed" in store.names() else 0
        assert now >= finished, "a trial was lost"
        finished = now
    for name in ("killed", "whole"):
        ended = nas(*command, name)
        assert ended.code == 0, ended.err
    killed, whole = load("killed", url), load("whole", url)
    assert [trial.number for trial in killed.trials] == list(range(60))
    assert {trial.state for trial in killed.trials} == {"ok"} and len(set(names(killed))) == 60
    assert names(killed) == names(whole)
    rows = server.execute("SELECT architecture, context FROM measurements WHERE kind = 'measured'", url.split("/")[-1])
    assert max(Counter(rows).values()) == 1, "no measurement twice"
    assert not server.execute("SELECT 1 FROM procrastinate_jobs UNION SELECT 1 FROM nas_answers", url.split("/")[-1])


def test_a_full_disk_of_the_server_ends_a_run_that_resumes(nas: Program, server: Server, url: str) -> None:
    """The server's own error, raised by a trigger once it holds a few measurements."""
    server.execute(FULL, url.split("/")[-1])
    command = ("run", "--name", "a", *SPACE, "--latency", "ort:resolution=32", "--budget", "6", "--store", url)
    ended = nas(*command)
    assert ended.code == 1 and "No space left on device" in ended.err
    assert "make room on the server's disk" in ended.err and "resume with: nas run --name a" in ended.err
    before = names(load("a", url))
    server.execute("DROP TRIGGER no_room ON measurements", url.split("/")[-1])
    assert nas(*command).code == 0
    after = load("a", url)
    assert [trial.state for trial in after.trials] == ["ok"] * 6 and names(after)[: len(before)] == before


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the process was ended by SIGSEGV"),
        ("time.sleep(600)", "took longer than 5 s and was stopped"),
        ("x = bytearray(1 << 60)", "MemoryError"),
        ("raise OSError(28, os.strerror(28))", "No space left on device"),
    ],
)
def test_a_candidate_that_harms_a_worker_costs_itself_alone(
    troubled: Any, serving: Serve, url: str, behaviour: str, cause: str
) -> None:
    """Next-ViT-S alone: the worker goes on, and a full disk there ends the run, which may be resumed."""
    program: Program = troubled(f'if str(architecture).count("T") == 4: {behaviour}')
    serving("--offer", "troubled")
    run = ("run", "--name", "a", *SPACE, "--latency", "troubled@lane:box", "--budget", "5", "--timeout", "5")
    ended = program(*run, "--store", url)
    if "OSError" in behaviour:
        assert ended.code == 1 and cause in ended.err and "resume with" in ended.err
        return
    assert ended.code == 0, ended.err
    assert f"failed 1 x: {cause}" in ended.err
    assert [trial.state for trial in load("a", url).trials] == ["failed"] + ["ok"] * 4
    served = program("status", "--store", url, "--json").json
    assert [(lane["alive"], lane["waiting"], lane["doing"]) for lane in served] == [(True, 0, 0)]
