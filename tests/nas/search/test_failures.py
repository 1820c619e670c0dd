"""Candidates that fail, hang or die: each is a record with its cause, and the run continues or stops with a reason."""

from pathlib import Path

import pytest

from tests.conftest import Program


def run(program: Program, *arguments: str):
    return program(
        "run", "--budget", "6", "--proxy", "structure", "--latency", "troubled", "--sampler", "random", *arguments
    )


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ('raise ValueError("no such kernel")', "ValueError: no such kernel"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the process was ended by SIGKILL"),
        ("os._exit(7)", "the process exited with 7"),
    ],
)
def test_five_equal_failures_stop_the_run_with_their_cause(troubled, behaviour: str, cause: str) -> None:
    ended = run(troubled(behaviour))
    assert ended.code == 1
    assert f"stopped: 5 candidates in a row failed with: {cause}" in ended.err
    assert f"failed 5 x: {cause}" in ended.err


def test_a_full_disk_stops_the_run_which_resumes_with_the_same_candidate(troubled, tmp_path: Path) -> None:
    """Met once, at the third candidate, Next-ViT-L."""
    mark = tmp_path / "mended"
    program = troubled(
        f"if len(str(architecture)) == 43 and not os.path.exists({str(mark)!r}): raise OSError(28, os.strerror(28))"
    )
    ended = run(program)
    assert ended.code == 1, ended.err
    assert "No space left on device" in ended.err
    assert "make room on the disk" in ended.err
    assert "resume with: nas run --name nhs-1" in ended.err
    before = program("show", "--all", "--json").json["trials"]
    states = [trial["state"] for trial in before]
    assert (states[:3], set(states[2:])) == (["ok", "ok", "running"], {"running"})
    mark.touch()
    assert program("run", "--name", "nhs-1").code == 0
    after = program("show", "--all", "--json").json["trials"]
    assert [trial["state"] for trial in after] == ["ok"] * 6
    assert [trial["id"] for trial in after[: len(before)]] == [trial["id"] for trial in before]


def test_an_interrupted_sample_reports_how_many_networks_are_stored(troubled) -> None:
    program = troubled("raise OSError(28, os.strerror(28))")
    ended = program("measure", "--sample", "3", "--latency", "troubled")
    assert ended.code == 1
    assert "No space left on device" in ended.err
    assert "0 of 3 are in the database: repeat the command to measure the rest" in ended.err


def test_a_hang_costs_one_candidate(troubled) -> None:
    program = troubled('time.sleep(60 if str(architecture).count("T") == 4 else 0)')  # Next-ViT-S alone
    ended = run(program, "--timeout", "5")
    assert ended.code == 0, ended.err
    assert "failed 1 x: took longer than 5 s and was stopped" in ended.err
    states = [trial["state"] for trial in program("show", "--all", "--json").json["trials"]]
    assert states == ["failed"] + ["ok"] * 5


def test_a_run_without_a_successful_candidate_exits_with_1(troubled) -> None:
    program = troubled('raise ValueError(f"unlucky {architecture.id}")')  # every cause is different
    ended = run(program)
    assert ended.code == 1
    assert "6 failed" in ended.err
    assert program("show").code == 1


def test_output_of_libraries_does_not_mix_with_answers(troubled) -> None:
    ended = run(troubled('print("hello from a library"); os.system("echo and from its child")'))
    assert ended.code == 0, ended.err


def test_a_stopped_run_resumes_with_the_next_candidate(troubled) -> None:
    program = troubled('raise ValueError("no such kernel")')
    assert run(program).code == 1
    assert program("run", "--name", "nhs-1").code == 1
    trials = program("show", "--all", "--json").json["trials"]
    assert [trial["cause"] for trial in trials] == ["ValueError: no such kernel"] * 6
