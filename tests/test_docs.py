"""The README and the docs say what the program does: their commands run, their code runs, their reference is fresh."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import jsonschema
import pytest

from nas.cli import cli
from tests.conftest import QUICK, Program
from tests.networks import EVERY, random_networks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def make_cli() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_cli", ROOT / "scripts" / "make_cli.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_made_from_the_help_of_today() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == make_cli().page(), "run python scripts/make_cli.py"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_a_summary_and_examples(name: str) -> None:
    command = cli.commands[name]
    assert command.help
    assert "Examples:" in str(command.epilog)
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readmes_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_sampler_serves_any_study() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "search.md").read_text(), flags=re.DOTALL)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_the_notebook_example_runs(finished: Program) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "dashboard.md").read_text(), flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=finished.folder)


def test_the_examples_of_blocks_run() -> None:
    codes = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "blocks.md").read_text(), flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", "\n".join(codes)], check=True, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 7


def test_the_readmes_commands_run(nas: Program) -> None:
    """In their order, in one folder; runs are cut short and made small, everything else is typed as it stands."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ nas ")]
    assert len(lines) >= 8
    for line in lines:
        arguments = shlex.split(line)[1:]
        if arguments[0] == "run":
            arguments = ["run", "--budget", "4", "--proxy", QUICK[1], *arguments[1:]]
            arguments = ["4" if argument == "200" else argument for argument in arguments]
        if arguments == ["doctor"]:
            arguments += ["--quick"]  # the noise of the machine is measured once in the suite, for 20 s
        ended = nas(*arguments)
        answers = (0, 1) if "--limit" in line else (0,)  # on a slow machine no network may be within a limit of time
        assert ended.code in answers, f"{line}\n{ended.err}"


def test_the_detector_of_the_docs_trains_on_an_exported_network(nas: Program) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "exporting.md").read_text(), flags=re.DOTALL)
    assert nas("export", "C-CT-CCT-CT", "--to", "python", "--resolution", "64", "-o", "out").code == 0
    done = subprocess.run([sys.executable, "-c", code], cwd=nas.folder / "out", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "loss_classifier" in done.stdout


def test_the_plugins_of_the_docs_pass_their_checks_and_are_used(nas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, in one folder; runs have three candidates. A stand-in takes the place of the board's program."""
    page = (ROOT / "docs" / "extending.md").read_text()
    files = re.findall(r"In `(\w+\.py)`:\n\n```python\n(.*?)```", page, flags=re.DOTALL)
    assert [name for name, _ in files] == ["late_transformers.py", "transformer_share.py", "my_board.py"]
    for name, code in files:
        (nas.folder / name).write_text(code)
    program = nas.folder / "bin" / "board-run"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ntest -s "$1" && echo 2.5\n')
    program.chmod(0o755)
    blocks = re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert len(lines) == 8
    without = nas(*shlex.split(lines[6])[1:])
    assert (without.code, "there is no program 'board-run' on PATH" in without.err) == (1, True), without.err
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    for line in lines:
        ended = nas(*shlex.split(line.replace("--budget 50", "--budget 3"))[1:])
        assert ended.code == 0, f"{line}\n{ended.err}"
    trials = nas("show", "late_transformers-2", "--all", "--json").json["trials"]
    assert [trial["measurements"]["my_board"]["value"] for trial in trials] == [2.5] * 3


def test_the_published_schema_takes_what_is_exported_and_nothing_else() -> None:
    schema = json.loads((ROOT / "docs" / "architecture.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    documents = [json.loads(path.read_text()) for path in (ROOT / "tests" / "golden").glob("*.json")]
    documents += [json.loads(architecture.to_json()) for architecture in (*EVERY.values(), *random_networks(30))]
    for document in documents:
        validator.validate(document)
    for wrong in ({"schema": "nas.architecture/2"}, {"head_dim": 7}, {"stages": []}, {"more": 1}):
        assert not validator.is_valid(documents[0] | wrong), wrong
