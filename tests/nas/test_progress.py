"""Long work says how far it has come, and commands to type next name the database."""

import io
import re
import time

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from nas import console, progress
from nas.options import STORE


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is said where there is no terminal, and soon."""
    out = io.StringIO()
    monkeypatch.setattr(console, "talk", Console(file=out, highlight=False, soft_wrap=True))
    monkeypatch.setattr(progress, "FIRST", 0.1)
    monkeypatch.setattr(progress, "LEAST", 0.2)
    return out


def test_short_work_prints_no_progress(said: io.StringIO) -> None:
    with progress.progress("counting", 3) as done:
        for number in range(3):
            done(number + 1)
    assert said.getvalue() == ""


def test_a_long_silent_step_still_prints_progress(said: io.StringIO) -> None:
    with progress.progress("training", 2) as done:
        time.sleep(0.4)
        done(1, "CC at 0.001")
        time.sleep(0.4)
    lines = said.getvalue().splitlines()
    assert lines[0] == "  training: 0 of 2, 0 s so far"
    assert re.fullmatch(r"  training: 1 of 2, (about \d s left|\d s so far); CC at 0.001", lines[-1])
    assert 2 <= len(lines) <= 5


def test_an_estimate_says_how_long_is_left_before_the_first_step_is_done() -> None:
    shown = progress.Progress("training", 9, expected=100)
    assert shown.line() == "training: 0 of 9, about 15 min left"
    shown.started -= 901
    assert shown.line() == "training: 0 of 9, 15 min so far", "the estimate was wrong"
    shown(1)
    assert shown.line() == "training: 1 of 9, about 2.0 h left"


def test_a_terminal_shows_one_line_and_returns_to_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(console, "talk", Console(file=out, force_terminal=True, highlight=False, width=80))
    with progress.moving_line("trial 3") as outer, progress.progress("training", 4) as done:
        assert outer is not None
        done(1)
        assert outer.status is done
        console.say("a word in between [not markup]")
    assert outer.status == "trial 3"
    assert "a word in between [not markup]" in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (2e5, "2.3 days")],
)
def test_durations_are_written_in_a_suitable_unit(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "nas show 'my run' --all"),
        (["--store", "sqlite:///runs/nas.db"], "nas show 'my run' --all"),
        (["--store", "sqlite:///my other.db"], "nas show 'my run' --all --store 'sqlite:///my other.db'"),
    ],
)
def test_suggested_commands_name_the_database(arguments: list[str], expected: str) -> None:
    @click.command
    @STORE
    def some(store: str) -> None:
        click.echo(console.command("show", "my run", "--all"))

    assert CliRunner().invoke(some, arguments).output.strip() == expected
    assert console.command("show") == "nas show"
