"""The main job, in real processes: run, interrupt, kill, resume, and what is never repeated."""

import json
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from results import limits
from tests.conftest import QUICK, Program


def trials(program: Program, run: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = program("show", run, "--all", "--json").json["trials"]
    return shown


def measured(program: Program) -> int:
    """How many measurements the database holds."""
    with sqlite3.connect(program.folder / "runs" / "nas.db") as database:
        count: int = database.execute("SELECT count(*) FROM measurements").fetchone()[0]
    return count


def end_after(process: "subprocess.Popen[str]", count: int, end: signal.Signals) -> int:
    """Ends a run after so many finished trials. Returns its exit code."""
    with process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            count -= json.loads(line)["event"] == "trial"
            if not count:
                process.send_signal(end)
                break
        process.communicate(timeout=60)
    return process.returncode


def test_the_anchors_come_first_and_no_network_twice(finished: Program) -> None:
    shown = trials(finished, "whole")
    assert [trial["anchor"] for trial in shown[:4]] == ["next-vit-s", "next-vit-b", "next-vit-l", None]
    assert len({trial["id"] for trial in shown}) == len(shown) == 14
    assert all(trial["state"] == "ok" for trial in shown)


def test_every_number_has_unit_interval_device_and_versions(finished: Program) -> None:
    for trial in trials(finished, "whole"):
        for measurement in trial["measurements"].values():
            assert measurement["metric"]["unit"]
            assert measurement["low"] <= measurement["value"] <= measurement["high"]
            assert measurement["device"]["label"]
            assert measurement["protocol"]["evaluator"]
        assert trial["measurements"]["ort:resolution=32"]["versions"]["onnxruntime"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGKILL, id="kill -9"),
        pytest.param(signal.SIGINT, id="Ctrl-C", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_proposes_the_same_candidates_as_an_uninterrupted_one(
    finished: Program, end: signal.Signals
) -> None:
    """Interrupted three times: among the anchors, the random candidates and the model's. Values come from the store."""
    name = f"interrupted-{end.value}"
    before = measured(finished)
    for count in (2, 5, 5):
        alone = ("--seed-from", "none") if count == 2 else ()  # like the whole run, which was the first of its store
        process = finished.start("run", "--name", name, "--budget", "14", *QUICK, "--json", *alone)
        assert end_after(process, count, end) == (-9 if end is signal.SIGKILL else 130)
    ended = finished("run", "--name", name)
    assert ended.code == 0, ended.err
    whole, resumed = trials(finished, "whole"), trials(finished, name)
    assert [trial["id"] for trial in resumed] == [trial["id"] for trial in whole]
    assert [t["measurements"] for t in resumed] == [t["measurements"] for t in whole]
    assert measured(finished) == before, "a measurement was repeated"


def test_ctrl_c_during_a_measurement_prints_how_to_resume(nas: Program) -> None:
    with nas.start("run", "--budget", "5", *QUICK) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("1/5"):
                process.send_signal(signal.SIGINT)
                break
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nas run --name nhs-1" in rest
    ended = nas("run", "--name", "nhs-1", "--budget", "2")
    assert ended.code == 0
    assert len([trial for trial in trials(nas, "nhs-1") if trial["state"] != "running"]) in (2, 3)


def test_a_finished_run_is_extended_by_a_larger_budget(finished: Program) -> None:
    assert finished("run", "--name", "grown", "--budget", "3", *QUICK).code == 0
    grown = finished("run", "--name", "grown", "--budget", "4")
    assert grown.code == 0
    assert len(trials(finished, "grown")) == 4


def test_resuming_with_another_configuration_is_refused_and_the_difference_named(finished: Program) -> None:
    ended = finished("run", "--name", "whole", "--seed", "7")
    assert ended.code == 2
    assert "seed: 0 in the run, 7 requested" in ended.err
    assert "nas run --name whole" in ended.err


def test_exact_limits_are_checked_before_any_measurement(finished: Program) -> None:
    ended = finished("run", "--name", "small", "--budget", "5", "--limit", "params<=30M", "--sampler", "random", *QUICK)
    assert ended.code == 0, ended.err
    shown = trials(finished, "small")
    assert [trial["state"] for trial in shown] == ["infeasible"] * 3 + ["ok"] * 2
    assert all(trial["measurements"]["params"]["value"] <= 30 for trial in shown[3:])
    assert "proposals replaced before any evaluation: params<=30M" in ended.err


@pytest.mark.slow
def test_latency_limits_are_measured_again_at_the_end(finished: Program) -> None:
    slowest = max(trial["measurements"]["ort:resolution=32"]["value"] for trial in trials(finished, "whole"))
    limit = str(limits.parse(f"ort:resolution=32<={2 * slowest:.1f}ms"))
    ended = finished("run", "--name", "limited", "--budget", "5", "--limit", limit, *QUICK)
    assert ended.code == 0, ended.err
    assert f"{limit} met with" in ended.err
    assert "keep the limits when measured again" in ended.err
    assert all(set(trial["constraints"]) == {limit} for trial in trials(finished, "limited"))


@pytest.mark.slow
def test_two_latencies_are_two_objectives(finished: Program) -> None:
    ended = finished("run", "--name", "both", "--budget", "4", *QUICK, "--latency", "ort:resolution=64")
    assert ended.code == 0, ended.err
    shown = trials(finished, "both")
    assert all({"ort:resolution=32", "ort:resolution=64"} <= set(trial["measurements"]) for trial in shown)


def test_a_limit_that_no_network_keeps_exits_with_1(finished: Program) -> None:
    limit = "ort:resolution=32<=0.001ms"
    ended = finished("run", "--name", "hopeless", "--budget", "4", "--limit", limit, *QUICK)
    assert ended.code == 1
    assert "no candidate succeeded within the limits" in ended.err
    assert "the closest is trial" in ended.err
    assert f"it misses {limit} by" in ended.err


def test_json_events_report_the_whole_run(finished: Program) -> None:
    ended = finished("run", "--name", "events", "--budget", "3", *QUICK, "--json")
    names = [event["event"] for event in ended.events if event["event"] != "repeated"]  # a busy machine repeats some
    assert names == ["started", "trial", "trial", "trial", "finished"]
    assert ended.events[-1]["reused"] == 6
    assert set(ended.events[-1]["steps"]) >= {"ask", "store", "cost", "accuracy", "latency"}


def test_two_processes_do_not_work_on_one_run(finished: Program) -> None:
    with finished.start("run", "--name", "taken", "--budget", "30", *QUICK, "--json") as first:
        assert first.stdout
        first.stdout.readline()
        second = finished("run", "--name", "taken", "--budget", "30", *QUICK)
        first.kill()
        first.communicate()
    assert second.code == 1
    assert "another process is working on run 'taken'" in second.err


def test_a_dry_run_measures_and_writes_nothing(nas: Program) -> None:
    ended = nas("run", "--dry-run")
    assert ended.code == 0
    assert "1.27e+12 networks" in ended.err
    assert ended.err.count("for example") == 3
    assert list(nas.folder.iterdir()) == []


def test_the_dashboard_is_written_by_the_run(finished: Program) -> None:
    page = Path(finished.folder / "runs" / "whole.html").read_text()
    assert "next-vit-s" in page
