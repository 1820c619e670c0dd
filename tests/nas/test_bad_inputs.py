"""Wrong input to every command that reads it: an exit code of 1 or 2 and a hint, never a bug report.

The commands run in this process, so that the list may be long. Nothing here starts a measurement or a training.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nas import program
from search_spaces import PAPER
from tests.conftest import Program

SMALL = PAPER["next-vit-s"].to_dict()


def changed(**values: Any) -> str:
    return json.dumps(SMALL | values)


def stage(**values: Any) -> str:
    """A change of the third stage, which has blocks of both kinds."""
    return changed(stages=[*SMALL["stages"][:2], SMALL["stages"][2] | values, SMALL["stages"][3]])


ARCHITECTURES = {
    "empty.json": "",
    "null.json": "null",
    "list.json": "[]",
    "number.json": "7",
    "brace.json": "{",
    "brackets.json": "[" * 100_000,
    "nan.json": stage(mix_block_ratio=float("nan")),
    "infinity.json": stage(conv_width=float("inf")),
    "huge.json": stage(mix_block_ratio=0.5).replace("0.5", "1e400", 1),
    "digits.json": stage(conv_width=7).replace(" 7", " " + "9" * 4300),
    "provenance.json": changed(provenance={"value": float("nan")}),
    "provenance_digits.json": changed(provenance=7).replace(" 7", " " + "9" * 5000),
    "true.json": stage(conv_width=True),
    "text.json": stage(blocks=7),
    "other_blocks.json": stage(blocks="CQC"),
    "many_blocks.json": stage(blocks="C" * 10_000),
    "ratio.json": stage(mix_block_ratio=1.5),
    "no_stages.json": changed(stages=[]),
    "stages_text.json": changed(stages="CCC-CCCT"),
    "stem.json": changed(stem=[0, 0, 0]),
    "schema.json": changed(schema="nas.architecture/99"),
    "schema_list.json": changed(schema=[1]),
    "extra.json": changed(surprise=1),
    "latin.json": "{\"a\": \"\udcfc\"}",
    "date.yaml": "stages: 2020-13-45",
    "brackets.yaml": "[" * 100_000,
    "alias.yaml": "a: &a [*a]\n",
    "bomb.yaml": "a: &a [1,1,1,1]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nstages: [*c,*c,*c,*c]\n",
    "python.yaml": "!!python/object/apply:os.system ['true']\n",
    "tabs.yaml": "stages:\n\t- 1\n",
}  # fmt: skip
TEN = "\n".join(f"C-C-{'C' * number}-T,{50 + number}" for number in range(1, 13))
TRUTHS = {
    "empty.csv": "",
    "heads.csv": "architecture,accuracy\n",
    "text.csv": "architecture,accuracy\n" + TEN.replace("55", "good"),
    "cells.csv": "architecture,accuracy\n" + TEN.replace("55", ""),
    "superscript.csv": "architecture,accuracy\n" + TEN.replace("55", "²³"),
    "nan.csv": "architecture,accuracy\n" + TEN.replace("55", "nan"),
    "percent.csv": "architecture,accuracy\n" + TEN.replace("55", "155"),
    "notation.csv": "architecture,accuracy\n" + TEN.replace("C-C-CCC-T", "C-X-C"),
    "no_accuracy.csv": "architecture,top\n" + TEN,
    "twice.csv": "accuracy,accuracy\n1,2\n",
    "short.csv": "architecture,accuracy\nC-C-C-T,50\n",
    "ragged.csv": "architecture,accuracy\nC-C-C-T,50,3,4\n",
    "throughput.csv": "accuracy,gpu_img_per_s\n" + "\n".join(f"{50 + number},0" for number in range(12)),
    "latency.csv": "accuracy,phone_ms\n" + "\n".join(f"{50 + number},-{number}" for number in range(12)),
    "nul.csv": "architecture,accuracy\nC-C-C-T,5\x000\n",
    "latin.csv": "architecture,accuracy\n\udcfc,50\n",
}
LACKING = ("cells.csv", "nan.csv", "throughput.csv", "latency.csv")
SPECS = [
    "", ":", "@", "ort:=", "ort:threads", "ort:threads=", "ort:threads=x", "ort:threads=0", "ort:threads=1e9",
    "ort:threads=" + "9" * 4000, "ort:resolution=-1", "ort:resolution=²³", "ort:precision=int3", "ort:a=b,c=d",
    "ort@", "ort@ssh:", "ort@ssh:-oProxyCommand=x", "ort@tcp:mac", "ort:predicted=../../x", "ort:predicted:predicted",
    "params@ssh:mac", "train:data=", "train:data=hf:", "train:data=hf:a/../b", "train:data=nowhere",
    "auto:epochs=0", "auto:data=digits,epochs=-3", "os", "__init__", "common", "ort.py", "./gone.py", "/dev/null",
    "entropy:seeds=99999999999999999999", "\nort", "ort\n", "ORT", "train:data=digits,rate=nan",
    "train:data=digits,rate=inf",
]  # fmt: skip
LIMITS = [
    "", "ort", "<=", "ort<=", "<=4", "ort<=x", "ort<=nan", "ort<=inf", "ort<=1e400", "ort<=-inf",
    "ort<=1e-333333333333333333333ms", "ort==4", "ort<4",
    "ort<=4 parsecs", "ort<=4MM", "nothing<=4", "ort<=40ms<=5", "params<=²³", "params<=" + "9" * 5000, "ort<=40%",
]  # fmt: skip
STORES = [
    "", "nas.db", "://", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///fifo", "sqlite:///.",
    "sqlite:////dev/null", "sqlite:///text.db", "sqlite:///empty.db", "sqlite:///version.db", "sqlite:///schema.db",
    "postgresql://host:port/x", "mysql://localhost/nas", "oracle://x", "file:///a", "sqlite:///gone/deep/nas.db",
]  # fmt: skip
FIXES = [
    "", "=", "=1", "stage3.t", "stage3.t=", "stage3.t=x", "stage3.t=2", "stage3.t=nan", "stage3.t=1e999",
    "stage3.t=0..1", "stage3.t=1..", "stage3.t=..1", "stage3.L=9..2", "stage3.L=1..2..3", "stage3.L=1,,2", "stage3.L=²",
    "stage3.L=1.5", "stage3.L=" + "9" * 5000, "stage9.t=1", "*.T=1", "stage[=1", "stage*.conv_width=128",
    "a" * 3000 + "=1", "\x1b[31m=1",
]  # fmt: skip
NAMES = ["", ".", "..", "-x", "../../x", "a/b", "a b", "n" * 300, "ü" * 60, "con\u202eout"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory full of files that hold something else than they should."""
    folder = tmp_path_factory.mktemp("bad")
    for name, text in (ARCHITECTURES | TRUTHS).items():
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    os.mkfifo(folder / "fifo")
    (folder / "text.db").write_text("this is no database, but a text of some length\n" * 100)
    (folder / "empty.db").touch()
    for name in ("no_images", "one_class"):
        (folder / name / "cat").mkdir(parents=True)
        (folder / name / "cat" / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    (folder / "no_images" / "dog").mkdir()
    (folder / "no_images" / "dog" / "text.png").write_text("text")
    with closing(sqlite3.connect(folder / "version.db")) as database:
        database.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('x');"
        )
    with closing(sqlite3.connect(folder / "schema.db")) as database:
        database.executescript("CREATE TABLE nas_schema (version INTEGER);")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, codes: tuple[int, ...] = (1, 2)) -> None:
    capsys.readouterr()
    code = program.run(list(arguments))
    errors = capsys.readouterr().err
    assert code in codes, (arguments, code, errors)
    assert "Traceback" not in errors and "this is a bug" not in errors
    assert errors.strip(), "there is no message"
    assert len(errors) < 4000


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_file_without_an_architecture_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["measure", name, "--proxy", "params"],
        ["measure", name, "next-vit-s", "--compare"],
        ["export", name, "-o", "out", "--to", "config"],
        ["train", name, "--data", "digits", "--plain", "--resolution", "32"],
    ):
        refused(capsys, *command)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", TRUTHS)
def test_a_table_without_accuracies_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows with empty cells are left out and reported; the rest may still be a truth."""
    codes = (0, 1, 2) if name in LACKING else (1, 2)
    refused(capsys, "validate", "--truth", name, codes=codes)
    refused(capsys, "validate", "structure", "--truth", name, codes=codes)


@pytest.mark.parametrize("spec", SPECS)
def test_an_invalid_spec_is_refused(spec: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["run", "--latency", spec, "--dry-run"],
        ["run", "--proxy", spec, "--dry-run"],
        ["measure", "next-vit-s", "--latency", spec],
        ["measure", "next-vit-s", "--proxy", spec],
        ["predictor", "--latency", spec],
        ["validate", spec, "--truth", "short.csv"],
        ["doctor", "--latency", spec, "--quick"],
    ):
        refused(capsys, *command)


@pytest.mark.parametrize("limit", LIMITS)
def test_an_invalid_limit_is_refused(limit: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, "run", "--limit", limit, "--dry-run")
    refused(capsys, "show", "--limit", limit)
    refused(capsys, "export", "--max-latency", limit, "-o", "out")


@pytest.mark.parametrize("fix", FIXES)
def test_an_invalid_narrowing_is_refused(fix: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["run", "--fix", fix, "--dry-run"],
        ["run", "--space", "free", "--fix", fix, "--dry-run"],
        ["run", "--free", fix, "--dry-run"],
        ["measure", "--sample", "2", "--fix", fix],
        ["measure", "next-vit-s", "--fix", fix],
    ):
        refused(capsys, *command, codes=(2,))


@pytest.mark.parametrize("url", STORES)
def test_an_invalid_store_is_refused(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["show"],
        ["show", "--runs"],
        ["dashboard"],
        ["compare", "a", "b"],
        ["predictor"],
        ["finalists"],
        ["export", "--trial", "3", "-o", "out"],
        ["validate", "--truth", "store"],
        ["measure", "--front"],
    ):
        refused(capsys, *command, "--store", url)
    refused(capsys, "merge", "into.db", url)


@pytest.mark.parametrize("name", NAMES)
def test_an_invalid_or_unknown_run_name_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["run", "--dry-run", f"--name={name}"], ["show", "--", name], ["dashboard", "--", name]):
        refused(capsys, *command)
    refused(capsys, "compare", "--", name, name)


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--seed", "99999999999999999999999999"],
        ["run", "--seed", "-1"],
        ["run", "--budget", "0"],
        ["run", "--budget", "1e3"],
        ["run", "--timeout", "nan"],
        ["run", "--timeout", "inf"],
        ["run", "--train", "-1", "--data", "digits"],
        ["run", "--sampler", "simulated-annealing"],
        ["run", "--space", "../nhs"],
        ["run", "--data", "no_images"],
        ["run", "--data", "one_class"],
        ["run", "--data", "hf:"],
        ["run", "--data", "hf:a/../b"],
        ["run", "--data", "digits,epochs=3"],
        ["run", "--data", "/dev/null"],
        ["run", "--data", ""],
        ["train", "next-vit-s", "--data", "no_images"],
        ["train", "next-vit-s", "--data", "digits", "--epochs", "0"],
        ["train", "next-vit-s", "--data", "digits", "--epochs", "9" * 30],
        ["train", "next-vit-s", "--data", "digits", "--seed", "-3"],
        ["train", "next-vit-s", "--data", "digits", "--resume"],
        ["train", "next-vit-s", "--data", "digits", "--weights", "text.db"],
        ["measure"],
        ["measure", "next-vit-s", "--timeout", "nan"],
        ["measure", "next-vit-s", "--trial", "999999999999999999999"],
        ["measure", "--sample", "0"],
        ["measure", "--sample", "3", "--space", "gone"],
        ["measure", "fifo"],
        ["measure", "."],
        ["export", "next-vit-s", "-o", "out", "--classes", "999999999999"],
        ["export", "next-vit-s", "-o", "out", "--classes", "-1"],
        ["export", "next-vit-s", "-o", "out", "--resolution", "99999"],
        ["export", "next-vit-s", "-o", "out", "--batch", "-3"],
        ["export", "next-vit-s", "-o", "out", "--to", ""],
        ["export", "next-vit-s", "-o", "out", "--to", "onnx,,coreml,onxx"],
        ["export", "next-vit-s", "-o", "out", "--weights", "timm:"],
        ["export", "next-vit-s", "-o", "out", "--weights", "fifo"],
        ["export", "next-vit-s", "-o", "out", "--labels", "text.db"],
        ["export", "next-vit-s", "-o", "/dev/full"],
        ["export", "next-vit-s", "-o", "fifo", "--to", "onnx", "--force"],
        ["validate", "--truth", "gone.csv"],
        ["validate", "--truth", "fifo"],
        ["validate", "--truth", "."],
        ["validate", "--truth", "text.db"],
        ["check", "gone.py"],
        ["check", "text.db"],
        ["check", "fifo"],
        ["merge", "into.db"],
        ["merge", "gone/into.db", "text.db"],
        ["show", "--csv", "--json"],
        ["dashboard", "--port", "80"],
        ["dashboard", "--serve", "--port", "99999"],
        ["shwo"],
        ["show", "--al"],
    ],
    ids=lambda command: " ".join(command)[:60],
)
def test_invalid_arguments_are_refused(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused(capsys, *command)
    assert not (folder / "out").exists()


# A database that was damaged by hand or by a bad disk

DAMAGE = {
    "no JSON": "{",
    "null": "null",
    "list": "[]",
    "object": "{}",
    "text": '"text"',
    "nan": "NaN",
    "digits": "9" * 5000,
    "depth": "[" * 100_000,
    "blob": b"\xff\xfe\x00",
}
COLUMNS = [
    ("measurements", "record"),
    ("measurements", "metric"),
    ("measurements", "architecture"),
    ("nas_schema", "version"),
    ("alembic_version", "version_num"),
    ("studies", "study_name"),
    ("study_directions", "direction"),
    ("trials", "state"),
    ("trials", "datetime_start"),
    ("trial_values", "value"),
    ("trial_params", "distribution_json"),
    ("trial_user_attributes", "value_json"),
    ("trial_system_attributes", "value_json"),
    ("study_user_attributes", "value_json"),
    ("study_system_attributes", "value_json"),
]


@pytest.mark.slow  # results/test_database.py has some of them always
@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda name: name)
def test_a_damaged_database_is_reported(
    table: str, column: str, finished: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can still be read is shown; the rest is a message, and reading leaves the file as it was."""
    for damage, value in DAMAGE.items():
        path = tmp_path / "damaged.db"
        shutil.copy(finished.folder / "runs" / "nas.db", path)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA ignore_check_constraints = ON")
            database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT max(rowid) FROM {table})", [value])
        before = path.read_bytes()
        url = f"sqlite:///{path}"
        for command in (
            ["show", "whole", "--all"],
            ["show", "--runs"],
            ["show", "--json"],
            ["dashboard", "whole", "-o", str(tmp_path / "page.html")],
            ["finalists", "whole"],
            ["predictor"],
            ["validate", "--truth", "store"],
            ["run", "--name", "whole", "--dry-run"],
        ):
            capsys.readouterr()
            code = program.run([*command, "--store", url])
            errors = capsys.readouterr().err
            assert code in (0, 1, 2), (damage, command, errors)
            assert "Traceback" not in errors
        assert path.read_bytes() == before, (damage, "reading wrote")
        code = program.run(["merge", str(tmp_path / f"{damage}.db"), str(path)])
        assert code in (0, 1, 2), (damage, capsys.readouterr().err)
