"""Writes files and folders so that a reader sees all of one or nothing."""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.common.errors import NegativeAnswer, UsageError


def target(path: Path) -> Path:
    """Where a path leads, through links: to a file, to a folder, or to a name that is free.

    Raises:
        UsageError: to something else, such as a device or a pipe, which a file would replace.
        NegativeAnswer: it cannot be followed.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise _refused(path, error) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise UsageError(f"'{path}' is {_kind(mode)}: it is not written over", "name a file with -o")
    return path.resolve()


def check_file(path: Path) -> None:
    """Refuses a path at which no file can be written, before anything is computed for it.

    Raises:
        UsageError: it is a folder, a device, a pipe or a socket.
        NegativeAnswer: it cannot be followed.
    """
    if target(path).is_dir():
        raise UsageError(f"'{path}' is a folder", "name a file with -o")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path for a new file or folder, which replaces `path` when the block ends without an error.

    A link stays a link: its target is replaced. A file keeps its mode.

    Raises:
        UsageError: a file would replace a folder, or a folder a file.
        NegativeAnswer: it cannot be written there.
    """
    destination = target(path)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".nas-", dir=destination.parent))
    except OSError as error:
        raise _refused(path, error) from None
    try:
        unfinished = folder / destination.name
        yield unfinished
        if target(path).exists():
            if unfinished.is_dir() != destination.is_dir():
                raise UsageError(
                    f"'{path}' is a {'folder' if destination.is_dir() else 'file'}", "name another with -o"
                )
            shutil.copymode(destination, unfinished)
            if destination.is_dir():
                destination.replace(folder / "before")  # a folder is not replaced by a rename, unless it is empty
        unfinished.replace(destination)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        UsageError: the path is something else than a file.
        NegativeAnswer: it cannot be written there.
    """
    check_file(path)
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _refused(path: Path, error: OSError) -> NegativeAnswer:
    return NegativeAnswer(
        f"'{path}' was not written: {error.strerror or error}",
        "check the folder and its permissions, or name another with -o",
    )
