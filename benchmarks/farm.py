"""The queue of a team on this machine: rates, dispatch, and a soak with faults. Devices are simulated: they sleep.

python benchmarks/farm.py                       rates and dispatch, in two minutes
python benchmarks/farm.py --soak 100000         jobs, while workers and connections are killed at random
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from evaluators.workers.lanes import LaneWorker
from nas.farm.queue import PostgresQueue
from search_spaces import PAPER
from search_spaces.common.errors import InfrastructureFailed
from tests.postgresql import Server

NETWORK = PAPER["next-vit-s"].to_dict()
LANES = "abcd"
SECONDS = 0.1  # of a simulated measurement


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", type=int, metavar="JOBS")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nas-farm-"))
    server = Server.start(Path(tempfile.mkdtemp(prefix="nas-postgresql-")))  # its own account has to reach it
    try:
        url = server.create("farm")
        with PostgresQueue(url) as queue:
            if options.soak:
                soak(queue, server, url, folder, options.soak)
            else:
                rates(queue, url, folder)
                dispatch(queue, url, folder)
                empty(queue, url, folder, 4000)
                idle(server, url)
        print(f"{server.execute('SELECT count(*) FROM procrastinate_jobs', 'farm')[0][0]} jobs left in the queue")
    finally:
        server.stop()
        for each in (folder, server.folder):
            shutil.rmtree(each, ignore_errors=True)


def rates(queue: PostgresQueue, url: str, folder: Path) -> None:
    """Four lanes of 100 ms, two jobs ahead in each."""
    with workers(url, folder / "rates", SECONDS), ThreadPoolExecutor(2 * len(LANES)) as pool:
        list(pool.map(lambda lane: LaneWorker(queue, lane).run(job(0), 60), LANES))
        begun, count = time.monotonic(), 400
        list(pool.map(lambda seed: LaneWorker(queue, LANES[seed % len(LANES)]).run(job(seed), 60), range(1, count + 1)))
        rate = count / (time.monotonic() - begun)
    ideal = len(LANES) / SECONDS
    print(f"{rate:.1f} jobs/s of {ideal:g} jobs/s: {rate / ideal:.0%} of the ideal rate")


def dispatch(queue: PostgresQueue, url: str, folder: Path) -> None:
    """From the moment a job is put to that at which an idle worker begins it, and back."""
    log, put, heard = folder / "dispatch", {}, []
    with workers(url, log, 0.0, lanes="a"):
        LaneWorker(queue, "a").run(job(0), 60)
        for seed in range(1, 200):
            put[seed] = time.monotonic()
            LaneWorker(queue, "a").run(job(seed), 60)
            heard.append(time.monotonic() - put[seed])
    waits = [begun - put[seed] for _, begun, _, seed in logged(log) if seed in put]
    print(f"dispatch: median {1e3 * statistics.median(waits):.1f} ms; back: {1e3 * statistics.median(heard):.1f} ms")


def empty(queue: PostgresQueue, url: str, folder: Path, count: int) -> None:
    """Jobs that take no time, from four lanes at once."""
    for seed in range(count):
        queue.put(LANES[seed % len(LANES)], f"empty-{seed}", job(seed), 60)
    log = folder / "empty"
    with workers(url, log, 0.0):
        while len(logged(log)) < count:
            time.sleep(0.2)
    done = logged(log)
    print(f"{count / (done[-1][2] - done[0][1]):.0f} empty jobs/s")


def idle(server: Server, url: str) -> None:
    """What workers of `nas worker` ask of the server while they wait: transactions and connections of each."""
    count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'farm'"
    with ExitStack() as stack:
        for lane in LANES:
            command = [sys.executable, "-m", "nas", "worker", "--lane", lane, "--store", url]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            stack.callback(process.kill)
        time.sleep(20)
        before, began = server.execute(count)[0][0], time.monotonic()
        time.sleep(30)
        after, seconds = server.execute(count)[0][0], time.monotonic() - began
        named = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'nas worker%'"
        connections = server.execute(named)[0][0]
    rate = (int(str(after)) - int(str(before))) / seconds / len(LANES)
    print(f"idle: {rate:.1f} transactions/s and {int(str(connections)) / len(LANES):.1f} connections of a worker")


def soak(queue: PostgresQueue, server: Server, url: str, folder: Path, count: int) -> None:
    """Many jobs with faults: every one is answered, none twice to its driver, and no two overlap on a device."""
    log, asked, told = folder / "soak", iter(range(count)), Counter[int]()
    lock, ended, began = threading.Lock(), threading.Event(), time.monotonic()

    def drive(lane: str) -> None:
        while (seed := _next(asked, lock)) is not None:
            while True:
                try:
                    answer = LaneWorker(queue, lane).run(job(seed), 60)
                except InfrastructureFailed:  # the database was away: a driver resumes, and asks for the same
                    time.sleep(0.2)
                    continue
                told[int(answer["ratio"])] += 1
                break

    with workers(url, log, 0.0) as running, ThreadPoolExecutor(2 * len(LANES)) as pool:
        faults = threading.Thread(target=disturb, args=(server, running, url, log, ended))
        faults.start()
        list(pool.map(drive, 2 * LANES))
        ended.set()
        faults.join()
    overlaps = sum(later[1] < sooner[2] for lane in LANES for sooner, later in pairwise(done(log, lane)))
    lost, double = count - len(told), sum(times - 1 for times in told.values())
    again = len(logged(log)) - count
    print(f"{count} jobs in {time.monotonic() - began:.0f} s: {lost} lost, {double} told twice, {overlaps} overlaps")
    print(f"{again} were done again for a worker that died before its answer was stored")


def disturb(server: Server, running: "dict[str, subprocess.Popen[bytes]]", url: str, log: Path, ended: Any) -> None:
    """Every few seconds a worker is killed and replaced, connections are cut, or the database crashes and recovers."""
    draw, faults, due = random.Random(0), Counter[str](), time.monotonic()
    while not ended.wait(0.5):
        for lane in [lane for lane, process in running.items() if process.poll() is not None]:
            running[lane] = start(url, lane, log, 0.0)  # the database was away when it started; systemd would, too
        if time.monotonic() < due:
            continue
        fault = draw.choice(["worker", "worker", "connections", "crash"])
        faults[fault] += 1
        if fault == "worker":
            lane = draw.choice(LANES)
            running[lane].kill()
            running[lane].wait()
            running[lane] = start(url, lane, log, 0.0)
        elif fault == "connections":
            server.cut("farm")
        else:
            server.stop()
            server.resume()
        due = time.monotonic() + draw.uniform(3, 9)
    print(f"faults: {', '.join(f'{number} x {name}' for name, number in faults.items())}")


def _next(numbers: Iterator[int], lock: threading.Lock) -> int | None:
    with lock:
        return next(numbers, None)


def job(seed: int) -> dict[str, Any]:
    return {"do": "compare", "evaluator": "ort", "architecture": NETWORK, "other": NETWORK, "seed": seed}


@contextmanager
def workers(url: str, log: Path, seconds: float, lanes: Sequence[str] = LANES) -> "Iterator[dict[str, Any]]":
    running = {lane: start(url, lane, log, seconds) for lane in lanes}
    try:
        yield running
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def start(url: str, lane: str, log: Path, seconds: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.nas.farm.sleeper", url, lane, str(log), str(seconds)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def logged(log: Path) -> list[tuple[str, float, float, int]]:
    """The jobs that were done: lane, begun, ended and seed, in the order of their beginnings."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return sorted(
        ((lane, float(begun), float(end), int(seed)) for lane, begun, end, seed in lines), key=lambda row: row[1]
    )


def done(log: Path, lane: str) -> list[tuple[str, float, float, int]]:
    return [row for row in logged(log) if row[0] == lane]


if __name__ == "__main__":
    main()
