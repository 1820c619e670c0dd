"""A device in use: every command reports at once which process holds it."""

import sys

import pytest

from evaluators.core import locks
from tests.conftest import Program

QUICK = ("--proxy", "structure", "--latency", "ort:resolution=32")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--budget", "1", *QUICK),
        ("measure", "next-vit-s", "--latency", "ort:resolution=32"),
        ("measure", "--sample", "1", "--latency", "ort:resolution=32"),
    ],
    ids=["run", "measure", "sample"],
)
def test_a_waiting_command_names_the_process_that_holds_the_device_and_continues(
    nas: Program, command: tuple[str, ...]
) -> None:
    held = locks.device("machine")
    assert held.take()
    with nas.start(*command) as process:
        assert process.stderr
        message = next(line for line in process.stderr if line.startswith("waiting"))
        held.release()
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert f"{held.path} is held by {locks.identity()}, since 20" in message


def test_doctor_does_not_disturb_a_measurement(nas: Program) -> None:
    with locks.exclusive("machine", say=sys.stderr.write):
        ended = nas("doctor")
    assert ended.code == 0, ended.err
    assert f"noise: not tested, {locks.device('machine').path} is held by {locks.identity()}" in ended.err


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0", "1e300", "soon"])
def test_an_infinite_time_limit_is_refused(nas: Program, seconds: str) -> None:
    ended = nas("run", "--timeout", seconds, "--dry-run")
    assert ended.code == 2, ended.err
    assert "Invalid value for '--timeout'" in ended.err
