"""`nas worker` and `nas status`, as their users type them."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from evaluators.core.source_digest import code
from evaluators.workers.bench import Bench
from nas.commands.dashboard import team_facts
from nas.farm import tables
from nas.farm.server import LaneServer
from results.pages import dashboard
from results.store.store import Store
from search_spaces import PAPER
from tests.conftest import Program
from tests.postgresql import Server

S = PAPER["next-vit-s"].to_dict()
SCORE = ("--proxy", "entropy:resolution=32,seeds=2")
LANE = ("--latency", "ort:resolution=32@lane:box")


@pytest.fixture
def answer(url: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """What a worker that offers `ort` answers to a job."""
    with Bench() as bench:
        server = LaneServer(url, "box", [], bench, print)
        server.offers = {"ort", "train"}
        yield lambda job, theirs="": server._answer(job, 60, theirs or code())


@pytest.mark.slow
def test_a_driver_that_is_killed_resumes_over_the_lane(nas: Program, serving: Any, url: str) -> None:
    worker = serving()
    driver = nas.start("run", "--name", "far", "--budget", "4", *SCORE, *LANE, "--store", url)
    with closing(Store(url)) as store:
        while not ("far" in store.names() and any(trial.state == "ok" for trial in store.run("far").trials)):
            assert driver.poll() is None, driver.communicate()[1]
            time.sleep(0.2)
        assert "process" in store.driver("far")
    driver.kill()
    driver.communicate()
    left = nas("status", "far", "--store", url)
    assert left.code == 0 and "far: " in left.err and " of 4; " in left.err
    resumed = nas("run", "--name", "far", "--store", url)
    assert resumed.code == 0, resumed.err
    with closing(Store(url)) as store:
        run = store.run("far")
    assert [trial.state for trial in run.trials] == ["ok"] * 4
    assert len({trial.architecture.id for trial in run.trials}) == 4
    done = nas("status", "far", "--store", url, "--json").json
    assert (done["counted"], done["budget"], done["states"], done["seconds_left"]) == (4, 4, {"ok": 4}, 0)
    assert done["an_hour"] > 0 and not done["driver"] and [lane["lane"] for lane in done["lanes"]] == ["box"]
    team = team_facts(url, "far")
    assert team == {"driver": "nobody", "lanes": "box: 1 worker, 0 waiting, 0 being done"}
    assert "<dd>box: 1 worker, 0 waiting, 0 being done</dd>" in dashboard.page(run, live=True, further=team)
    shown = nas("status", "--store", url, "--json").json
    assert [(lane["lane"], lane["alive"], lane["waiting"]) for lane in shown] == [("box", True, 0)]
    worker.send_signal(signal.SIGINT)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0 and "jobs done, of which 0 failed" in said
    assert nas("status", "--store", url, "--json").json == []


def test_workers_that_are_gone_share_a_row(nas: Program, server: Server, url: str) -> None:
    tables.create(url)
    server.execute(
        "INSERT INTO nas_lanes (lane, worker, host, offers, code, done, failed, since, seen) VALUES"
        " ('box', 'process 1', 'here', 'ort', '', 8, 1, now() - interval '2 hours', now()),"
        " ('box', 'process 2', 'here', 'ort', '', 5, 2, now() - interval '2 hours', now() - interval '1 hour'),"
        " ('box', 'process 3', 'there', 'ort', '', 30, 0, now() - interval '2 hours', now() - interval '10 minutes'),"
        " ('old', 'process 4', 'there', 'ort', '', 9, 0, now() - interval '2 days', now() - interval '2 days')",
        url.split("/")[-1],
    )
    shown = nas("status", "--store", url)
    rows = [re.split(r"  +", line) for line in shown.out.splitlines()[1:]]
    assert rows == [
        ["box", "process 1 on here", "ort", "0", "0", "8", "1", "4"],
        ["box", "2 gone, the last 10 min ago (process 3 on there)", "-", "35", "2", "-"],
        ["old", "nobody: nas worker --lane old", "-", "0", "0", "-", "-", "-"],
        ["old", "1 gone, the last 2.0 days ago (process 4 on there)", "-", "9", "0", "-"],
    ]
    assert len(nas("status", "--store", url, "--json").json) == 4


def test_a_second_interrupt_ends_a_worker_at_once_and_its_job_stays(nas: Program, serving: Any, url: str) -> None:
    """A long one: next-vit-l at 1024 pixels."""
    worker = serving()
    driver = nas.start("measure", "next-vit-l", "--latency", "ort:resolution=1024@lane:box", "--store", url)

    def doing() -> int:
        shown = nas("status", "--store", url, "--json").json
        return sum(lane["doing"] for lane in shown)

    while not doing():
        time.sleep(0.1)
    time.sleep(2)  # its description is quick, its measurement is not
    for _ in range(2):
        worker.send_signal(signal.SIGINT)
        time.sleep(0.3)
    worker.communicate(timeout=20)
    assert worker.returncode == 130 and doing() == 1
    driver.kill()
    driver.communicate()


def test_what_a_worker_refuses(answer: Any) -> None:
    measure = {"do": "measure", "evaluator": "ort:resolution=32", "architecture": S}
    for job, words in (
        ({**measure, "evaluator": "trt"}, "does not offer 'trt'"),
        ({**measure, "evaluator": "ort:python=/bin/sh"}, "does not offer"),
        ({**measure, "evaluator": "ort@ssh:host"}, "does not offer"),
        ({**measure, "evaluator": "../evil.py"}, "does not offer"),
        ({**measure, "evaluator": "train:data=/etc,epochs=1"}, "does not have the data /etc: it has none"),
        ({**measure, "evaluator": "train:data=hf:owner/name,epochs=1"}, "does not have the data hf:owner/name"),
        ({**measure, "evaluator": "ort:colour=red"}, "colour"),
        ({**measure, "architecture": {"stages": []}}, "schema"),
        ({**measure, "path": "/etc/passwd"}, "takes no 'path'"),
        ({"do": "join", "evaluator": "ort", "architecture": S}, "does not 'join'"),
        ({"do": "shutdown"}, "a job is an object"),
        ({**measure, "evaluator": "o" * 70_000}, "more than 65536 bytes"),
    ):
        answered = answer(job)
        assert words in answered["cause"], job
        assert "infrastructure" not in answered, "it is the job's fault"
    other = answer(measure, theirs="another")
    assert "another version of nas asks (code another there" in other["cause"] and other["infrastructure"]


def test_bad_input(nas: Program, url: str) -> None:
    for options, expected, words in (
        (["worker"], 2, "has no queue: lanes are those of a team's database"),
        (["status"], 2, "has no queue"),
        (["status", "nhs-1"], 1, "there are no runs yet"),
        (["status", "nhs-1", "--store", url], 2, "no run is called 'nhs-1'"),
        (["worker", "--store", url, "--offer", "nothing"], 2, "nothing"),
        (["worker", "--store", url, "--offer", "ort:threads=2"], 2, "drivers choose the options"),
        (["worker", "--store", url, "--lane", "a b"], 2, "is no name for a lane"),
        (["worker", "--store", "postgresql://localhost:1/nas"], 1, "refused"),
        (["status", "--store", "postgresql://localhost:1/nas"], 1, "refused"),
        (["run", "--latency", "ort@lane:", "--dry-run"], 2, "names no location"),
        (["run", "--latency", "ort@lane:a b", "--dry-run"], 2, "is no name for a lane"),
        (["run", "--latency", "ort@lane:box", "--dry-run"], 1, "no lane 'box' without a database on a server"),
    ):
        ended = nas(*options)
        assert (ended.code, words in ended.err) == (expected, True), (options, ended.err)
        assert "Traceback" not in ended.err
    nothing = nas("status", "--store", url)
    assert nothing.code == 0 and "no lanes yet" in nothing.err


def test_workers_see_no_runs_and_drivers_all(nas: Program, server: Server, url: str) -> None:
    made = nas("store", "init-roles", "--store", url)
    assert made.code == 0 and "GRANT nas_worker TO t4box" in made.err
    assert nas("store", "init-roles", "--store", url).code == 0, "it may be run again"
    for account, role in (("laptop", "nas_driver"), ("t4box", "nas_worker")):
        server.execute(f"DROP ROLE IF EXISTS {account}")
        server.execute(f"CREATE ROLE {account} LOGIN")
        server.execute(f"GRANT {role} TO {account}")
    driver, measurer = (url.replace("postgres@", f"{account}@") for account in ("laptop", "t4box"))
    worker = nas.start("worker", "--lane", "box", "--store", measurer)
    run = nas("run", "--name", "far", "--budget", "2", *SCORE, *LANE, "--store", driver)
    worker.send_signal(signal.SIGINT)
    _, said = worker.communicate(timeout=60)
    assert run.code == 0, run.err + said
    assert "of which 0 failed" in said
    peeping = nas("show", "--store", measurer)
    assert (peeping.code, "permission denied" in peeping.err) == (1, True)
    assert nas("show", "far", "--store", driver).code == 0
    for account in ("laptop", "t4box"):
        server.execute(f"DROP ROLE {account}")
