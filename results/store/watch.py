"""Notices that a database was deleted while a run writes into it, and saves a copy from what is still open."""

import itertools
import sqlite3
import tempfile
from pathlib import Path

from results.store.database import connect
from search_spaces.common.errors import StoreError


class Watch:
    """Watches the file of an open SQLite database.

    On Unix a deleted file lives on while it is open, and SQLite goes on writing into it without an error. The
    connection that is kept here reaches it, and whatever else had been written ahead, to the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _identity(path)
        self._connection = connect(path, "rw")
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the write-ahead log, too
        self._saved: Path | None = None

    def check(self) -> None:
        """Checks that the file is still the one that was opened.

        Raises:
            StoreError: it was deleted, moved or replaced; everything that it held was saved, and where.
        """
        if _identity(self.path) == self._identity:
            return
        if self._saved is None:
            self._saved = self._save()
        happened = "replaced by another file" if self.path.exists() else "deleted"
        raise StoreError(
            f"the database '{self.path}' was {happened} while it was in use; everything that it held is saved in "
            f"'{self._saved}'",
            f"bring it back: nas merge {self.path} {self._saved}",
        )

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def _save(self) -> Path:
        try:
            return self._copy(self.path.parent)
        except (OSError, sqlite3.Error):
            return self._copy(Path(tempfile.gettempdir()))

    def _copy(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = _new_file(folder, self.path)
        copy = sqlite3.connect(path)
        try:
            self._connection.backup(copy)
        finally:
            copy.close()
        return path


def _new_file(folder: Path, like: Path) -> Path:
    for number in itertools.count(1):
        path = folder / f"{like.stem}-recovered{f'-{number}' if number > 1 else ''}{like.suffix}"
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always another number")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
