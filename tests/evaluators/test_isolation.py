"""Processes of their own: whatever becomes of one candidate, the next is evaluated."""

import itertools
import multiprocessing
import time
from pathlib import Path

import pytest

import evaluators
from evaluators.common import counting
from evaluators.common.connection import Worker
from evaluators.common.isolation import Bench
from evaluators.common.locks import lock
from search_spaces import PAPER
from search_spaces.common.errors import MeasurementFailed

S = PAPER["next-vit-s"]


def test_a_latency_comes_back_as_it_was_measured() -> None:
    with Bench() as bench:
        first = bench.measure(evaluators.get("ort:resolution=32"), S)
        second = bench.measure(evaluators.get("ort:resolution=32"), S)
    assert first.metric.unit == "ms"
    assert first.quality in ("clean", "noisy", "cpu_time", "drifted")
    assert first.value == pytest.approx(second.value, rel=0.5)
    assert first.protocol["stopwatch"]["half_width"] == 0.02
    assert first.details["reference_ms"] > 0


def test_a_score_is_the_same_in_another_process() -> None:
    evaluator = evaluators.get("entropy:resolution=32,seeds=2")
    with Bench() as bench:
        assert bench.measure(evaluator, S).value == evaluator.measure(S).value


def test_a_drifted_machine_is_flagged() -> None:
    with Bench() as bench:
        found = bench.measure(evaluators.get("ort:resolution=32"), S, baseline=1e-3)
    assert found.quality == "drifted"
    assert found.details["attempts"] == 3
    assert any("measure again when calm" in warning for warning in found.warnings)


def test_a_candidate_that_takes_too_long_is_stopped_and_the_next_one_works() -> None:
    with Bench(timeout=0.5) as bench:
        with pytest.raises(MeasurementFailed, match=r"took longer than 0\.5 s and was stopped"):
            bench.measure(evaluators.get("entropy:resolution=512"), PAPER["next-vit-l"])
        bench.timeout = 60
        assert bench.measure(evaluators.get("entropy:resolution=32,seeds=2"), S).value > 0


def test_an_answer_that_never_comes_has_a_cause() -> None:
    worker = Worker()
    worker.process.kill()
    with pytest.raises(MeasurementFailed, match="the process was ended by SIGKILL"):
        worker.run({"do": "measure", "evaluator": "params", "architecture": S.to_dict()}, 10)
    worker.close()


def test_a_job_that_makes_no_sense_is_an_answer_too() -> None:
    worker = Worker()
    with pytest.raises(MeasurementFailed, match="no evaluator is called 'nothing'"):
        worker.run({"do": "measure", "evaluator": "nothing", "architecture": S.to_dict()}, 60)
    assert (
        worker.run({"do": "measure", "evaluator": "params", "architecture": S.to_dict()}, 60)["measurement"]["value"]
        > 31
    )
    worker.close()


def test_a_count_that_fails_costs_its_candidate_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "macs", lambda *_: 1 / 0)
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
