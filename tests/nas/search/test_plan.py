"""Runs that start at the same time, resume, lose their database, or share it with Optuna."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from nas.search import plan
from nas.search.config import Config
from results.store.store import Store
from search_spaces.common.errors import StoreError
from tests.conftest import Program

LATENCY = '''
"""A latency that is there at once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.measurement import Reading
from search_spaces.common.errors import Unavailable


@dataclass(frozen=True, kw_only=True)
class Instant(Evaluator):
    unit: ClassVar[str] = "ms"
    direction: ClassVar[str] = "minimize"
    kind: ClassVar[str] = "measured"

    def missing(self):
        return Unavailable("there is no instant", "wait") if os.environ.get("NO_INSTANT") else None

    def _read(self, architecture):
        if os.environ.get("DELETE_AT") == str(architecture):
            for path in Path("runs").glob("nas.db*"):
                path.unlink()
        return Reading.exact(float(len(str(architecture))))
'''
ACCURACY = '''
"""An accuracy that passes for trained."""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.measurement import Reading


@dataclass(frozen=True, kw_only=True)
class Reached(Evaluator):
    unit: ClassVar[str] = "%"
    direction: ClassVar[str] = "maximize"
    kind: ClassVar[str] = "trained"

    def _read(self, architecture):
        return Reading.exact(50.0 + len(str(architecture)))
'''
SITE = """
import os, sys
import evaluators.accuracy, evaluators.latency
evaluators.accuracy.__path__.append({folder!r} + "/accuracy")
evaluators.latency.__path__.append({folder!r} + "/latency")
if os.environ.get("NO_ORT"):
    sys.modules["onnxruntime"] = None
"""
RUN = ("run", "--proxy", "structure", "--latency", "instant", "--sampler", "random")


@pytest.fixture
def instant(nas: Program, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program with `--latency instant` and `--proxy reached`."""
    folder = tmp_path_factory.mktemp("plugins")
    for family, name, text in (("latency", "instant", LATENCY), ("accuracy", "reached", ACCURACY)):
        (folder / family).mkdir()
        (folder / family / f"{name}.py").write_text(text)
    (folder / "sitecustomize.py").write_text(SITE.format(folder=str(folder)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return nas


def test_two_unnamed_runs_that_start_at_once_get_different_names(instant: Program) -> None:
    processes = [instant.start(*RUN, "--budget", "2", "--seed", seed) for seed in ("1", "2")]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    listed = instant("show", "--runs", "--json").json
    assert {run["run"] for run in listed} == {"nhs-1", "nhs-2"}
    assert {run["config"]["seed"] for run in listed} == {1, 2}
    assert [run["trials"] for run in listed] == [2, 2]


def test_a_database_deleted_during_a_run_ends_the_run_and_is_recovered(
    instant: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELETE_AT", "CCC-CCCT-CCCCTCCCCTCCCCTCCCCT-CCT")  # Next-ViT-B, the second
    ended = instant(*RUN, "--budget", "5")
    assert ended.code == 1
    assert "was deleted while it was in use" in ended.err
    assert "nas merge runs/nas.db runs/nas-recovered.db\n  resume with: nas run --name nhs-1" in ended.err
    assert not (instant.folder / "runs" / "nas.db").exists()
    monkeypatch.delenv("DELETE_AT")
    assert instant("merge", "runs/nas.db", "runs/nas-recovered.db").code == 0
    resumed = instant("run", "--name", "nhs-1")
    assert resumed.code == 0, resumed.err
    assert "resumed at 1 of 5" in resumed.err
    with sqlite3.connect(instant.folder / "runs" / "nas.db") as database:
        made = database.execute("SELECT count(*) FROM measurements WHERE metric = 'instant'").fetchone()[0]
    database.close()
    assert made == 5, "what was measured when it was noticed was not measured again"


def test_a_stored_run_is_resumed_with_its_own_configuration(instant: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    assert instant(*RUN, "--name", "mine", "--budget", "1", "--seed", "7").code == 0
    monkeypatch.setenv("NO_ORT", "1")  # the default latency, which this run does not have
    rehearsed = instant("run", "--name", "mine", "--dry-run")
    assert rehearsed.code == 0, rehearsed.err
    assert "run mine stands at 1 of 1, not resumed (--dry-run)" in rehearsed.err
    assert "objective    instant [ms]" in rehearsed.err
    assert "seed 7" in rehearsed.err
    assert instant("run", "--name", "mine", "--seed", "8", "--dry-run").code == 2
    assert instant("run", "--name", "mine", "--budget", "2").code == 0
    monkeypatch.setenv("NO_INSTANT", "1")
    refused = instant("run", "--name", "mine", "--budget", "3")
    assert (refused.code, "there is no instant" in refused.err) == (1, True)


def test_a_run_and_the_dashboard_command_write_the_same_page(instant: Program) -> None:
    ended = instant("run", "--proxy", "reached", "--latency", "instant", "--sampler", "random", "--budget", "2")
    assert ended.code == 0, ended.err
    page = Path(instant.folder, "runs", "nhs-1.html")
    written = page.read_text()
    assert "reached by training" in written
    assert "unvalidated on your data" not in written
    assert instant("dashboard").code == 0
    assert page.read_text() == written


def test_trials_of_optuna_itself_do_not_break_a_run(instant: Program) -> None:
    assert instant(*RUN, "--name", "mine", "--budget", "2").code == 0
    study = optuna.load_study(study_name="mine", storage=f"sqlite:///{instant.folder}/runs/nas.db")
    study.enqueue_trial({"depth": 3})
    study.add_trial(optuna.trial.create_trial(values=[1.0, 2.0]))
    study._storage._backend.engine.dispose()  # type: ignore[attr-defined]
    resumed = instant("run", "--name", "mine", "--budget", "3")
    assert resumed.code == 0, resumed.err
    assert "Ignored: 2 trials that nas run did not make" in resumed.err
    assert "3/3  trial 4 ok" in resumed.err
    shown = instant("show", "mine", "--all")
    assert (shown.code, "Ignored: 2 trials" in shown.err) == (0, True)
    assert "Ignored: 2 trials" in Path(instant.folder, "runs", "mine.html").read_text()


def test_invalid_run_names_are_refused_by_every_command(nas: Program) -> None:
    for arguments in (
        ["run", "--name", "../../x"],
        ["run", "--name=", "--dry-run"],
        ["show", ""],
        ["dashboard", "n" * 300],
        ["export", "a b", "--pick", "knee", "-o", "x"],
    ):
        ended = nas(*arguments)
        assert ended.code == 2, ended.err
        assert "is not a name for a run" in ended.err
    assert list(nas.folder.iterdir()) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///fifo"])
def test_a_store_that_cannot_keep_data_is_refused(nas: Program, url: str) -> None:
    os.mkfifo(nas.folder / "fifo")
    for arguments in (["run", "--store", url], ["measure", "next-vit-s", "--store", url], ["merge", url, "other.db"]):
        ended = nas(*arguments)
        assert ended.code == 2, ended.err
        assert "name a file: sqlite:///runs/nas.db" in ended.err
    assert [path.name for path in nas.folder.iterdir()] == ["fifo"]


def test_an_empty_run_is_shown_in_every_form(instant: Program) -> None:
    """A run that was stopped before its first trial, and a copy of it whose attribute a disk has spoilt."""
    store = Store(f"sqlite:///{instant.folder}/runs/nas.db", writable=True)
    store.create("empty", Config(budget=3).to_dict())
    store.close()
    shown = instant("show", "--all", "--csv")
    assert (shown.code, shown.out) == (1, "trial,state,anchor,notation,id,cause\n"), shown.err
    both = instant("show", "--csv", "--json")
    assert (both.code, "--csv and --json exclude each other" in both.err) == (2, True)
    with sqlite3.connect(instant.folder / "runs" / "nas.db") as database:
        database.execute("UPDATE study_user_attributes SET value_json = '{' WHERE key = 'nas.config'")
    database.close()
    listed = instant("show", "--runs")
    assert (listed.code, "left out: run 'empty' in 'sqlite:///runs/nas.db' is damaged" in listed.err) == (1, True)
    merged = instant("merge", "new.db", "runs/nas.db")
    assert (merged.code, "left out: the whole run 'empty'" in merged.err) == (1, True)


def test_an_unnamed_run_skips_names_locked_by_other_processes(tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path}/nas.db", writable=True)) as store:
        with plan.reserved(store, None, "nhs") as first, plan.reserved(store, None, "nhs") as second:
            assert (first, second) == ("nhs-1", "nhs-2")
            with (
                pytest.raises(StoreError, match="another process is working on run 'nhs-1'"),
                plan.reserved(store, "nhs-1", "nhs"),
            ):
                pass
        store.create("nhs-1", Config().to_dict())
        with plan.reserved(store, None, "nhs") as third:
            assert third == "nhs-2"
