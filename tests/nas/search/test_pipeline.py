"""Several candidates in the works: the same candidates, in order, while the next is built beside a measurement."""

import json
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import evaluators
from evaluators import Evaluator, Measurement
from nas.search.config import Config
from nas.search.pipeline import Candidate, Pipeline, check_jobs, usual_jobs
from nas.search.proposals import SAMPLERS, propose
from nas.search.run_state import RunState
from nas.search.sampling.history import AHEAD, History
from nas.search.sampling.known_trials import Told
from results.store.record import Trial
from results.store.store import Store
from search_spaces import PAPER, Architecture, Network, TimmNetwork, nhs
from search_spaces.common.errors import MeasurementFailed, UsageError
from tests import synthetic
from tests.conftest import Program

S, B = PAPER["next-vit-s"].id, PAPER["next-vit-b"].id
BOARD = '''
"""A latency that writes down what it does, and builds one network only when another is being measured."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluators import Device
from evaluators.stopwatch.rounds import Protocol
from evaluators.targets.latency import Latency, Running

LOG, PATIENCE = Path({log!r}), 20


@dataclass(frozen=True, kw_only=True)
class Board(Latency):
    """A board of which only its log is true."""

    opens_early = True
    references = ()
    stopwatch = Protocol(rounds=2, enough_rounds=2, seconds=0.0, round_seconds=0.0)

    def device(self):
        return Device(label="a board", facts={{"board": 1}})

    @contextmanager
    def _running(self, architecture, resolution):
        if architecture.id == {hangs!r}:
            time.sleep(60)
        end = time.monotonic() + PATIENCE
        while architecture.id == {late!r} and "measuring" not in LOG.read_text() and time.monotonic() < end:
            time.sleep(0.02)
        log(architecture, "built")
        yield Running(once=lambda: log(architecture, "measuring"))


def log(architecture, word):
    with LOG.open("a") as file:
        file.write(f"{{architecture.id}} {{word}}\\n")
    time.sleep(0.02)
'''


@pytest.fixture
def board(nas: Program):
    """A program with the plug-in `./board.py`, and the log that it writes."""

    def make(**networks: str) -> tuple[Program, Path]:
        log = nas.folder / "log"
        log.touch()
        (nas.folder / "board.py").write_text(BOARD.format(log=str(log), **{"hangs": "", "late": "", **networks}))
        return nas, log

    return make


def run(program: Program, *arguments: str) -> Any:
    return program("run", "--proxy", "structure", "--latency", "./board.py", "--sampler", "random", *arguments)


def trials(program: Program, run: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = program("show", run, "--all", "--json").json["trials"]
    return shown


def test_the_next_candidate_is_built_while_one_is_measured(board) -> None:
    """Next-ViT-B is built as soon as Next-ViT-S is measured, and not before; they finish in their order."""
    program, log = board(late=B)
    ended = run(program, "--budget", "4", "--jobs", "2", "--json")
    assert ended.code == 0, ended.err
    assert [event["trial"] for event in ended.events if event["event"] == "trial"] == list(range(4))
    lines = [line.split() for line in log.read_text().splitlines()]
    assert lines.index([S, "measuring"]) < lines.index([B, "built"]) < lines.index([B, "measuring"])
    assert 0 < ended.events[-1]["measuring"] < 1
    assert ended.events[-1]["steps"]["waiting"] >= 0


def test_a_build_that_hangs_costs_one_candidate(board) -> None:
    """Next-ViT-S; the others are measured meanwhile, and reported after it."""
    program, log = board(hangs=S)
    ended = run(program, "--budget", "4", "--jobs", "2", "--timeout", "8", "--json")
    assert ended.code == 0, ended.err
    assert "failed 1 x: took longer than 8 s and was stopped" in ended.err
    states = [event["state"] for event in ended.events if event["event"] == "trial"]
    assert states == ["failed"] + ["ok"] * 3
    assert B in log.read_text()


@pytest.mark.parametrize(
    "sampler", ["gp", *(pytest.param(name, marks=pytest.mark.slow) for name in SAMPLERS if name != "gp")]
)
def test_a_run_killed_with_several_in_the_works_asks_for_what_one_job_asks_for(
    troubled, sampler: str, tmp_path: Path
) -> None:
    """Killed when the seventh measurement hangs. Values are exact here, and of a limit, too."""
    log, mark = tmp_path / "log", tmp_path / "mended"
    program = troubled(f"""
        with open({str(log)!r}, "a") as file:
            file.write("x")
        time.sleep(60 if os.path.getsize({str(log)!r}) > 6 and not os.path.exists({str(mark)!r}) else 0)
    """)
    choices = ("--proxy", "structure", "--latency", "troubled", "--limit", "troubled<=40ms", "--sampler", sampler)
    command = ("run", *choices, "--budget", "17", "--json")
    process = program.start(*command, "--name", "killed", "--jobs", "2")
    assert process.stdout
    for line in process.stdout:
        if json.loads(line).get("trial") == 5:
            break
    while in_the_works(program) < AHEAD + 1:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    states = [trial["state"] for trial in trials(program, "killed")]
    assert (states.count("running"), states[-AHEAD - 1 :]) == (AHEAD + 1, ["running"] * (AHEAD + 1))
    mark.touch()
    assert program(*command, "--name", "killed", "--jobs", "2").code == 0
    assert program(*command, "--name", "single", "--jobs", "1").code == 0
    killed, single = trials(program, "killed"), trials(program, "single")
    for name in ("id", "state", "measurements", "constraints"):
        assert [trial[name] for trial in killed] == [trial[name] for trial in single], name


def in_the_works(program: Program) -> int:
    """How many candidates of a run were asked for and are not finished."""
    with closing(sqlite3.connect(program.folder / "runs" / "nas.db")) as database:
        count: int = database.execute("SELECT count(*) FROM trials WHERE state = 'RUNNING'").fetchone()[0]
    return count


@pytest.mark.parametrize("jobs", ["0", "-1", "1000"])
def test_jobs_beyond_the_cores_are_refused_before_anything_begins(nas: Program, jobs: str) -> None:
    ended = nas("run", "--jobs", jobs)
    assert ended.code == 2
    assert "--jobs expects a number from 1 to" in ended.err
    assert f"got {jobs}" in ended.err
    assert list(nas.folder.iterdir()) == []


def test_two_jobs_are_usual_where_a_core_is_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nas.search.pipeline.cores", "evaluators.latency.ort.cores"):
        monkeypatch.setattr(name, lambda: 4)
    assert usual_jobs([evaluators.get("ort")]) == 2
    assert usual_jobs([evaluators.get("ort"), evaluators.get("ort:threads=4")]) == 1
    assert usual_jobs([evaluators.get("coreml")]) == 1, "it needs all of a Mac"
    assert usual_jobs([evaluators.get("ort:threads=4@ssh:elsewhere")]) == 2
    assert usual_jobs([evaluators.get("ort")], "gpus") == AHEAD + 1, "others train"
    monkeypatch.setattr("nas.search.pipeline.cores", lambda: 1)
    assert usual_jobs([evaluators.get("ort")]) == 1
    assert check_jobs(1) == 1
    assert check_jobs(AHEAD + 1, "gpus") == AHEAD + 1
    assert check_jobs(12, "gpus", ahead=11) == 12


def test_a_search_asks_for_few_candidates_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.search.pipeline.cores", lambda: 64)
    assert check_jobs(AHEAD + 1) == AHEAD + 1
    with pytest.raises(UsageError, match=r"from 1 to 5 \(a search asks for 5 ahead\), got 6"):
        check_jobs(AHEAD + 2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/nas.db", writable=True)
    store.create("one", Config(budget=20, proxy="structure").to_dict())
    yield store
    store.close()


@pytest.mark.parametrize("ahead", [0, AHEAD, 9])
def test_what_became_of_the_latest_candidates_is_not_told(store: Store, ahead: int) -> None:
    """A proposal is the same before and after they are finished, however many are asked for ahead."""
    begun = []
    for number in range(14):
        proposal = propose(nhs, "random", 0, Told(store.frozen("one")), ("maximize", "minimize"), lambda _: "")
        begun.append(store.begin("one", proposal))
        if number < 14 - ahead:
            finish(store, begun[-1])
    early = History(ahead).told(store.run("one"), store.frozen("one"))
    assert [trial.state.name for trial in early] == ["COMPLETE"] * (14 - ahead) + ["RUNNING"] * ahead
    for trial in begun[14 - ahead :]:
        finish(store, trial)
    late = History(ahead).told(store.run("one"), store.frozen("one"))
    for now, then in zip(early, late, strict=True):
        for name in ("state", "values", "params", "constraints", "system_attrs"):
            assert getattr(now, name) == getattr(then, name)
    asked = [propose(nhs, "gp", 0, each, ("maximize", "minimize"), lambda _: "").params for each in (early, late)]
    assert asked[0] == asked[1]


def test_a_history_that_grows_tells_what_a_new_one_would(store: Store) -> None:
    """With two candidates in flight, and after the run is read anew, which changes all that is known of it."""
    history, state, begun = History(3), RunState(store.run("one")), list[Trial]()
    outside: dict[str, Network] = {"peer": TimmNetwork(model="test_coatnet")}  # a network without parameters
    for number in range(12):
        told = history.told(state.run, store.frozen("one"))
        new = History(3).told(state.run, store.frozen("one"))
        assert told.number == new.number == number
        for kept, made in zip(told, new, strict=True):
            for name in ("number", "_trial_id", "state", "values", "params", "constraints", "system_attrs"):
                assert getattr(kept, name) == getattr(made, name)
        proposal = propose(nhs, "random", 0, told, ("maximize", "minimize"), lambda _: "", anchors=outside)
        begun.append(store.begin("one", proposal))
        state.begin(begun[-1])
        if number >= 2:
            finish(store, begun[number - 2])
            state.finish(store.run("one").trials[number - 2])
        if number == 7:
            state.read(store.run("one"))
    assert [trial.number for trial in state.running] == [10, 11]
    assert (len(state.finished), state.measured) == (10, 10)
    assert state.run.trials == store.run("one").trials


def finish(store: Store, trial: Trial) -> None:
    """Judges a network by its size and depth."""
    latency = float(sum(map(len, trial.stages and trial.architecture.blocks)))  # type: ignore[union-attr]
    found = {
        "structure": synthetic.measurement(evaluators.get("structure").metric, 100 - latency % 7),
        "ort": synthetic.measurement(evaluators.get("ort").metric, latency),
    }
    for measurement in found.values():
        store.remember(trial.architecture, measurement)
    values = [each.value for each in found.values()]
    store.finish("one", trial, found, values=values, constraints={"ort<=9ms": latency - 9}, seconds={})


def test_an_interrupted_pipeline_ends_what_works_and_begins_nothing_more() -> None:
    working, killed, measured = threading.Event(), threading.Event(), []

    def measure(evaluator: Evaluator, architecture: Architecture, waited: Any) -> Measurement:
        measured.append(architecture)
        working.set()
        killed.wait()
        raise MeasurementFailed("the process was ended by SIGKILL")

    bench = SimpleNamespace(measure=measure, kill=killed.set)
    ort = evaluators.get("ort")
    with pytest.raises(KeyboardInterrupt), Pipeline(bench, jobs=1) as pipeline:
        for number, network in enumerate(PAPER.values()):
            pipeline.submit(Candidate(Trial(number=number, architecture=network, state="running")), [ort, ort])
        working.wait()
        raise KeyboardInterrupt
    assert len(measured) == 1
