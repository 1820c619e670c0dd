"""Which databases are opened, made or refused; and what is said of one that is damaged."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from results.store import merge as merging
from results.store.database_errors import Damaged
from results.store.store import Store
from search_spaces.common.errors import NasError, StoreError, UsageError
from tests.results.store.stores import CONFIG, S, measurement, tell

# What cannot keep anything


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "", "sqlite:///a.db?x=y"],
)
@pytest.mark.parametrize("writable", [True, False])
def test_a_database_in_memory_is_refused(url: str, writable: bool) -> None:
    with pytest.raises(UsageError, match=r"sqlite:///runs/nas\.db"):
        Store(url, writable=writable)


@pytest.mark.parametrize("writable", [True, False])
def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path: Path, writable: bool) -> None:
    os.mkfifo(tmp_path / "fifo")  # opening it would wait for ever
    for name, kind in (("fifo", "a FIFO"), (".", "a folder")):
        with pytest.raises(UsageError, match=f"is {kind}: a database is a regular file"):
            Store(f"sqlite:///{tmp_path}/{name}", writable=writable)


@pytest.mark.parametrize(
    ("url", "package"),
    [("postgresql+psycopg2://localhost/nas", "psycopg2-binary"), ("mysql://localhost/nas", "mysqlclient")],
)
def test_a_missing_driver_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, url: str, package: str) -> None:
    for driver in ("psycopg2", "MySQLdb"):
        monkeypatch.setitem(sys.modules, driver, None)  # what Python does where it is not installed
    with pytest.raises(StoreError, match=f"pip install {package}"):
        Store(url, writable=True)


@pytest.mark.parametrize("url", ["postgresql://host:port/nas", "nas.db", "://"])
def test_a_url_that_cannot_be_understood_is_usage(url: str) -> None:
    with pytest.raises(UsageError, match="is not a database URL"):
        Store(url)


# Several processes at once

CREATE = """
import sys
from pathlib import Path
from nas.search.config import Config
from results.store.store import Store
import optuna
url, name, ready, go = sys.argv[1:]
Path(ready).touch()
while not Path(go).exists():
    pass
store = Store(url, writable=True)
store.create(name, Config(budget=3).to_dict())
print(store.names())
store.close()
"""


def test_processes_that_begin_on_a_fresh_database_at_once_all_succeed(url: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, url, f"run-{number}", str(tmp_path / f"ready-{number}"), str(go)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    while len(list(tmp_path.glob("ready-*"))) < len(started):
        assert all(process.poll() is None for process in started)
    go.touch()
    for process in started:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    reader = Store(url)
    assert sorted(reader.names()) == [f"run-{number}" for number in range(4)]
    reader.close()


# Damage


@contextmanager
def database(store: Store) -> Iterator[sqlite3.Connection]:
    """The file of a store that has been closed."""
    store.close()
    connection = sqlite3.connect(store.url.removeprefix("sqlite:///"))
    with connection:
        yield connection
    connection.close()


JSON_COLUMNS = [
    "measurements.record",
    "study_user_attributes.value_json",
    "trial_user_attributes.value_json",
    "trial_system_attributes.value_json",
    "trial_params.distribution_json",
]


@pytest.mark.parametrize("column", JSON_COLUMNS)
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000])
def test_damaged_json_in_any_column_is_named(full: Store, column: str, text: str) -> None:
    table, name = column.split(".")
    with database(full) as connection:
        assert connection.execute(f"UPDATE {table} SET {name} = ?", [text]).rowcount
    reader = Store(full.url)
    with pytest.raises(Damaged, match=r"of run 'one'|run 'one' in|measurement 1"):
        reader.run("one")
        reader.frozen("one")  # which reads parameters, too
    reader.close()


WRONG: tuple[object, ...] = ("text", None, "{}", 1e400, '{"a": 1}', b"\xff", "", -1, "9999-99-99")


@pytest.mark.parametrize("values", [1, pytest.param(len(WRONG), marks=pytest.mark.slow)])
def test_no_content_of_any_column_is_a_bug(full: Store, tmp_path: Path, values: int) -> None:
    """Every column of every table in turn holds what it must not: all that comes of it are our own messages."""
    with database(full) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]
    path, tried = tmp_path / "runs" / "nas.db", 0
    whole = path.read_bytes()
    for number, (table, column) in enumerate(columns):
        for value in [WRONG[(number + further) % len(WRONG)] for further in range(values)]:
            path.write_bytes(whole)
            with sqlite3.connect(path) as connection, suppress(sqlite3.IntegrityError):
                tried += connection.execute(f"UPDATE OR FAIL {table} SET {column} = ?", [value]).rowcount > 0
            connection.close()
            with suppress(NasError), closing(Store(full.url)) as reader:
                with suppress(NasError):
                    merging.read(reader)
                with suppress(NasError):
                    reader.run(reader.latest())
                reader.trained()
                reader.measured("ort")
    assert tried > 20 * values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE nas_schema SET version = 'one'", "has the version 'one', which is no number"),
        ("DELETE FROM nas_schema", "has no row in table nas_schema"),
        ("DROP TABLE measurements", "has no table measurements"),
        ("DELETE FROM alembic_version", "has no tables of Optuna"),
        ("UPDATE alembic_version SET version_num = 'v99'", "tables of Optuna .* are of a version"),
        ("INSERT INTO alembic_version VALUES ('v99')", "tables of Optuna .* are of a version"),
        ("UPDATE study_directions SET direction = 'UP'", "run 'one' .* is damaged: LookupError: 'UP'"),
        ("UPDATE trials SET state = 'GONE'", "the trials of run 'one' .* is damaged"),
    ],
)
@pytest.mark.parametrize("writable", [True, False])
def test_a_damaged_schema_is_named(full: Store, change: str, message: str, writable: bool) -> None:
    with database(full) as connection:
        assert connection.execute(change)
    with pytest.raises(StoreError, match=message), closing(Store(full.url, writable=writable)) as opened:
        opened.run("one")


def test_a_creation_that_was_interrupted_is_finished(store: Store) -> None:
    with database(store) as connection:
        connection.execute("DELETE FROM nas_schema")
        connection.execute("DROP TABLE trial_values")
    with pytest.raises(StoreError, match="there are no runs yet"):
        Store(store.url)
    with closing(Store(store.url, writable=True)) as again:
        again.create("one", CONFIG)
        tell(again, "one")
        assert len(again.run("one").trials) == 1


def test_measurements_without_any_run_open_and_can_get_one(store: Store) -> None:
    """What nas measure left behind before the tables of Optuna were made at once."""
    store.remember(S, measurement())
    with database(store) as connection:
        ours = {"nas_schema", "measurements"}
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} - ours
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
    with closing(Store(store.url)) as reader:
        assert reader.names() == []
        assert len(reader.measured("params")) == 1
    with closing(Store(store.url, writable=True)) as again:
        again.create("one", CONFIG)
        assert again.recall(S, measurement().context)


def test_a_value_that_is_not_in_the_database_is_said_to_be_missing(full: Store) -> None:
    with database(full) as connection:
        connection.execute("DELETE FROM measurements")
    with closing(Store(full.url)) as reader:
        (trial,) = reader.run("one").trials
    assert (trial.state, trial.cause) == ("failed", "its measurements are not in the database: params")
