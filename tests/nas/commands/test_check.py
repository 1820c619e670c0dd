"""A user's own plug-ins: checked, on the command line of every command, in the environment, and as entry points."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.ssh import HOST, SSHD, Server, short_folder

ROOT = Path(__file__).parents[3]
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

    def _read(self, architecture: Architecture) -> Reading:
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


LATENCY = '''"""A latency that counts blocks."""

from dataclasses import dataclass
from typing import ClassVar

from evaluators import Device, Direction, Evaluator, Kind, Reading
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Board(Evaluator):
    """One millisecond per block."""

    unit: ClassVar[str] = "ms"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "measured"

    factor: float = 1.0

    def device(self) -> Device:
        return Device(label="a board", facts={"board": 1})

    def _read(self, architecture: Architecture) -> Reading:
        time = self.factor * sum(map(len, (stage.blocks for stage in architecture.stages)))
        return Reading(value=time, low=time, high=time, samples=1, quality="clean")
'''


@pytest.fixture
def own(nas: Program) -> Program:
    """A folder with a user's own score, space and latency."""
    (nas.folder / "board.py").write_text(LATENCY)
    (nas.folder / "transformers.py").write_text(SCORE)
    (nas.folder / "stage_three.py").write_text(SPACE)
    return nas


def test_a_plugin_is_checked(own: Program) -> None:
    for file, count in (("transformers.py", "4 of 4"), ("stage_three.py", "5 of 5"), ("board.py", "4 of 4")):
        ended = own("check", file)
        assert ended.code == 0, ended.err
        assert f"{count} promises kept" in ended.err


@pytest.mark.parametrize(
    ("before", "after", "message"),
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
def test_a_broken_promise_is_named(own: Program, before: str, after: str, message: str) -> None:
    assert before in SPACE
    (own.folder / "stage_three.py").write_text(SPACE.replace(before, after))
    ended = own("check", "stage_three.py")
    assert ended.code == 1
    assert re.search(message, ended.err), ended.err


def test_a_file_that_is_no_plugin_exits_with_2(own: Program) -> None:
    (own.folder / "broken.py").write_text("import nothing_of_that_name")
    (own.folder / "empty.py").write_text("")
    (own.folder / "nhs.py").write_text(SPACE)
    for file, message in (
        ("broken.py", "No module named 'nothing_of_that_name'"),
        ("empty.py", "neither a search space nor an evaluator"),
        ("nhs.py", "bears the name of one of our own plug-ins"),
        ("missing.py", "there is no plug-in file"),
        ("transformers.txt", "there is no plug-in file"),
    ):
        ended = own("check", file)
        assert (ended.code, message in ended.err) == (2, True), ended.err


def test_a_file_in_the_environment_is_known_everywhere(own: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [own.folder / "transformers.py", own.folder / "stage_three.py"]
    monkeypatch.setenv("NAS_PLUGINS", os.pathsep.join(map(str, files)))
    assert "stage_three" in own("spaces").out
    assert "transformers" in own("evaluators").out
    monkeypatch.setenv("NAS_PLUGINS", str(own.folder / "gone.py"))
    ended = own("spaces")
    assert ended.code == 2
    assert "NAS_PLUGINS" in ended.err


RUN = ("run", "--space", "./stage_three.py", "--proxy", "./transformers.py:weight=2.0", "--latency", "./board.py")


@pytest.mark.slow
def test_every_command_takes_a_file_for_a_name(own: Program) -> None:
    ended = own(*RUN, "--limit", "./board.py<=14ms", "--budget", "3", "--sampler", "random")
    assert ended.code == 0, ended.err
    assert "on the front" in ended.err
    for arguments in (
        ["show", "--limit", "./board.py<=20ms"],
        ["export", "--max-latency", "./board.py=20ms", "-o", "arch.json"],
        ["measure", "next-vit-s", "--latency", "./board.py:factor=2.0", "--proxy", "./transformers.py"],
        ["measure", "--sample", "2", "--space", "./stage_three.py", "--latency", "./board.py"],
        ["measure", "next-vit-s", "arch.json", "--latency", "./board.py:factor=3.0"],
        ["doctor", "--quick", "--latency", "./board.py"],
    ):
        ended = own(*arguments)
        assert ended.code == 0, f"{arguments}\n{ended.err}"
    ended = own("predictor", "--latency", "./board.py")
    assert (ended.code, "needs 20 measured networks" in ended.err) == (1, True), ended.err
    networks = [f"C-C-{'C' * n}{'T' * (n % 3)}-C,{70 + n},{n}" for n in range(1, 25)]
    (own.folder / "truth.csv").write_text("architecture,accuracy,macs\n" + "\n".join(networks))
    ended = own("validate", "./transformers.py", "--truth", "truth.csv", "--evaluations", "10", "--draws", "1")
    assert "transformers" in ended.out, ended.err
    missing = own("show", "--limit", "./gone.py<=20ms")
    assert (missing.code, "there is no plug-in file 'gone.py'" in missing.err) == (2, True), missing.err


@pytest.mark.slow
def test_a_run_resumes_with_the_same_files_only(own: Program) -> None:
    started = own(*RUN, "--name", "own", "--budget", "2", "--sampler", "random")
    assert started.code == 0, started.err
    resumed = own("run", "--name", "own", "--budget", "3")
    assert resumed.code == 0, resumed.err
    assert len(own("show", "own", "--all", "--json").json["trials"]) == 3
    (own.folder / "board.py").write_text(LATENCY + "\n# slower\n")
    changed = own("run", "--name", "own", "--budget", "4")
    assert changed.code == 2
    assert "the plug-in 'board' of run 'own' has changed" in changed.err
    assert "restore the file as it was, or start a new run" in changed.err
    (own.folder / "board.py").unlink()
    gone = own("run", "--name", "own", "--budget", "4")
    assert gone.code == 2
    assert "the plug-in 'board' of run 'own' is missing" in gone.err
    (own.folder / "elsewhere").mkdir()
    (own.folder / "elsewhere" / "board.py").write_text(LATENCY)
    moved = own("run", "--name", "own", "--budget", "4", "--latency", "elsewhere/board.py")
    assert moved.code == 0, moved.err


@pytest.mark.skipif(not SSHD and not os.environ.get("CI"), reason="there is no sshd (openssh-server) on this machine")
def test_another_machine_needs_the_same_file(own: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = short_folder()
    server = Server(folder)
    monkeypatch.setenv("NAS_SSH", server.client)
    measure = ("measure", "next-vit-s", "--latency", f"./board.py:python={sys.executable}@ssh:{HOST}", "--json")
    file, config = folder / "board.py", server.config.read_text()
    file.write_text(LATENCY + "# another revision")
    try:
        for variables in ("", f"NAS_PLUGINS={file}"):
            server.stop()
            server.config.write_text(config + f"SetEnv PYTHONPATH={ROOT} {variables}\n")
            server.start()
            ended = own(*measure)
            assert (ended.code, "'board' is missing or another one" in ended.err) == (1, True), ended.err
            assert "NAS_PLUGINS" in ended.err
        file.write_text(LATENCY)
        ended = own(*measure)
        assert ended.code == 0, ended.err
        (name,) = (name for name in ended.json["measurements"] if name.startswith("board"))
        assert ended.json["measurements"][name]["value"] == 20
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_an_installed_package_announces_its_plugins(own: Program, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "mypackage").mkdir(parents=True)
    (site / "mypackage" / "__init__.py").write_text("")
    (site / "mypackage" / "stage_three.py").write_text(SPACE)
    (site / "mypackage" / "transformers.py").write_text(SCORE)
    (site / "mypackage-1.0.dist-info").mkdir()
    (site / "mypackage-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mypackage\nVersion: 1.0\n")
    (site / "mypackage-1.0.dist-info" / "entry_points.txt").write_text(
        "[nas.search_spaces]\nstage_three = mypackage.stage_three\n"
        "[nas.evaluators]\ntransformers = mypackage.transformers\n"
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
