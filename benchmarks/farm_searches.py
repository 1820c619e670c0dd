"""Whole searches over lanes with faults: four runs on four simulated devices of a team, and what is left of them.

    python -m benchmarks.farm_searches --candidates 10000

Workers and drivers are killed, connections are cut and the database crashes at random, every few seconds. A driver
that ended is resumed by its own command. The last lane's worker and driver are never killed: their memory is watched.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.scaling.large_store import MadeUp
from evaluators import Device, Evaluator
from evaluators.workers.bench import Bench
from evaluators.workers.worker import describe
from nas.farm import server, tables
from results import load
from tests.postgresql import Server

ROOT = Path(__file__).parents[1]
LANES = "abcd"
SPARED = LANES[-1]
SECONDS = 0.02  # of a simulated measurement
FAULTS = {"worker": 8, "driver": 4, "connections": 4, "crash": 2}  # weights
BETWEEN = (8.0, 24.0)  # seconds between faults: a driver takes some to start
server.BEAT_SECONDS, server.RETRY_SECONDS, tables.ALIVE_SECONDS = 0.3, 0.3, 1.5


class Simulated(server.LaneServer):
    """A lane whose device is made up: it sleeps, and says numbers that nobody measured."""

    def __init__(self, url: str, lane: str, log: Path, bench: Bench) -> None:
        super().__init__(url, lane, [], bench, print)
        self.offers, self.log, self.made_up = {"ort"}, log, MadeUp(LANES.index(lane))

    def _done(self, job: dict[str, Any]) -> dict[str, Any]:
        evaluator = self._offered(job["evaluator"])
        device, begun = self._device(evaluator), time.monotonic()
        if job["do"] == "describe":
            return describe(evaluator) | {"device": {"label": device.label, "facts": device.facts}}
        time.sleep(SECONDS)
        measurement = replace(self.made_up.measure(evaluator, job["architecture"]), device=device)
        with self.log.open("a") as file:
            file.write(f"{self.lane} {begun} {time.monotonic()}\n")
        return {"measurement": measurement.to_dict()}

    def _device(self, evaluator: Evaluator) -> Device:
        return Device(label=f"made up, lane {self.lane}", facts={**evaluator.device().facts, "lane": self.lane})


@dataclass
class Team:
    """The processes of the team: a worker and a driver for each lane, by lane."""

    url: str
    folder: Path
    each: int  # candidates of a run
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    drivers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    resumed: Counter[str] = field(default_factory=Counter)

    def work(self, lane: str) -> None:
        """Starts the worker of a lane."""
        self.workers[lane] = self._start(["benchmarks.farm_searches", "--serve", self.url, lane], f"worker-{lane}")

    def drive(self, lane: str) -> None:
        """Starts or resumes the run of a lane."""
        options = ["--proxy", "structure", "--sampler", "random", "--latency", f"ort@lane:{lane}", "--json"]
        run = ["run", "--name", lane, "--budget", str(self.each), "--store", self.url, *options]
        self.drivers[lane] = self._start(["nas", *run], f"driver-{lane}")

    def _start(self, module: list[str], log: str) -> "subprocess.Popen[bytes]":
        with (self.folder / log).open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=self.folder,
                env=os.environ | {"NAS_LOCKS": str(self.folder), "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def resume_ended(self) -> bool:
        """Resumes drivers that ended before their budget, and workers; returns whether all drivers are done."""
        for lane in [lane for lane, worker in self.workers.items() if worker.poll() is not None]:
            self.work(lane)  # the database was away when it started
        ended = {lane: driver.poll() for lane, driver in self.drivers.items()}
        for lane, code in ended.items():
            if code not in (None, 0):
                self.resumed[f"exit code {code}"] += 1
                self.drive(lane)
        return all(code == 0 for code in ended.values())

    def kill(self) -> None:
        """Ends all of them."""
        for process in (*self.workers.values(), *self.drivers.values()):
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=400, help="of all four runs")
    parser.add_argument("--serve", nargs=2, metavar=("URL", "LANE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        with Bench() as bench:
            Simulated(*options.serve, Path("log"), bench).serve()
        return
    folder = Path(tempfile.mkdtemp(prefix="nas-searches-"))
    database = Server.start(Path(tempfile.mkdtemp(prefix="nas-postgresql-")))  # its own account has to reach it
    team = Team(database.create("farm"), folder, options.candidates // len(LANES))
    try:
        searched(team, database)
        report(team, database)
    finally:
        team.kill()
        database.stop()
        for each in (folder, database.folder):
            shutil.rmtree(each, ignore_errors=True)


def searched(team: Team, database: Server) -> None:
    """Runs the searches to their ends while faults happen, and prints what happened and how memory grew."""
    for lane in LANES:
        team.work(lane)
        team.drive(lane)
    draw, faults, began = random.Random(0), Counter[str](), time.monotonic()
    due, seen = began + 20, list[tuple[float, str]]()
    while not team.resume_ended():
        time.sleep(0.5)
        if time.monotonic() >= due:
            (fault,) = draw.choices(list(FAULTS), list(FAULTS.values()))
            disturb(fault, team, database, draw)
            faults[fault] += 1
            due = time.monotonic() + draw.uniform(*BETWEEN)
        if time.monotonic() - began >= 30 * (len(seen) + 1):
            seen.append((time.monotonic() - began, used(team, database)))
            print(f"  {seen[-1][0]:.0f} s: {seen[-1][1]}", flush=True)
    print(f"{len(LANES)} runs of {team.each} candidates in {time.monotonic() - began:.0f} s")
    for what, counts in (("faults", faults), ("drivers that ended and were resumed", team.resumed)):
        print(f"{what}: {', '.join(f'{number} x {name}' for name, number in counts.items()) or 'none'}")


def disturb(fault: str, team: Team, database: Server, draw: random.Random) -> None:
    """Kills a worker or a driver, cuts the connections, or lets the database crash."""
    lane = draw.choice(LANES[:-1])
    if fault == "worker":
        team.workers[lane].kill()
        team.workers[lane].wait()
        team.work(lane)
    elif fault == "driver":
        team.drivers[lane].kill()
        team.drivers[lane].wait()
    elif fault == "connections":
        database.cut("farm")
    else:
        database.stop()  # a crash, from which it recovers
        database.resume()


def used(team: Team, database: Server) -> str:
    """What the spared processes use, and how many connections there are."""
    uses = []
    for name, process in (("worker", team.workers[SPARED]), ("driver", team.drivers[SPARED])):
        with suppress(OSError):  # it has just ended
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            handles = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            uses.append(f"{name} {pages * os.sysconf('SC_PAGE_SIZE') / 1e6:.0f} MB, {handles} handles")
    (connections,) = database.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'farm'")[0]
    (trials,) = database.execute("SELECT count(*) FROM trials WHERE state = 'COMPLETE'", "farm")[0]
    return f"{trials} candidates; {'; '.join(uses)}; {connections} connections"


def report(team: Team, database: Server) -> None:
    """Prints whether anything was lost, done twice, or attributed to another device."""
    intervals = [line.split() for line in (team.folder / "log").read_text().splitlines()]
    overlaps = elsewhere = lost = same = 0
    for lane in LANES:
        run, spec = load(lane, team.url), f"ort@lane:{lane}"
        ok = [trial for trial in run.trials if trial.state == "ok"]
        lost += team.each - len(ok)
        same += len(ok) - len({trial.architecture for trial in ok})
        elsewhere += sum(trial.measurements[spec].device.facts["lane"] != lane for trial in ok)
        own = sorted((float(begun), float(ended)) for name, begun, ended in intervals if name == lane)
        overlaps += sum(later[0] < sooner[1] for sooner, later in pairwise(own))
    rows = database.execute("SELECT architecture, context FROM measurements WHERE kind = 'measured'", "farm")
    left = database.execute("SELECT 1 FROM procrastinate_jobs UNION ALL SELECT 1 FROM nas_answers", "farm")
    print(f"{lost} candidates lost, {same} proposed twice, {elsewhere} on another device, {overlaps} overlaps")
    print(f"{len(intervals)} measurements made, {len(rows)} kept, {len(rows) - len(set(rows))} of them repeats")
    print(f"{len(left)} jobs and answers left in the queue")


if __name__ == "__main__":
    main()
