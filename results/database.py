"""Opening the database: SQLite in a file by default, any SQLAlchemy URL otherwise. The only code that touches disk.

Optuna's tables hold the studies, `measurements` every measurement ever made, `nas_schema` the version of the latter.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from search_spaces.common.errors import StoreError, UsageError

SCHEMA_VERSION = 1
BUSY_SECONDS = 30

metadata = sa.MetaData()
schema = sa.Table("nas_schema", metadata, sa.Column("version", sa.Integer, nullable=False))
measurements = sa.Table(
    "measurements",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("architecture", sa.String(12), nullable=False),
    sa.Column("context", sa.String(16), nullable=False),  # metric, protocol, device and versions, digested
    sa.Column("metric", sa.String(255), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("unit", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("device", sa.String(16), nullable=False),
    sa.Column("made", sa.String(32), nullable=False),
    sa.Column("record", sa.Text, nullable=False),  # the whole measurement, JSON
    sa.Column("network", sa.Text, nullable=False),  # the architecture, canonical JSON
    sa.Index("by_architecture", "architecture", "context"),
    sa.Index("by_context", "context"),
)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError(
            f"'{url}' is not a database URL", "give a SQLAlchemy URL such as sqlite:///runs/nas.db"
        ) from None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def engine_options(url: str, *, writable: bool) -> dict[str, Any]:
    """How every engine on this database connects, ours and Optuna's.

    SQLite writes ahead and lets the system flush: Optuna's defaults cost an fsync for every parameter of every trial
    (479 ms a trial on a slow disk). A killed process loses nothing so; only a power cut could lose the last trial.
    """
    path = sqlite_path(url)
    return {"creator": _connector(path, writable)} if path else {}


def _connector(path: Path, writable: bool) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        # Even a reader of write-ahead SQLite leaves files behind, unless nobody writes and it is told so.
        at_rest = not path.with_name(f"{path.name}-wal").exists()
        mode = "mode=rwc" if writable else "mode=ro&immutable=1" if at_rest else "mode=ro"
        name = f"{path.resolve().as_uri()}?{mode}"
        connection = sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        if writable:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    return connect


def open_engine(url: str, *, writable: bool) -> sa.Engine:
    """The database behind a URL, its tables checked, and made where `writable`.

    Raises:
        StoreError: it does not exist (reading), cannot be opened, or is not ours to read.
    """
    path = sqlite_path(url)
    if path and not writable and not path.exists():
        raise StoreError(
            f"there are no runs yet: '{path}' does not exist", "start one: nas run --space nhs --budget 200"
        )
    with explained(url):
        if path and writable:
            path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, **engine_options(url, writable=writable))
        _check(engine, url, writable)
    return engine


def _check(engine: sa.Engine, url: str, writable: bool) -> None:
    tables = sa.inspect(engine).get_table_names()
    if "nas_schema" not in tables:
        if tables or not writable:
            raise StoreError(
                f"the database '{url}' belongs to another program (tables: {', '.join(tables[:4]) or 'none'})",
                "name another with --store sqlite:///runs/nas.db",
            )
        metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(schema.insert().values(version=SCHEMA_VERSION))
    with engine.connect() as connection:
        version = connection.execute(sa.select(schema.c.version)).scalar() or 0
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database '{url}' has schema {version}; this program knows {SCHEMA_VERSION}",
            "upgrade nas, or name another database with --store",
        )


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turns the errors of databases and disks into ours: what happened, and what to do."""
    import optuna.exceptions

    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        raise StoreError(
            f"the database '{url}' failed: {_reason(error, cause)}", _remedy(str(cause) + str(error))
        ) from error


def _reason(error: BaseException, cause: BaseException) -> str:
    text = str(getattr(error, "orig", None) or cause)
    return text.splitlines()[0] if text else type(error).__name__


def _remedy(text: str) -> str:
    remedies = {
        "full": "make room on the disk, then give the same command again: what was told is kept",
        "readonly": "give yourself write access to the file and its folder, or name another with --store",
        "read-only": "give yourself write access to the file and its folder, or name another with --store",
        "not a database": "it is no SQLite file: name another with --store sqlite:///runs/nas.db",
        "unable to open": "check that the file and its folder exist and are yours",
        "Permission denied": "check that the file and its folder are yours, or name another with --store",
        "locked": "another program holds it: end that program, or wait",
        "Can't load plugin": "give a SQLAlchemy URL such as sqlite:///runs/nas.db or postgresql://host/name",
    }
    return next((remedy for sign, remedy in remedies.items() if sign in text), "check the URL given with --store")
