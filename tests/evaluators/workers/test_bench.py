"""Processes of their own: whatever becomes of one candidate, the next is evaluated."""

import itertools
import multiprocessing
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

import evaluators
from evaluators.core.locations import Location
from evaluators.core.locks import lock
from evaluators.workers.bench import Bench
from evaluators.workers.connection import Worker
from search_spaces import PAPER
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, NasError

S = PAPER["next-vit-s"]


def test_a_latency_comes_back_as_it_was_measured() -> None:
    with Bench() as bench:
        first = bench.measure(evaluators.get("ort:resolution=32"), S)
        second = bench.measure(evaluators.get("ort:resolution=32"), S)
    assert first.metric.unit == "ms"
    assert first.quality in ("clean", "corrected", "noisy")
    assert first.details["log_ratio"] == pytest.approx(second.details["log_ratio"], abs=0.3)
    assert first.protocol["stopwatch"]["limit_seconds"] == 3.0
    assert len(first.details["references_ms"]) == 2
    assert first.details["seconds"] < 3.5
    assert first.low < first.value < first.high


def test_a_score_is_the_same_in_another_process() -> None:
    evaluator = evaluators.get("entropy:resolution=32,seeds=2")
    with Bench() as bench:
        assert bench.measure(evaluator, S).value == evaluator.measure(S).value


def test_a_candidate_that_takes_too_long_is_stopped_and_the_next_one_works() -> None:
    with Bench(timeout=0.5) as bench:
        with pytest.raises(MeasurementFailed, match=r"took longer than 0\.5 s and was stopped"):
            bench.measure(evaluators.get("entropy:resolution=512"), PAPER["next-vit-l"])
        bench.timeout = 60
        assert bench.measure(evaluators.get("entropy:resolution=32,seeds=2"), S).value > 0


PARAMS = {"do": "measure", "evaluator": "params", "architecture": S.to_dict()}


@pytest.mark.parametrize(
    ("ending", "whose"), [(signal.SIGKILL, MeasurementFailed), (signal.SIGTERM, InfrastructureFailed)]
)
def test_an_answer_that_never_comes_has_a_cause(ending: signal.Signals, whose: type[NasError]) -> None:
    """The system kills a candidate that takes all memory; no candidate sends SIGTERM."""
    worker = Worker()
    with closing(worker):
        worker.run(PARAMS, 60)
        worker.process.send_signal(ending)
        with pytest.raises(whose, match=f"the process was ended by {ending.name}"):
            worker.run(PARAMS, 10)


def test_a_process_that_ends_before_it_is_ready_is_nobodys_fault() -> None:
    with closing(Worker()) as worker, pytest.raises(InfrastructureFailed, match="no worker could be started on this"):
        worker.process.kill()
        worker.run(PARAMS, 10)


def test_a_process_that_cannot_be_started_is_no_candidates_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Location, "command", lambda self: ["/nowhere/python"])
    with Bench() as bench, pytest.raises(InfrastructureFailed, match="no process could be started: No such file"):
        bench.measure(evaluators.get("ort"), S)


def test_a_job_that_makes_no_sense_is_an_answer_too() -> None:
    with closing(Worker()) as worker:
        with pytest.raises(MeasurementFailed, match="no evaluator is called 'nothing'"):
            worker.run(PARAMS | {"evaluator": "nothing"}, 60)
        assert worker.run(PARAMS, 60)["measurement"]["value"] > 31


def test_a_count_that_fails_costs_its_candidate_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluators.cost.macs.total", lambda *_: 1 / 0)
    with Bench() as bench, pytest.raises(MeasurementFailed, match="ZeroDivisionError: division by zero"):
        bench.measure(evaluators.get("macs"), S)


def hold(path: Path) -> None:
    with lock("test-device").held(), path.open("a") as log:
        log.write(f"{time.monotonic()} ")
        log.flush()
        time.sleep(0.2)
        log.write(f"{time.monotonic()}\n")


def test_a_device_is_measured_by_one_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [multiprocessing.get_context("spawn").Process(target=hold, args=(log,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    spans = sorted(tuple(map(float, line.split())) for line in log.read_text().splitlines())
    assert len(spans) == 3
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
