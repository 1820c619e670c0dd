"""A user's own plug-ins: files on the command line, files in the environment, and entry points."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Program

SCORE = '''"""How many blocks are transformers."""

from dataclasses import dataclass
from typing import ClassVar

from evaluators import Direction, Evaluator, Kind, Reading, UNVALIDATED
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Transformers(Evaluator):
    """Counts the T of the notation."""

    unit: ClassVar[str] = "blocks"
    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "score"

    weight: float = 1.0

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        return Reading.exact(self.weight * str(architecture).count("T"), warnings=(UNVALIDATED,))
'''
SPACE = '''"""One to nine convolution blocks in stage 3, and a transformer block behind them or not."""

from search_spaces import PAPER, Architecture


def suggest(trial):
    convolutions = trial.suggest_int("N", 1, 9)
    transformers = trial.suggest_int("t", 0, 1)
    return Architecture.from_notation(f"CC-CCT-{'C' * convolutions}{'T' * transformers}-CT")


def params(architecture):
    blocks = architecture.stages[2].blocks
    return {"N": blocks.count("C"), "t": blocks.count("T")}


def size():
    return 18


def anchors():
    return {}
'''


@pytest.fixture
def own(nas: Program) -> Program:
    """A folder with a score and a space of somebody's own."""
    (nas.folder / "transformers.py").write_text(SCORE)
    (nas.folder / "stage_three.py").write_text(SPACE)
    return nas


def test_a_plugin_is_checked(own: Program) -> None:
    for file, count in (("transformers.py", "4 of 4"), ("stage_three.py", "5 of 5")):
        ended = own("check", file)
        assert ended.code == 0, ended.err
        assert f"{count} promises kept" in ended.err


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("architecture.stages[2].blocks\n", "'CT'\n", "params must be the inverse of suggest"),
        ("return 18", "return 0", "size\\(\\) is 0"),
        ("return Architecture.from_notation", "return str", "suggest returned str"),
        ("return {}", "return 1 / 0", r"ZeroDivisionError: division by zero \(line \d+ of .*stage_three.py\)"),
        (
            'trial.suggest_int("t"',
            'convolutions > 4 and trial.suggest_int("t"',
            "ask for every parameter in every trial",
        ),
    ],
)
def test_a_broken_promise_is_named(own: Program, before: str, after: str, words: str) -> None:
    assert before in SPACE
    (own.folder / "stage_three.py").write_text(SPACE.replace(before, after))
    ended = own("check", "stage_three.py")
    assert ended.code == 1
    assert re.search(words, ended.err), ended.err


def test_a_file_that_is_no_plugin_is_a_users_error(own: Program) -> None:
    (own.folder / "broken.py").write_text("import nothing_of_that_name")
    (own.folder / "empty.py").write_text("")
    (own.folder / "nhs.py").write_text(SPACE)
    for file, words in (
        ("broken.py", "No module named 'nothing_of_that_name'"),
        ("empty.py", "neither a search space nor an evaluator"),
        ("nhs.py", "bears the name of one of our own plug-ins"),
        ("missing.py", "there is no plug-in file"),
        ("transformers.txt", "there is no plug-in file"),
    ):
        ended = own("check", file)
        assert (ended.code, words in ended.err) == (2, True), ended.err


def test_a_file_in_the_environment_is_known_everywhere(own: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [own.folder / "transformers.py", own.folder / "stage_three.py"]
    monkeypatch.setenv("NAS_PLUGINS", os.pathsep.join(map(str, files)))
    assert "stage_three" in own("spaces").out
    assert "transformers" in own("evaluators").out
    monkeypatch.setenv("NAS_PLUGINS", str(own.folder / "gone.py"))
    ended = own("spaces")
    assert ended.code == 2
    assert "NAS_PLUGINS" in ended.err


def test_an_installed_package_announces_its_plugins(own: Program, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "stranger").mkdir(parents=True)
    (site / "stranger" / "__init__.py").write_text("")
    (site / "stranger" / "stage_three.py").write_text(SPACE)
    (site / "stranger" / "transformers.py").write_text(SCORE)
    (site / "stranger-1.0.dist-info").mkdir()
    (site / "stranger-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[nas.search_spaces]\nstage_three = stranger.stage_three\n"
        "[nas.evaluators]\ntransformers = stranger.transformers\n"
    )
    code = (
        "import evaluators, search_spaces; from search_spaces import PAPER;"
        "print('stage_three' in search_spaces.names(), search_spaces.get('stage_three').size());"
        "print(evaluators.get('transformers:weight=2.0').measure(PAPER['next-vit-s']))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out.splitlines() == ["True 18", "8 blocks"]
