"""Writing files and folders so that a reader finds them complete or not at all."""

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
        UsageError: it leads to something else, such as a device or a pipe, which a file would replace.
        NegativeAnswer: it cannot be followed.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise _refused(path, error) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise UsageError(f"'{path}' is {_kind(mode)}: it is not overwritten", "choose the path of a file")
    return path.resolve()


def check_file(path: Path) -> None:
    """Refuses a path that cannot become a file, so that nothing is computed for it in vain.

    Raises:
        UsageError: it is a folder, a device, a pipe or a socket.
        NegativeAnswer: it cannot be followed.
    """
    if target(path).is_dir():
        raise UsageError(f"'{path}' is a folder", "choose the path of a file")


@contextmanager
def replacing(path: Path, *, sole_writer: bool = False) -> Iterator[Path]:
    """Yields a temporary path to write a file or folder to; afterwards it moves to `path` in one step.

    A link stays a link: its target is replaced. A file keeps its mode. With `sole_writer`, which promises that no other
    process writes to this path, the temporary name is always the same: a writer that is killed leaves at most one.

    Raises:
        UsageError: something of another kind is at `path`.
        NegativeAnswer: it cannot be written there.
    """
    final = target(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        room = _fixed_room(final) if sole_writer else Path(tempfile.mkdtemp(prefix=".nas-", dir=final.parent))
    except OSError as error:
        raise _refused(path, error) from None
    try:
        temporary = room / final.name
        yield temporary
        if target(path).exists():
            if temporary.is_dir() != final.is_dir():
                raise UsageError(f"'{path}' is a {'folder' if final.is_dir() else 'file'}", "choose another path")
            shutil.copymode(final, temporary)
            if final.is_dir():
                final.replace(room / "before")  # a rename does not replace a folder unless it is empty
        temporary.replace(final)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def replace(path: Path, text: str, *, sole_writer: bool = False) -> None:
    """Writes a text file, completely or not at all; `sole_writer` as in `replacing`.

    Raises:
        UsageError: something other than a file is at `path`.
        NegativeAnswer: it cannot be written there.
    """
    check_file(path)
    with replacing(path, sole_writer=sole_writer) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _fixed_room(final: Path) -> Path:
    room = final.parent / f".nas-{final.name}"
    shutil.rmtree(room, ignore_errors=True)  # left behind by a writer that was killed
    room.mkdir()
    return room


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _refused(path: Path, error: OSError) -> NegativeAnswer:
    return NegativeAnswer(
        f"'{path}' was not written: {error.strerror or error}",
        "free some space, correct the folder's permissions, or choose another path",
    )
