"""Writing files and folders so that a reader finds them whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.common.errors import NegativeAnswer


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`, file or folder: it gets there when all of it is written.

    Raises:
        NegativeAnswer: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise _refused(path, error) from None
    try:
        made = room / path.name
        yield made
        if path.is_dir():
            path.replace(room / "before")  # a folder is not replaced by a rename, unless it is empty
        made.replace(path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def replace(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        NegativeAnswer: it cannot be written there.
    """
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8")


def _refused(path: Path, error: OSError) -> NegativeAnswer:
    return NegativeAnswer(
        f"'{path}' was not written: {error.strerror or error}",
        "check the folder and its rights, or name another with -o",
    )
