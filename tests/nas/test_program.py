"""The program's way in and out: interrupted at any moment, without a stream, in any encoding, with any argument."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nas import program
from tests.conftest import Program

SCRIPT = [str(Path(sys.executable).with_name("nas"))]
MODULE = [sys.executable, "-m", "nas"]
ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]


@pytest.mark.parametrize("command", [SCRIPT, MODULE], ids=["script", "module"])
def test_an_early_interruption_is_quiet(tmp_path: Path, command: list[str]) -> None:
    """At twelve moments of the first second. What meets Python before our first line is beyond us."""
    quiet = 0
    for number in range(12):
        process = subprocess.Popen([*command, "doctor"], cwd=tmp_path, stdout=-3, stderr=-1, text=True)
        time.sleep(0.08 * number)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if ", in main" in errors or process.returncode not in (-signal.SIGINT, 1):
            assert (process.returncode, errors.splitlines()[-1]) == (130, "interrupted"), errors
            assert "Traceback" not in errors
            quiet += 1
    assert quiet >= 6


def test_an_interruption_during_an_import_is_not_reported_as_a_missing_package(tmp_path: Path) -> None:
    """Extension modules make an ImportError of it: `nas run` said that ONNX Runtime was not installed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'onnxruntime':\n"
        "            try:\n"
        "                os.kill(os.getpid(), signal.SIGINT)\n"
        "            except KeyboardInterrupt:\n"
        "                raise ImportError('half imported') from None\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*MODULE, "run", "--dry-run"], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "interrupted"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_full_disk_under_standard_output_is_reported(finished: Program, tmp_path: Path) -> None:
    full = tmp_path / "full"
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    with full.open("w") as out:
        done = subprocess.run([*MODULE, "show"], cwd=finished.folder, stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith("error: No space left on device\n  free some space\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_do_not_stop_a_command(finished: Program, closed: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m nas show {closed}", shell=True, cwd=finished.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("environment", ASCII, ids=["streams", "locale"])
def test_a_terminal_gets_similar_characters_for_those_it_lacks(finished: Program, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*MODULE, "show", "--all"], cwd=finished.folder, capture_output=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    assert b" ... ...| ....|....| ..|" in done.stdout  # Next-ViT-S
    assert b"+-" in done.stdout
    assert done.stdout.isascii() and done.stderr.isascii()


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["show", "--all"],
        ["show", "--runs"],
        ["show", "--csv"],
        ["show", "--json"],
        ["show", "ünbekannt"],
        ["dashboard", "-o", "págína.html"],
        ["compare", "whole", "wholé"],
        ["run", "--dry-run", "--name", "Größe"],
        ["export", "C-C-C-CT", "--resolution", "32", "-o", "ñ.json", "--force"],
        ["measure", "C-C-C-CT", "--proxy", "structure"],
        ["measure", "文.json"],
        ["predictor"],
        ["finalists"],
        ["validate", "--truth", "тест.csv"],
        ["doctor", "--quick"],
        ["spaces"],
        ["evaluators"],
        ["merge", "runs/nas.db", "нет.db"],
    ],
    ids=" ".join,
)
def test_every_command_writes_to_ascii_streams(
    finished: Program, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    expected = program.run(command)
    out, err = io.BytesIO(), io.BytesIO()
    with io.TextIOWrapper(out, encoding="ascii") as o, io.TextIOWrapper(err, encoding="ascii") as e:
        monkeypatch.setattr(sys, "stdout", o)
        monkeypatch.setattr(sys, "stderr", e)
        assert program.run(command) == expected != 3
        o.flush(), e.flush()
        monkeypatch.undo()
        assert b"Traceback" not in err.getvalue()
        out.getvalue().decode(), err.getvalue().decode()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("a\nb", r"the argument 'a\nb' holds control characters"),
        ("\x1b[31mred", r"'\x1b[31mred'"),
        ("\udcff\udcfe", r"'\udcff\udcfe'"),
        ("x" * 100_000, "an argument has 100,000 characters"),
    ],
)
def test_an_argument_that_no_command_can_read_is_refused(
    argument: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["show", argument], ["measure", argument], [argument], ["run", "--limit", argument]):
        assert program.run(command) == 2
        errors = capsys.readouterr().err
        assert message in errors
        assert len(errors) < 500


def test_text_from_a_store_or_a_file_cannot_control_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "truth.csv").write_text("name,\x1b]0;owned\x07\n1,2\n")
    monkeypatch.setenv("NAS_STORE", "\x1b[2J")
    for command in (["validate", "--truth", str(tmp_path / "truth.csv")], ["show"]):
        assert program.run(command) == 2
        errors = capsys.readouterr().err
        assert "\x1b" not in errors and "\x07" not in errors
        assert "\\x1b" in errors


@pytest.mark.parametrize("name", ["x" * 255, "x" * 256, "x" * 300, "x" * 4096, "a/" * 2000])
def test_a_name_of_any_length_is_read_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (
        ["show", name],
        ["show", "--store", f"sqlite:///{name}"],
        ["dashboard", "-o", name],
        ["compare", name, "b", "-o", name],
        ["run", "--space", name],
        ["run", "--proxy", name, "--dry-run"],
        ["run", "--proxy", f"train:data={name}", "--dry-run"],
        ["run", "--limit", name],
        ["export", name, "-o", "a.json"],
        ["export", "C-C-C-C", "-o", name + ".json", "--to", name],
        ["export", "C-C-C-C", "-o", name, "--labels", name],
        ["export", "C-C-C-C", "-o", name, "--weights", name],
        ["measure", name],
        ["measure", "C" * len(name) + "-C-C-C"],
        ["validate", name, "--truth", name],
        ["validate", "--truth", "store", "-o", name],
        ["doctor", "--quick", "--latency", name],
        ["predictor", "--latency", f"ort:python={name}"],
    ):
        code = program.run(command)
        errors = capsys.readouterr().err
        assert code in (1, 2), (command, errors)
        assert len(errors) < 6000, command
