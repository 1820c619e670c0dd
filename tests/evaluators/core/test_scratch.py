"""Temporary files: in one folder of their driver, and gone with it, however it ends."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from evaluators.core import scratch
from evaluators.workers.connection import Worker
from search_spaces import PAPER

DRIVER = """
import sys, time
from evaluators.workers.connection import Worker
from search_spaces import PAPER
worker = Worker(prepare="ort")
worker._send({"do": "measure", "evaluator": "ort:resolution=512", "architecture": PAPER["next-vit-l"].to_dict()})
for _ in range(3):
    worker._receive(120)
while not list(worker.room.rglob("profile*")):
    time.sleep(0.01)
print("measuring", flush=True)
time.sleep(60)
"""


def held(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def left(folder: Path, seconds: float = 10) -> list[Path]:
    """What is still there after some time for the last worker to end."""
    for _ in range(int(10 * seconds)):
        if not list(folder.iterdir()):
            break
        time.sleep(0.1)
    return list(folder.iterdir())


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_driver_that_ends_in_a_measurement_leaves_nothing(
    end: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it handles the signal or not: its worker notices."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as driver:
        assert driver.stdout and driver.stdout.readline() == b"measuring\n"
        assert any(path.is_file() for path in tmp_path.rglob("*")), "ONNX Runtime's profile"
        driver.send_signal(end)
    assert left(tmp_path) == []


def test_a_worker_that_is_closed_leaves_nothing() -> None:
    with closing(Worker()) as worker:
        worker.run({"do": "measure", "evaluator": "params", "architecture": PAPER["next-vit-s"].to_dict()}, 60)
        assert worker.room.is_dir()
    assert not worker.room.exists()


def test_the_next_start_removes_what_nobody_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    prefix = f"nas-tmp-{os.getuid()}-"
    (tmp_path / f"{prefix}abandone" / "1").mkdir(parents=True)
    (tmp_path / f"{prefix}abandone" / "1" / "weights.bin").write_bytes(bytes(1000))
    kept = [tmp_path / f"{prefix}isinuse_", tmp_path / f"{prefix}of-another-name", tmp_path / "elsewhere"]
    for each in kept:
        each.mkdir()
    (tmp_path / f"{prefix}linkaway").symlink_to(tmp_path / "elsewhere")
    if os.getuid() == 0:
        kept.append(tmp_path / f"{prefix}ofnobody")
        kept[-1].mkdir()
        os.chown(kept[-1], 65534, 65534)
    descriptor = held(kept[0])
    made = scratch._made()
    assert not (tmp_path / f"{prefix}abandone").exists()
    assert all(each.is_dir() for each in kept)
    made.leave()
    assert not made.path.exists()
    os.close(descriptor)


def test_whoever_lives_longest_removes_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    driver = scratch._made()
    worker = scratch.Scratch(driver.path)
    driver.leave()
    assert driver.path.is_dir(), "its worker still uses it"
    worker.leave()
    assert not driver.path.exists()


def test_a_worker_whose_folder_is_gone_removes_nothing_else(tmp_path: Path) -> None:
    """Python takes the next usable folder for one that is gone, in the end /tmp itself."""
    room, others = tmp_path / "driver" / "1", tmp_path / "others"
    room.mkdir(parents=True), others.mkdir()
    (others / "thesis.tex").write_text("years of work")
    folders = {scratch.VARIABLE: str(room.parent), "TMPDIR": str(room), "TEMP": str(others), "TMP": str(others)}
    command = [sys.executable, "-m", "evaluators.workers.worker", "--attached"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **folders}
    ) as worker:
        assert worker.stdin and worker.stdout and b"ready" in worker.stdout.readline()
        shutil.rmtree(room.parent)
        worker.stdin.close()
        worker.wait(30)
    assert (others / "thesis.tex").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["others"]
