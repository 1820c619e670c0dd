"""The queue and its workers, as real processes on a real server: nothing is lost, nothing done twice at a time."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from evaluators.workers import lanes
from evaluators.workers.lanes import LaneWorker
from nas.farm import tables
from nas.farm.queue import PostgresQueue
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, StoreError, Unavailable, UsageError
from tests.nas.farm.conftest import job, logged
from tests.postgresql import Server


def test_two_workers_of_a_lane_never_work_at_once(queue: PostgresQueue, work: Any, tmp_path: Path) -> None:
    """Nor do two drivers make them: forty jobs from four threads, every one done once."""
    work(), work()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(LaneWorker(queue, "a").run, job(seed), 60) for seed in range(40)]
        assert [each.result()["ratio"] for each in asked] == list(range(40))
    done = logged(tmp_path)
    assert sorted(seed for _, _, seed in done) == list(range(40))
    assert all(ended <= begun for (_, ended, _), (begun, _, _) in itertools.pairwise(done))
    state = queue.state("a")
    while state.doing:  # a driver hears of an answer before the worker ends its job
        time.sleep(0.05)
        state = queue.state("a")
    assert (len(state.workers), state.waiting) == (2, 0)


def test_lanes_work_beside_each_other(queue: PostgresQueue, work: Any) -> None:
    work("a", 0.5), work("b", 0.5)
    LaneWorker(queue, "a").run(job(0), 60), LaneWorker(queue, "b").run(job(0), 60)
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda lane: LaneWorker(queue, lane).run(job(1), 60), "ab"))
    assert time.monotonic() - begun < 0.95


def test_a_job_that_is_asked_for_again_is_the_same(queue: PostgresQueue, work: Any, tmp_path: Path) -> None:
    """As a driver does that was killed and resumes: while it waits, while it is done, and when it is answered."""
    for _ in range(3):
        queue.put("a", "key", job(1), 60)
    assert queue.state("a").waiting == 1
    work(seconds=0.5)
    while not queue.state("a").doing:
        time.sleep(0.02)
    queue.put("a", "key", job(1), 60)
    while not (answer := queue.answer("key", 0.1)):
        pass
    queue.put("a", "key", job(1), 60)
    assert answer["ratio"] == 1.0 and queue.answer("key", 0) == answer
    assert queue.state("a").waiting == 0 and len(logged(tmp_path)) == 1
    queue.forget("key")
    queue.put("a", "key", job(1), 60)
    while not queue.answer("key", 0.1):
        pass
    assert len(logged(tmp_path)) == 2, "once it was fetched, it is a new one"


def test_two_drivers_measure_each_for_itself(queue: PostgresQueue, work: Any, tmp_path: Path) -> None:
    work(seconds=0.3)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(LaneWorker(queue, "a", owner).run, job(5), 60) for owner in ("run x", "run y")]
        assert [each.result()["ratio"] for each in asked] == [5.0, 5.0]
    assert len(logged(tmp_path)) == 2, "a repeat that nobody made would narrow an interval"


def test_the_job_of_a_killed_worker_is_done_by_another(queue: PostgresQueue, work: Any, tmp_path: Path) -> None:
    first = work(seconds=30)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(LaneWorker(queue, "a").run, job(7), 60)
        while not queue.state("a").doing:
            time.sleep(0.05)
        first.kill()
        work(seconds=0.05)
        assert asked.result(timeout=60)["ratio"] == 7.0
    assert len(logged(tmp_path)) == 1


def test_a_job_of_which_three_workers_die_fails(queue: PostgresQueue, work: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(LaneWorker(queue, "a").run, job(-1), 60)
        workers = [work()]
        while not asked.done():
            if workers[-1].poll() is not None:
                workers.append(work())
            time.sleep(0.1)
    with pytest.raises(MeasurementFailed, match="3 workers died while they did it"):
        asked.result()
    assert LaneWorker(queue, "a").run(job(1), 60)["ratio"] == 1.0, "the lane goes on"


def test_a_restarted_database_loses_no_answer(queue: PostgresQueue, work: Any, server: Server, tmp_path: Path) -> None:
    """It goes away while a job is being done, and comes back when it has been done for a while."""
    work(seconds=1.0)
    with ThreadPoolExecutor(1) as pool:
        queue.put("a", "key", job(3), 60)
        while not queue.state("a").doing:
            time.sleep(0.05)
        server.stop()
        time.sleep(2.0)
        server.resume()
        answered = pool.submit(_answer, queue)
        assert answered.result(timeout=60)["ratio"] == 3.0
    assert LaneWorker(queue, "a").run(job(4), 60)["ratio"] == 4.0, "its worker has come back"


def _answer(queue: PostgresQueue) -> dict[str, Any]:
    while True:
        try:
            if answer := queue.answer("key", 0.2):
                return answer
        except InfrastructureFailed:
            time.sleep(0.2)


def test_a_lane_that_nobody_serves_is_named_with_the_command_that_would(
    queue: PostgresQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SAY_SECONDS", 0.5)
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="nobody serves the lane 'a'") as refused:
        LaneWorker(queue, "a").run({"do": "describe", "evaluator": "ort"}, 60)
    assert "nas worker --lane a --store postgresql://postgres@127.0.0.1" in refused.value.hint
    assert queue.state("a").waiting == 0, "nothing is left there"
    waiting, said = LaneWorker(queue, "a"), []

    def say(text: str) -> None:
        said.append(text)
        waiting.kill()

    with pytest.raises(InfrastructureFailed, match="was ended"):
        waiting.run(job(1), 60, say)
    assert "nobody serves the lane 'a'; on its machine: nas worker" in said[0]
    assert queue.state("a").waiting == 1, "it is done when somebody serves the lane"


def test_a_lane_needs_a_server() -> None:
    lanes.provide(None)
    with pytest.raises(Unavailable, match="no lane 't4' without a database"):
        lanes.started(lanes.Location(lane="t4"))
    with pytest.raises(UsageError, match="has no queue"):
        PostgresQueue("sqlite:///runs/nas.db")
    with pytest.raises(StoreError, match="refused"):
        PostgresQueue("postgresql://localhost:1/nas")


def test_an_answer_arrives_at_once(queue: PostgresQueue, work: Any) -> None:
    """By a notice, and not by asking once a second."""
    work(seconds=0.0)
    LaneWorker(queue, "a").run(job(0), 60)
    took = []
    for seed in range(1, 12):
        begun = time.monotonic()
        LaneWorker(queue, "a").run(job(seed), 60)
        took.append(time.monotonic() - begun)
    assert sorted(took)[5] < 0.5 * lanes.POLL_SECONDS


def test_the_tables_can_be_made_by_all_at_once(server: Server) -> None:
    url = server.create("fresh-farm")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: tables.create(url), range(6)))
    with PostgresQueue(url) as queue:
        assert queue.state("a").workers == ()
