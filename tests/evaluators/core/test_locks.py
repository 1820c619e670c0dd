"""Locks of the machine: one holder, which is named; and anything else at their path does no harm."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from evaluators.core import locks
from evaluators.core.locks import Lock
from search_spaces.common.errors import InfrastructureFailed

ROOT = Path(__file__).parents[3]
NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may start a process as another user")
OTHER = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from evaluators.core import locks
held = locks.device("machine")
"""
HOLD = OTHER + "assert held.take(); print('held', flush=True); sys.stdin.read(); held.release()"
WAIT = OTHER + "held.wait(lambda words: print(words, flush=True)); print('held', flush=True)"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch):
    """A folder that every user may write to, like /run/lock."""
    folder = Path(tempfile.mkdtemp(prefix="nas-test-shared-", dir="/tmp"))
    folder.chmod(0o1777)
    monkeypatch.setenv(locks.VARIABLE, str(folder))
    yield folder
    shutil.rmtree(folder)


def other(script: str, user: int | None = None) -> "subprocess.Popen[str]":
    """A process of its own, of another user where one is named, under an interpreter that everybody may use."""
    python = "/usr/bin/python3" if user else sys.executable
    identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    return subprocess.Popen(
        [python, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **identity
    )


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("user", [None, pytest.param(NOBODY, marks=AS_ROOT)])
def test_who_waits_says_who_holds_it(shared: Path, user: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and again and again; whichever user holds it."""
    monkeypatch.setattr(locks, "SAY_SECONDS", 0.3)
    holder, heard = other(HOLD, user), list[str]()
    assert line(holder) == "held"

    def hear(words: str) -> None:
        heard.append(words)
        if len(heard) == 3:
            os.kill(holder.pid, signal.SIGTERM)

    with locks.exclusive("machine", hear):
        assert len(heard) == 3
    name = "nobody" if user else ""
    assert f"nas-device-machine.lock is held by process {holder.pid} of {name}" in heard[0]
    assert "python" in heard[0] and time.strftime(", since %Y-%m-%d") in heard[0]
    assert heard[1].startswith("waiting for 0 s")
    end(holder)


@AS_ROOT
def test_another_user_waits_for_us(shared: Path) -> None:
    """And takes over the file that we made; we take over theirs."""
    ours = locks.device("machine")
    assert ours.take()
    waiting = other(WAIT, NOBODY)
    assert f"is held by process {os.getpid()} of root" in line(waiting)
    ours.release()
    assert line(waiting) == "held"
    end(waiting)
    with locks.exclusive("machine", pytest.fail):
        assert stat.S_IMODE(ours.path.stat().st_mode) == 0o666


def test_a_lock_ends_with_its_process(shared: Path) -> None:
    holder = other(HOLD)
    assert line(holder) == "held"
    assert not locks.device("machine").take()
    holder.kill()
    holder.communicate()
    with locks.exclusive("machine", pytest.fail):
        pass
    assert list(shared.iterdir()) == []


def test_the_folder_depends_on_no_user_and_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locks.VARIABLE)
    before = locks.folder()
    for name in ("TMPDIR", "HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: NOBODY)
    assert locks.folder() == before
    assert before.stat().st_mode & 0o1002 == 0o1002, "everybody may write, and remove only what is theirs"


def link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def second_name(path: Path, target: Path) -> None:
    os.link(target, path)


def fifo(path: Path, target: Path) -> None:
    os.mkfifo(path)


def directory(path: Path, target: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("put", [link, second_name, fifo, directory])
def test_what_lies_in_its_place_is_refused_and_unharmed(put, tmp_path: Path) -> None:
    target, path = tmp_path / "precious", tmp_path / "nas-x.lock"
    target.write_text("precious")
    put(path, target)
    with pytest.raises(InfrastructureFailed, match=r"nas-x\.lock' cannot be taken") as refused:
        Lock(path).take()
    assert "NAS_LOCKS" in refused.value.hint
    assert target.read_text() == "precious"


@AS_ROOT
def test_a_file_that_another_user_keeps_to_himself_is_said(shared: Path) -> None:
    locks.device("machine").path.touch(mode=0o600)
    asking = other(OTHER + "try: held.take()\nexcept Exception as error: print(error.message)", NOBODY)
    assert line(asking).endswith("nas-device-machine.lock' cannot be taken: Permission denied")
    end(asking)


def test_a_folder_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(locks.VARIABLE, "/nowhere")
    with pytest.raises(InfrastructureFailed, match="there is no folder '/nowhere'"):
        locks.device("machine").take()


def test_a_holder_cannot_write_to_anybodys_terminal(shared: Path) -> None:
    held = Lock(shared / "nas-x.lock")
    assert held.take()
    held.path.write_bytes(b"\x1b[2J\x07evil\n\xff" + b"x" * 10_000)
    words = Lock(held.path).holder()
    assert words.isprintable() and len(words) <= locks.LONGEST
    held.release()


def test_many_take_turns(shared: Path) -> None:
    """Each removes the file as it goes, and never one that another holds."""
    script = (
        OTHER
        + """
for _ in range(100):
    with held.held(lambda words: None):
        path = held.path.with_name("inside")
        path.mkdir()
        path.rmdir()
    """
    )
    processes = [other(script.replace("POLL", "")) for _ in range(4)]
    for each in processes:
        end(each)
