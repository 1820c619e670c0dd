"""What every test may use: the program as a user runs it, in real processes in an empty folder."""

import atexit
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `nas` itself does
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two tests at once on two cores: a second thread waits for a busy core
# Locks of its own for each process that runs tests: they would wait for each other's measurements, and for those of
# everybody else on this machine, while no test needs a calm one.
os.environ["NAS_LOCKS"] = tempfile.mkdtemp(prefix="nas-test-locks-")

import optuna
import pytest

from evaluators.core.locks import Lock
from results.store.store import Store
from tests.postgresql import Server

atexit.register(shutil.rmtree, os.environ["NAS_LOCKS"], ignore_errors=True)
optuna.logging.set_verbosity(optuna.logging.WARNING)

# Small enough that a candidate takes about two seconds; everything else as in a real run.
QUICK = ("--proxy", "entropy:resolution=32,seeds=2", "--latency", "ort:resolution=32")


@dataclass(frozen=True)
class Ended:
    """A process that has ended: its exit code, and what it said on standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Program:
    """Runs `nas` in a folder."""

    folder: Path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "nas", *arguments]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments: str) -> Ended:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return Ended(process.returncode, out, err)

    def calm(self) -> None:
        """Leaves one measurement of each network, and makes it clean: a busy machine had measured some again."""
        with sqlite3.connect(self.folder / "runs" / "nas.db") as database:
            first = "SELECT min(id) FROM measurements GROUP BY architecture, context"
            database.execute(f"DELETE FROM measurements WHERE id NOT IN ({first})")
        self.flag_latencies("clean")

    def flag_latencies(self, quality: str) -> None:
        """Makes every latency of the database one that gets this flag: a busy machine gives others than a calm one."""
        if quality in FLAGGED:
            error, share = FLAGGED[quality]
            change = f"json_set(record, '$.details.log_error', {error}, '$.details.cpu_share', {share})"
        else:  # of the first version's stopwatch
            change = f"json_set(json_remove(record, '$.details.log_ratio'), '$.quality', '{quality}')"
        with sqlite3.connect(self.folder / "runs" / "nas.db") as database:
            database.execute(f"UPDATE measurements SET record = {change} WHERE kind = 'measured'")


FLAGGED = {"clean": (0.003, 1.0), "corrected": (0.003, 0.5), "noisy": (0.1, 0.5)}  # error of the logarithm, CPU share


@pytest.fixture
def nas(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A folder with one finished run of 14 candidates, named `whole`. Tests only read it, or add runs of their own."""
    own, shared = tmp_path_factory.mktemp("finished"), tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent  # made once, by whichever worker comes first; each has a copy of its own
    with Lock(shared / "whole.lock").held(say=str):
        original = Program(shared / "whole")
        if not original.folder.exists():
            original.folder.mkdir()
            ended = original("run", "--name", "whole", "--budget", "14", *QUICK)
            assert ended.code == 0, ended.err
            original.calm()
    shutil.copytree(original.folder, own, dirs_exist_ok=True)
    return Program(own)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server with a database `whole` that has all tables, for copies; one for each process of tests."""
    folder = Path(tempfile.mkdtemp(prefix="nas-postgresql-"))  # its own account has to reach it
    server = Server.start(folder)
    Store(server.create("whole"), writable=True).close()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
