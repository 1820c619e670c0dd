"""A database on a server, a queue in it, and workers that sleep, for every test that uses the fixtures."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nas.farm.queue import PostgresQueue
from search_spaces import PAPER
from tests.conftest import Program
from tests.postgresql import Server

S = PAPER["next-vit-s"].to_dict()
ROOT = Path(__file__).parents[3]


@pytest.fixture
def url(server: Server) -> str:
    return server.copy("whole")


@pytest.fixture
def queue(url: str) -> Iterator[PostgresQueue]:
    with PostgresQueue(url) as queue:
        yield queue


@pytest.fixture
def work(url: str, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts workers of a lane, which sleep instead of measuring."""
    started = []

    def start(lane: str = "a", seconds: float = 0.05, through: str = url) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.nas.farm.sleeper", through, lane, str(tmp_path / "log"), str(seconds)]
        with (tmp_path / "said").open("ab") as said:
            process = subprocess.Popen(command, cwd=ROOT, stderr=said)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def serving(nas: Program, url: str) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts workers as a user does, and ends them."""
    started = []

    def start(*options: str, lane: str = "box") -> "subprocess.Popen[str]":
        started.append(nas.start("worker", "--lane", lane, "--store", url, *options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def job(seed: int) -> dict[str, Any]:
    return {"do": "compare", "evaluator": "ort", "architecture": S, "other": S, "seed": seed}


def logged(tmp_path: Path) -> list[tuple[float, float, int]]:
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    return sorted((float(begun), float(ended), int(seed)) for _, begun, ended, seed in lines)
