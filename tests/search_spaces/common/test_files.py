"""Where a command may write: over files and new names, through links, and over nothing else."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from nas.program import run
from search_spaces.common import files
from search_spaces.common.errors import NasError, NegativeAnswer, UsageError

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")


def device(path: Path) -> None:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))  # as /dev/full: it would say that the disk is full


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def linked(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def link(path: Path) -> None:
        make(path.with_name("hidden"))
        path.symlink_to("hidden")

    return link


STRANGE = [
    pytest.param(device, "a device", marks=root, id="device"),
    pytest.param(pipe, "a pipe", id="pipe"),
    pytest.param(bound, "a socket", id="socket"),
    pytest.param(linked(device), "a device", marks=root, id="link to a device"),
    pytest.param(linked(pipe), "a pipe", id="link to a pipe"),
]


@pytest.mark.parametrize(("make", "kind"), STRANGE)
def test_what_is_no_file_stays_what_it_is(tmp_path: Path, make: Callable[[Path], None], kind: str) -> None:
    path = tmp_path / "out.html"
    make(path)
    before = path.lstat(), path.stat()
    for write in (lambda: files.replace(path, "text"), lambda: files.check_file(path), lambda: files.target(path)):
        with pytest.raises(UsageError, match=kind):
            write()
    assert (path.lstat(), path.stat()) == before


@pytest.mark.parametrize(("make", "kind"), STRANGE)
def test_no_command_writes_over_what_is_no_file(
    tmp_path: Path, make: Callable[[Path], None], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.json"
    make(path)
    before = path.lstat(), path.stat()
    for command in (
        ["dashboard", "whole", "-o", str(path)],
        ["compare", "one", "two", "-o", str(path)],
        ["validate", "--truth", "truth.csv", "-o", str(path)],
        ["export", "C-C-C-C", "-o", str(path), "--force"],
    ):
        assert run(command) == 2
        assert f"'{path}' is {kind}" in capsys.readouterr().err
        assert (path.lstat(), path.stat()) == before, command


def test_a_link_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "page.html").write_text("before")
    (tmp_path / "far" / "page.html").chmod(0o600)
    link = tmp_path / "page.html"
    link.symlink_to("far/page.html")
    files.replace(link, "after")
    assert link.is_symlink()
    assert (tmp_path / "far" / "page.html").read_text() == "after"
    assert stat.S_IMODE(link.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["page.html"]


def test_a_link_to_nothing_makes_what_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to("new.html")
    files.replace(link, "text")
    assert link.is_symlink()
    assert (tmp_path / "new.html").read_text() == "text"


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to("page.html")
    with pytest.raises(NegativeAnswer, match="was not written"):
        files.replace(link, "text")


def test_a_folder_does_not_become_a_file_nor_a_file_a_folder(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    (folder / "inside").mkdir(parents=True)
    file.write_text("text")
    with pytest.raises(UsageError, match="is a folder"):
        files.replace(folder, "text")
    with pytest.raises(UsageError, match="is a folder"), files.replacing(folder) as made:
        made.write_text("text")
    with pytest.raises(UsageError, match="is a file"), files.replacing(file) as made:
        made.mkdir()
    assert (folder / "inside").is_dir()
    assert file.read_text() == "text"
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_a_killed_sole_writer_leaves_one_folder_which_the_next_one_removes(tmp_path: Path) -> None:
    unfinished = []
    for attempt in range(2):
        writing = files.replacing(tmp_path / "state", sole_writer=True)
        temporary = writing.__enter__()
        unfinished.append(writing)  # a context that is collected would tidy up
        assert not temporary.exists(), attempt
        temporary.write_text("half")
    assert len(list(tmp_path.iterdir())) == 1
    files.replace(tmp_path / "state", "whole", sole_writer=True)
    assert [each.name for each in tmp_path.iterdir()] == ["state"]
    assert (tmp_path / "state").read_text() == "whole"


@pytest.mark.parametrize("name", ["x" * 255, "x" * 300, "x" * 100_000, "ü" * 127, "a\nb"])
def test_a_name_of_any_length_is_written_or_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    try:
        files.replace(path, "text")
    except NasError as error:
        assert "too long" in str(error)
    else:
        assert path.read_text() == "text"


def test_a_file_is_no_folder_to_write_into(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(NegativeAnswer, match="was not written"):
        files.replace(tmp_path / "file" / "page.html", "text")


def test_an_export_does_not_replace_the_folder_in_which_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "notes").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    export = ("export", "C-C-C-C", "--to", "config,onnx", "--force", "-o")
    for output in (".", "", str(tmp_path / "here"), str(tmp_path)):
        assert run([*export, output]) == 2
        assert "you are in" in capsys.readouterr().err
    assert run([*export, "../notes"]) == 2
    assert "is a file's name" in capsys.readouterr().err
    assert (tmp_path / "notes").read_text() == "mine"
