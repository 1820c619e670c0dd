"""Writing files and folders so that a reader finds them whole or not at all."""

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
        UsageError: to something else, such as a device or a pipe, which a file would take the place of.
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
    """Refuses a path at which no file can stand; said before anything is worked out for it.

    Raises:
        UsageError: a folder, a device, a pipe or a socket stands there.
        NegativeAnswer: it cannot be followed.
    """
    if target(path).is_dir():
        raise UsageError(f"'{path}' is a folder", "name a file with -o")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`, file or folder: it gets there when all of it is written.

    A link stays a link: what it leads to is replaced. A file keeps its mode.

    Raises:
        UsageError: something of another kind stands there.
        NegativeAnswer: it cannot be written there.
    """
    place = target(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=".nas-", dir=place.parent))
    except OSError as error:
        raise _refused(path, error) from None
    try:
        made = room / place.name
        yield made
        if target(path).exists():
            if made.is_dir() != place.is_dir():
                raise UsageError(f"'{path}' is a {'folder' if place.is_dir() else 'file'}", "name another with -o")
            shutil.copymode(place, made)
            if place.is_dir():
                place.replace(room / "before")  # a folder is not replaced by a rename, unless it is empty
        made.replace(place)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def replace(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        UsageError: something that is no file stands there.
        NegativeAnswer: it cannot be written there.
    """
    check_file(path)
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _refused(path: Path, error: OSError) -> NegativeAnswer:
    return NegativeAnswer(
        f"'{path}' was not written: {error.strerror or error}",
        "check the folder and its rights, or name another with -o",
    )
