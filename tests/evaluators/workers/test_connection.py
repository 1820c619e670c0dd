"""The lines between a driver and its worker: whatever comes, or does not come, has an end and a name."""

import os
import shlex
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from evaluators.core import locations
from evaluators.core.locations import WORKER, Location
from evaluators.core.locks import device
from evaluators.workers import connection
from evaluators.workers.connection import LARGEST_ANSWER, Worker
from search_spaces import PAPER
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, NasError, UsageError

JOB = {"do": "measure", "evaluator": "params", "architecture": PAPER["next-vit-s"].to_dict()}


@dataclass(frozen=True, kw_only=True)
class Script(Location):
    """A place where a shell runs a script; `worker` in it is the real one."""

    script: str = ""

    def command(self) -> list[str]:
        return ["bash", "-c", self.script.replace("worker", shlex.join([sys.executable, *WORKER]))]


def ask(script: str, timeout: float = 20, **more: object) -> object:
    with closing(Worker(Script(script=script))) as worker:
        return worker.run(JOB, timeout, **more)["measurement"]["value"]


def says(*lines: str) -> str:
    """A worker that is ready, takes a job, and answers with these."""
    return "; ".join(["""echo '{"ready": 1}'""", "read job", *lines])


def test_what_a_login_shell_says_first_is_no_answer() -> None:
    """In Latin-1, in JSON, and without a line feed at its end."""
    assert ask(r"printf 'Gr\xfc\xdfe!\n{\"motd\": 1}\nlast login: never '; exec worker") == pytest.approx(31.763368)


def test_what_a_process_says_before_it_ends_is_shown_whatever_its_bytes() -> None:
    with pytest.raises(InfrastructureFailed, match=r"no worker could be started .* exited with 3") as failed:
        ask(r"printf 'auf Wiedersehen, \xfc\n' >&2; printf 'Gr\xfc\xdfe\n'; exit 3")
    assert r"auf Wiedersehen, \xfc" in failed.value.hint and r"Gr\xfc\xdfe" in failed.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        r"printf '\xff\xfe\n'",
        "echo hello",
        "echo '[]'",
        "head -c 100000 /dev/zero | tr '\\0' '['; echo",
        """echo '{"measurement": NaN}'""",
        """echo '{"measurement": 1e400}'""",
        """printf '{"measurement": '; head -c 5000 /dev/zero | tr '\\0' 9; echo '}'""",
        f"head -c {LARGEST_ANSWER + 9} /dev/zero",
    ],
)
def test_an_answer_that_is_none_ends_the_wait(answer: str) -> None:
    with pytest.raises(InfrastructureFailed, match="the worker on this machine answered something else"):
        ask(says(answer, "sleep 60"))


@pytest.mark.parametrize("answer", ["{}", '{"measurement": 3}', '{"measurement": {"metric": []}}'])
def test_an_object_that_is_no_measurement_is_no_bug(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import evaluators
    from evaluators.workers.bench import Bench

    command = Script(script=says("echo '{}'", "read job", f"echo '{answer}'", "sleep 60")).command()
    monkeypatch.setattr(Location, "command", lambda self: command)
    with Bench() as bench:
        bench.spares["ort"] = Worker()
        with pytest.raises(InfrastructureFailed, match="did not answer with a measurement"):
            bench.measure(evaluators.get("ort"), PAPER["next-vit-s"])


def test_half_an_answer_is_the_end() -> None:
    with pytest.raises(MeasurementFailed, match="the process was ended by SIGKILL"):
        ask(says("""printf '{"measurement": {"val'""", "kill -9 $$"))


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("sleep 60", InfrastructureFailed, "said nothing for 0.5 s"),
        (says("sleep 60"), InfrastructureFailed, "said nothing for 0.5 s"),
        (says("""echo '{"waiting": "for me"}'""", "sleep 60"), InfrastructureFailed, "said nothing for 0.5 s"),
        (says("""echo '{"begun": true}'""", "sleep 60"), MeasurementFailed, "took longer than 0.7 s"),
    ],
)
def test_no_wait_is_without_an_end(
    script: str, error: type[NasError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "START_SECONDS", 0.5)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 0.5)
    start = time.monotonic()
    with pytest.raises(error, match=words):
        ask(script, timeout=0.7, say=str)
    assert time.monotonic() - start < 10


def test_a_worker_that_waits_for_its_device_says_for_whom() -> None:
    heard: list[str] = []
    held = device("machine")
    assert held.take()

    def hear(words: str) -> None:
        heard.append(words)
        held.release()

    assert ask("exec worker", say=hear) == pytest.approx(31.763368)
    (words,) = heard
    assert words.startswith(f"waiting: {held.path} is held by process ") and ", since 20" in words
    assert f"process {os.getpid()} of " in words


@pytest.mark.parametrize("command", ["'", '"', ""])
def test_a_command_that_is_none_is_a_users_mistake(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_SSH", command)
    with pytest.raises(UsageError, match="NAS_SSH"):
        Worker(Location(host="somewhere"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder to somebody else")
@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_folder_of_sockets_that_is_not_ours_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"nas-ssh-{os.getuid()}"
    if kind == "folder":
        path.mkdir()
        os.chown(path, 65534, 65534)
    elif kind == "file":
        path.touch()
    else:
        path.symlink_to(tmp_path)
    monkeypatch.setattr(locations, "SOCKETS", tmp_path)
    locations._sockets.cache_clear()
    with pytest.raises(InfrastructureFailed, match=f"'{path}' (belongs to another user|cannot be created)"):
        Worker(Location(host="somewhere"))
