"""Measuring later and elsewhere: a run's networks, samples of a space, and databases that come together again."""

import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.conftest import QUICK, Program

OTHER = "ort:resolution=48"


@pytest.fixture
def copy(finished: Program, tmp_path: Path) -> Program:
    """A folder of its own with the finished run in it."""
    shutil.copytree(finished.folder / "runs", tmp_path / "runs")
    return Program(tmp_path)


def rows(path: Path) -> int:
    with sqlite3.connect(path) as database:
        return database.execute("SELECT count(*) FROM measurements").fetchone()[0]


def test_a_front_is_measured_later_into_its_store(copy: Program) -> None:
    ended = copy("measure", "whole", "--front", "--latency", OTHER)
    assert ended.code == 0, ended.err
    shown = copy("show", "whole", "--json").json["trials"]
    assert all(OTHER in trial["measurements"] for trial in shown)
    assert f"{OTHER} [ms]" in copy("show", "whole").out
    copy.flag_latencies("clean")
    before = rows(copy.folder / "runs" / "nas.db")
    again = copy("measure", "whole", "--front", "--latency", OTHER)
    assert again.err.count("known") == len(shown)
    assert rows(copy.folder / "runs" / "nas.db") == before, "nothing is measured twice"


def test_a_doubtful_latency_is_measured_again(copy: Program) -> None:
    """By the command that `nas show` names, and into the run's own column."""
    own = QUICK[3]
    copy.flag_latencies("drifted")
    shown = copy("show", "whole")
    assert f"nas measure whole --front --latency {own}" in shown.err
    assert "drifted" in shown.out
    before = rows(copy.folder / "runs" / "nas.db")
    again = copy("measure", "whole", "--front", "--latency", own)
    assert again.code == 0, again.err
    members = len(copy("show", "whole", "--json").json["trials"])
    assert rows(copy.folder / "runs" / "nas.db") == before + again.err.count(f"  {own}: ") > before
    assert f"nas show whole shows them as {own}\n" in again.err
    assert members


def test_single_trials_of_the_latest_run_are_measured(copy: Program) -> None:
    ended = copy("measure", "--trial", "0", "--trial", "2", "--latency", OTHER)
    assert ended.code == 0, ended.err
    assert "2 of 2 measurements" in ended.err
    wrong = copy("measure", "--trial", "99")
    assert wrong.code == 2
    assert "has no trial 99" in wrong.err


@pytest.mark.slow
def test_a_sample_of_a_space_needs_no_run(nas: Program) -> None:
    ended = nas("measure", "--sample", "2", "--latency", "ort:resolution=32", "--seed", "3")
    assert ended.code == 0, ended.err
    assert rows(nas.folder / "runs" / "nas.db") == 2
    nas.flag_latencies("clean")
    assert nas("measure", "--sample", "2", "--latency", "ort:resolution=32", "--seed", "3").err.count("known") == 2
    refused = nas("predictor", "--latency", "ort:resolution=32")
    assert refused.code == 1
    assert "needs 20 measured networks" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a network to measure"),
        (["--sample", "3", "next-vit-s"], "--sample draws its own networks"),
        (["--sample", "3", "--front"], "exclude each other"),
        (["--front", "a", "b"], "one run at a time"),
        (["--front", "--json"], "--json is for single networks"),
        (["next-vit-s", "--compare"], "--compare takes two networks, got 1"),
        (["--sample", "0"], "0 is not in the range"),
    ],
)
def test_contradictory_options_are_refused(nas: Program, arguments: list[str], message: str) -> None:
    ended = nas("measure", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert list(nas.folder.iterdir()) == []


def test_measuring_a_run_without_runs_creates_nothing(nas: Program) -> None:
    ended = nas("measure", "--front")
    assert ended.code == 1
    assert "there are no runs yet" in ended.err
    assert list(nas.folder.iterdir()) == []


@pytest.mark.slow  # the verdict: tests/evaluators/workers/test_paired_comparison.py
def test_two_networks_are_compared_in_pairs(nas: Program) -> None:
    ended = nas("measure", "next-vit-s", "next-vit-l", "--compare", "--latency", "ort:resolution=32", "--json")
    assert ended.code == 0, ended.err
    (comparison,) = ended.json
    assert comparison["distinguishable"]
    assert 1 < comparison["low"] <= comparison["ratio"] <= comparison["high"]
    assert len(comparison["ratios"]) == 6


def test_another_interpreter_of_this_machine_measures_too(nas: Program) -> None:
    spec = f"ort:resolution=32,python={sys.executable}"
    ended = nas("measure", "next-vit-s", "--latency", spec, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["measurements"]["ort:resolution=32"]["value"] > 0


@pytest.mark.slow
def test_databases_are_merged_without_loss(copy: Program, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = Program(tmp_path_factory.mktemp("away"))
    shutil.copytree(copy.folder / "runs", away.folder / "runs")
    assert away("measure", "whole", "--front", "--latency", OTHER).code == 0  # there
    assert copy("measure", "whole", "--trial", "0", "--latency", "ort:resolution=40").code == 0  # and here
    assert away("run", "--name", "extra", "--budget", "3", *QUICK).code == 0
    members = len(away("show", "whole", "--json").json["trials"])
    source = str(away.folder / "runs" / "nas.db")
    before = Path(source).read_bytes()
    merged = copy("merge", "runs/nas.db", source)
    assert merged.code == 0, merged.err
    assert f"{members} new measurements" in merged.err
    assert "run whole: known" in merged.err
    assert "run extra: 3 trials" in merged.err
    assert Path(source).read_bytes() == before, "it is only read"
    shown = {t["trial"]: t["measurements"] for t in copy("show", "whole", "--all", "--json").json["trials"]}
    assert sum(OTHER in measurements for measurements in shown.values()) == members
    assert "ort:resolution=40" in shown[0]
    assert len(copy("show", "extra", "--all", "--json").json["trials"]) == 3
    again = copy("merge", "runs/nas.db", source, "--json").json[source]
    assert again["measurements"] == 0
    assert again["known"] > members


@pytest.mark.slow
def test_merging_extends_a_run_that_was_resumed_elsewhere(
    copy: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = Program(tmp_path_factory.mktemp("away"))
    shutil.copytree(copy.folder / "runs", away.folder / "runs")
    assert away("run", "--name", "whole", "--budget", "15").code == 0
    assert "run whole: 1 more trials" in copy("merge", "runs/nas.db", str(away.folder / "runs" / "nas.db")).err
    theirs, ours = (program("show", "whole", "--all", "--json").json for program in (away, copy))
    assert [t["id"] for t in ours["trials"]] == [t["id"] for t in theirs["trials"]]
    assert [t["state"] for t in ours["trials"]] == [t["state"] for t in theirs["trials"]]
    assert ours["config"]["budget"] == 15


@pytest.mark.parametrize("source", ["nowhere.db", "text.db"])
def test_only_databases_are_merged(copy: Program, source: str) -> None:
    (copy.folder / "text.db").write_text("once upon a time" * 100)
    ended = copy("merge", "runs/nas.db", source)
    assert ended.code == 1
    assert source in ended.err


def test_a_run_resumes_only_on_the_device_where_it_was_begun(copy: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy.folder / "sitecustomize.py").write_text(
        "import evaluators.targets.cpu as cpu\ncpu._model = lambda: 'Another Processor'\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(copy.folder), prepend=os.pathsep)
    ended = copy("run", "--name", "whole", "--budget", "15")
    assert ended.code == 1
    assert "was begun on another device or version" in ended.err
    assert "is Another Processor" in ended.err
    assert len(copy("show", "whole", "--all", "--json").json["trials"]) == 14


def test_numbers_of_another_device_get_a_column_of_their_own(copy: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy.folder / "sitecustomize.py").write_text(
        "import evaluators.targets.cpu as cpu\ncpu._model = lambda: 'Another Processor'\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(copy.folder), prepend=os.pathsep)
    ended = copy("measure", "whole", "--trial", "0", "--latency", QUICK[3])
    assert ended.code == 0, ended.err
    measurements = copy("show", "whole", "--all", "--json").json["trials"][0]["measurements"]
    assert measurements[f"{QUICK[3]}~2"]["device"]["facts"]["model"] == "Another Processor"
    assert measurements[QUICK[3]]["device"]["facts"]["model"] != "Another Processor"


@pytest.mark.slow
def test_doctor_examines_another_interpreter_and_tests_the_noise(nas: Program) -> None:
    ended = nas("doctor", "--latency", "ort:python=/nowhere/python", "--json")
    assert ended.code == 1
    (named,) = (state for state in ended.json["evaluators"] if state["place"] != "this machine")
    assert not named["ready"]
    assert named["place"] == "/nowhere/python"
    noise = ended.json["noise"]
    assert noise["processes"] >= 3
    assert 0 < noise["paired"] < 0.5
    assert noise["sentence"].startswith("a latency here repeats within")
