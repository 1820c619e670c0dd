"""A store in a file: reading changes nothing, and whatever is wrong with the file is explained."""

import os
import sqlite3
from pathlib import Path

import pytest

from results.store.store import Store
from search_spaces.common.errors import StoreError, UsageError
from tests.results.store.stores import CONFIG, S, measurement, tell


def test_reading_what_is_not_there_creates_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there are no runs yet"):
        Store(url)
    assert list(tmp_path.iterdir()) == []


def test_reading_changes_no_file(store: Store, url: str, tmp_path: Path) -> None:
    store.create("one", CONFIG)
    tell(store, "one")
    store.close()
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "runs").iterdir()}
    reader = Store(url)
    reader.run(reader.latest())
    reader.close()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "runs").iterdir()} == before


def test_a_database_of_another_program_is_left_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with sqlite3.connect(tmp_path / "runs" / "nas.db") as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    for writable in (True, False):
        with pytest.raises(StoreError, match="belongs to another program"):
            Store(url, writable=writable)


def test_a_newer_schema_asks_for_an_upgrade(store: Store, url: str, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(tmp_path / "runs" / "nas.db") as database:
        database.execute("UPDATE nas_schema SET version = 99")
    with pytest.raises(StoreError, match="schema 99; this program knows 1"):
        Store(url)


def test_a_file_that_is_no_database_is_named(url: str, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "nas.db").write_text("once upon a time, there was a text file" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(url, writable=True)


def test_a_url_that_is_none_is_explained() -> None:
    with pytest.raises(UsageError, match="SQLAlchemy URL"):
        Store("runs/nas.db", writable=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser writes where nobody may")
def test_a_read_only_folder_is_explained(url: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="check that the file and its folder are yours"):
        Store(url, writable=True)


def test_a_full_disk_is_explained_and_loses_nothing(store: Store) -> None:
    store.create("one", CONFIG)
    tell(store, "one")
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # SQLite's own way of a disk without room
        connection.commit()
    with pytest.raises(StoreError, match="make room on the disk"):
        for _ in range(200):
            store.remember(S, measurement())
    assert len(store.run("one").trials) == 1
