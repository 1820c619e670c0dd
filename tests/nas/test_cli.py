"""Every command as a user types it, rightly and wrongly."""

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from evaluators.prediction import published_table
from nas.commands import doctor
from search_spaces import PAPER, Architecture
from tests.conftest import QUICK, Program


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["run", "--space", "nsh"], "did you mean 'nhs'"),
        (["run", "--proxy", "entrpy"], "did you mean 'entropy'"),
        (["run", "--proxy", "ort"], "no accuracy evaluator is called 'ort'"),
        (["run", "--latency", "cudda"], "did you mean 'cuda'"),
        (["run", "--latency", "ort:thread=2"], "its options: resolution=224, batch=1, threads=1"),
        (["run", "--latency", "ort:threads=0"], "nearest: threads=1"),
        (["run", "--sampler", "gpp"], "did you mean 'gp'"),
        (["run", "--budget", "0"], "--budget expects at least 1 candidate, got 0"),
        (["run", "--budget", "-3"], "--budget expects at least 1 candidate, got -3"),
        (["run", "--budget", "many"], "'many' is not a valid integer"),
        (["run", "--limit", "prams<=35M"], "did you mean 'params'"),
        (["run", "--limit", "ort<=40kg"], "unknown unit 'kg'"),
        (["run", "--limit", "ort<=40"], "has no unit"),
        (["run", "--limit", "ort is small"], "is not a limit"),
        (["run", "--limit", "ort:threads=2<=40ms"], "which this run does not evaluate"),
        (["run", "--latency", "ort", "--latency", "ort"], "is given the same value twice"),
        (["run", "--store", "nas.db"], "is not a database URL"),
        (["show", "--runs", "--csv"], "--runs lists all runs"),
        (["show", "nhs-1", "--runs"], "--runs lists all runs"),
        (["show", "--rules", "--runs"], "--runs lists all runs"),
        (["show", "--rules", "--all"], "leave --limit, --all and --csv out"),
        (["measure", "next-vit-x"], "did you mean 'next-vit"),
        (["measure", "CCC-CCQ-C-C"], "no file, network or notation is called"),
        (["measure", "CCC-CCC"], "expected four groups"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest_one_and_exit_2(
    nas: Program, arguments: list[str], message: str
) -> None:
    ended = nas(*arguments)
    assert ended.code == 2, ended.err
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert list(nas.folder.iterdir()) == [], "a refused command leaves nothing behind"


@pytest.mark.parametrize("command", [["show"], ["dashboard"], ["export", "--pick", "knee", "-o", "arch.json"]])
def test_reading_without_runs_names_the_command_to_start_one_and_creates_nothing(
    nas: Program, command: list[str]
) -> None:
    ended = nas(*command)
    assert ended.code == 1
    assert "there are no runs yet" in ended.err
    assert "nas run --space nhs" in ended.err
    assert list(nas.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"schema": "nas.architecture/1"}', "the field 'stages' is missing"),
        ('{"schema": "nas.architecture/9", "stages": []}', "expected 'nas.architecture/1'"),
        ('{"layers": [1, 2]}', "unknown field 'layers'"),
        ("[]", "expected a JSON object"),
    ],
)
def test_a_broken_or_foreign_architecture_is_named(nas: Program, text: str, message: str) -> None:
    (nas.folder / "arch.json").write_text(text)
    ended = nas("measure", "arch.json")
    assert ended.code == 2
    assert message in ended.err


def test_a_database_of_another_program_is_refused(nas: Program) -> None:
    (nas.folder / "runs").mkdir()
    with sqlite3.connect(nas.folder / "runs" / "nas.db") as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    for command in (["show"], ["run", "--budget", "3"]):
        ended = nas(*command)
        assert ended.code == 1
        assert "belongs to another program (tables: songs)" in ended.err


def test_the_front_is_shown_with_notation_glyphs_and_units(finished: Program) -> None:
    ended = finished("show", "whole")
    assert ended.code == 0
    assert "ort:resolution=32 [ms]" in ended.out
    assert "▖▖▖" in ended.out
    assert "not an accuracy: unvalidated on your data" in ended.err
    assert re.search(r"S : B : L is 1 : [\d.]+ \[.*\] here by ort:resolution=32; published at 224 pixels: ", ended.err)


def test_rules_are_told_or_that_there_are_none(finished: Program) -> None:
    ended = finished("show", "whole", "--rules", "--json")
    assert ended.json["networks"] == 14
    assert ended.code == (0 if ended.json["rules"] else 1)
    assert "too few" in ended.err or f"of {ended.json['tried']} rules" in ended.err


def test_the_front_holds_no_beaten_network(finished: Program) -> None:
    shown = finished("show", "whole", "--json").json["trials"]
    points = [
        (
            trial["measurements"]["entropy:resolution=32,seeds=2"]["value"],
            trial["measurements"]["ort:resolution=32"]["value"],
        )
        for trial in shown
    ]
    assert not any(a[0] >= b[0] and a[1] <= b[1] for a in points for b in points if a is not b)


def test_another_limit_gives_another_front(finished: Program) -> None:
    times = sorted(t["measurements"]["params"]["value"] for t in finished("show", "whole", "--json").json["trials"])
    ended = finished("show", "whole", "--limit", f"params<={times[0] + 0.1:.2f}M", "--json")
    assert [trial["measurements"]["params"]["value"] for trial in ended.json["trials"]] == [times[0]]
    nothing = finished("show", "whole", "--limit", "params<=1M")
    assert nothing.code == 1


def test_a_limit_on_a_metric_that_is_not_stored_is_refused(finished: Program) -> None:
    ended = finished("show", "whole", "--limit", "activations<=20M")
    assert ended.code == 2
    assert "has no 'activations'" in ended.err


def test_csv_has_one_row_per_trial(finished: Program) -> None:
    lines = finished("show", "whole", "--all", "--csv").out.splitlines()
    assert len(lines) == 15
    assert lines[0].startswith("trial,state,anchor,notation,id")


def test_runs_are_listed(finished: Program) -> None:
    assert {"run": "whole", "trials": 14}.items() <= finished("show", "--runs", "--json").json[0].items()


def test_an_exported_network_is_the_one_that_was_measured(finished: Program, tmp_path: Path) -> None:
    path = tmp_path / "arch.json"
    ended = finished("export", "whole", "--trial", "0", "-o", str(path), "--resolution", "64")
    assert ended.code == 0
    assert "31,763,368 parameters" in ended.err
    assert Architecture.from_json(path.read_text()) == PAPER["next-vit-s"]
    again = finished("export", "whole", "--trial", "1", "-o", str(path))
    assert again.code == 2
    assert "--force" in again.err
    assert finished("export", "whole", "--trial", "1", "-o", str(path), "--force", "--resolution", "64").code == 0
    assert Architecture.from_json(path.read_text()) == PAPER["next-vit-b"]
    assert [file.name for file in tmp_path.iterdir()] == ["arch.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trial", "99"], "has no trial 99"),
        ([], "add --trial NUMBER, --pick knee or --max-latency ort=40ms"),
        (["--trial", "0", "--pick", "knee"], "exclude each other"),
    ],
)
def test_export_says_which_trials_there_are(finished: Program, arguments: list[str], message: str) -> None:
    ended = finished("export", "whole", *arguments, "-o", "never.json")
    assert ended.code == 2
    assert message in ended.err


def test_a_network_is_measured_without_a_database(nas: Program) -> None:
    ended = nas("measure", "next-vit-s", "--latency", "ort:resolution=32", "--json")
    assert ended.code == 0, ended.err
    measurements = ended.json["measurements"]
    assert measurements["params"]["value"] == pytest.approx(31.763368)
    assert measurements["ort:resolution=32"]["metric"]["unit"] == "ms"
    assert "not stored: there is no database" in ended.err


def test_doctor_reports_what_can_be_measured(nas: Program) -> None:
    report = nas("doctor", "--quick", "--json").json
    ready = {state["evaluator"]: state["ready"] for state in report["evaluators"]}
    assert ready["ort"]
    assert report["packages"]["torch"]
    assert re.fullmatch(r"published networks up to timm [\d.]+, \w+ \d{4}.*", report["published"])
    assert nas("doctor", "--quick").code == 0


@pytest.mark.parametrize(("installed", "newer"), [("0.9.16", False), ("1.0.31", False), ("1.1", True), (None, False)])
def test_doctor_says_that_timm_is_newer_than_the_published_table(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, newer: bool
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: installed)
    monkeypatch.setattr(published_table, "origin", lambda: "timm 1.0.31, November 2026")
    assert ("the installed timm is newer" in doctor._published()) is newer
    monkeypatch.setattr(published_table, "origin", str)
    assert doctor._published() == "", "a damaged table: its evaluator says so"


def test_spaces_and_evaluators_are_listed(nas: Program) -> None:
    sizes = {space["name"]: space["networks"] for space in nas("spaces", "--json").json}
    assert sizes["nhs"] > 10**12 and list(sizes) == sorted(sizes)
    kinds = {evaluator["name"]: evaluator["kind"] for evaluator in nas("evaluators", "--json").json}
    assert kinds["entropy"] == kinds["structure"] == "score"
    assert kinds["ort"] == "measured"
    assert "score" in nas("evaluators").out


def test_an_unexpected_error_is_a_bug_report_and_exit_3(nas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (nas.folder / "sitecustomize.py").write_text("import nas.commands.lists\nnas.commands.lists.list_spaces = None\n")
    monkeypatch.setenv("PYTHONPATH", str(nas.folder), prepend=os.pathsep)
    ended = nas("spaces")
    assert ended.code == 3
    assert "this is a bug in nas" in ended.err
    assert "please send" in ended.err


def test_json_output_is_one_valid_document(finished: Program) -> None:
    for command in (["show", "whole"], ["show", "--runs"], ["spaces"], ["evaluators"], ["doctor", "--quick"]):
        json.loads(finished(*command, "--json").out)


def test_two_runs_are_compared(finished: Program) -> None:
    ended = finished("run", "--name", "other", "--budget", "3", "--seed", "1", *QUICK)
    assert ended.code == 0, ended.err
    compared = finished("compare", "other", "whole", "-o", "both.html")
    assert compared.code == 0, compared.err
    assert "</html>" in (finished.folder / "both.html").read_text()
    comparison = finished("compare", "other", "whole", "--json").json
    assert ("not compared" if comparison["doubts"] else "other covers ") in compared.err, "as calm as the machine was"
    assert comparison["difference"]["low"] <= comparison["difference"]["value"] <= comparison["difference"]["high"]
    assert finished("compare", "whole", "whole").code == 2
    assert "did you mean 'whole'" in finished("compare", "whole", "whola").err
