"""Opening the database: SQLite in a file by default, any SQLAlchemy URL otherwise.

Optuna's tables hold the studies, `measurements` every measurement ever made, `nas_schema` the version of the latter.
"""

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from evaluators.core.locks import lock
from evaluators.core.measurement import digest
from results.store.database_errors import Damaged, NoRuns, explained
from results.store.database_url import for_driver, is_postgresql, shown_url, sqlite_path
from search_spaces.common.errors import StoreError

SCHEMA_VERSION = 1
BUSY_SECONDS = 30
CONNECT_SECONDS = 10
IDLE_SECONDS = 0.1  # after which a connection may have been cut
OLDEST_SERVER = 13  # of PostgreSQL
OPTUNA = "tables of Optuna"
BESIDE = ("procrastinate_", "nas_answers", "nas_lanes", "nas_leases")  # of the queue, and of the leases on runs
ADVISORY = 0x6E6173  # "nas": PostgreSQL's number of the lock under which tables and runs are created
Mode = Literal["ro", "rw", "rwc"]  # SQLite's own words: read, write, write and create

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


def engine_options(url: str, mode: Mode) -> dict[str, Any]:
    """How every engine on this database connects, ours and Optuna's.

    SQLite writes ahead and lets the system flush: Optuna's defaults cost an fsync for every parameter of every trial
    (479 ms a trial on a slow disk). A killed process loses nothing; only a power cut could lose the last trial.

    A connection to PostgreSQL for reading refuses to write.
    """
    if path := sqlite_path(url):
        return {"creator": partial(connect, path, mode)}
    if not is_postgresql(url):
        return {}
    session = "-c default_transaction_read_only=on" if mode == "ro" else ""
    arguments = {"connect_timeout": CONNECT_SECONDS, "application_name": "nas", "options": session}
    return {"connect_args": arguments}


def connect(path: Path, mode: Mode) -> sqlite3.Connection:
    """A connection to a SQLite file."""
    # Even a reader of write-ahead SQLite leaves files behind, unless it knows that nobody writes: `immutable`.
    at_rest = mode == "ro" and not path.with_name(f"{path.name}-wal").exists()
    name = f"{path.resolve().as_uri()}?mode={mode}{'&immutable=1' if at_rest else ''}"
    connection = sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    if mode != "ro":
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def open_engine(url: str, *, writable: bool) -> sa.Engine:
    """The database behind a URL, its tables checked, and made where `writable`.

    Raises:
        UsageError: the URL names no database, or what cannot keep one.
        NoRuns: it does not exist, and is not to be made.
        StoreError: it cannot be opened, is damaged, or is not ours to read.
    """
    path = sqlite_path(url)
    with explained(url):
        exists = path is None or path.exists()
        if not exists and not writable:
            raise NoRuns(f"'{path}' does not exist")
        if not exists:
            _create(url, path)
        engine = sa.create_engine(for_driver(url), **engine_options(url, "rw" if writable else "ro"))
        replace_cut_connections(engine)
        try:
            _settle(engine, url, path, writable)
        except BaseException:
            engine.dispose()
            raise
    return engine


def replace_cut_connections(engine: sa.Engine) -> None:
    """A connection to a server that was cut while it was idle is replaced.

    SQLAlchemy's `pool_pre_ping` asks before every use, which would double the requests of a search.
    """
    if engine.dialect.name == "sqlite":
        return

    def returned(connection: Any, record: Any) -> None:
        record.info["idle since"] = time.monotonic()

    def wanted(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle since", math.inf) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
                raise sa.exc.DisconnectionError from error  # the pool makes another

    sa.event.listen(engine, "checkin", returned)
    sa.event.listen(engine, "checkout", wanted)


def _settle(engine: sa.Engine, url: str, path: Path | None, writable: bool) -> None:
    _check_server(engine, url)
    if missing := _missing(engine, url):
        if writable:
            _create(url, path)
        elif missing != OPTUNA:  # without those it has measurements, but no run yet
            raise NoRuns(f"'{shown_url(url)}' has no {missing}")
    _check_version(engine, url)


def _check_server(engine: sa.Engine, url: str) -> None:
    """Refuses a server that lacks what is used of it."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        version = connection.connection.dbapi_connection.info.server_version  # type: ignore[union-attr]
    if version < OLDEST_SERVER * 10_000:
        raise StoreError(
            f"the server of '{shown_url(url)}' is PostgreSQL {version // 10_000}; nas needs {OLDEST_SERVER} or newer",
            "upgrade the server, or name another database with --store",
        )


def _create(url: str, path: Path | None) -> None:
    """Makes the tables that are missing, ours and Optuna's; the version comes last, and says that all is there."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    options = engine_options(url, "rwc")
    engine = sa.create_engine(for_driver(url), **options)
    try:
        with creating(engine, url):
            if not _missing(engine, url):
                return  # another process was quicker
            metadata.create_all(engine)
            storage = optuna.storages.RDBStorage(for_driver(url), engine_kwargs=options)
            storage.remove_session()
            storage.engine.dispose()
            if _version(engine) is None:
                with engine.begin() as connection:
                    connection.execute(schema.insert().values(version=SCHEMA_VERSION))
    finally:
        engine.dispose()


@contextmanager
def creating(engine: sa.Engine, url: str) -> Iterator[None]:
    """Keeps other processes from creating tables or runs: those of this machine, and of all machines on PostgreSQL.

    Raises:
        StoreError: another process has been creating for too long.
    """
    path = sqlite_path(url)
    held = lock(f"database-{digest(str(path.resolve()) if path else shown_url(url))}")
    if not held.take_within(BUSY_SECONDS):
        raise StoreError(f"another process is creating '{shown_url(url)}': {held.holder()}", "end it, or wait")
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":  # until this connection's transaction ends
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY)))
            yield
    finally:
        held.release()


def _missing(engine: sa.Engine, url: str) -> str:
    """What is not there yet of a database; nothing if it is whole.

    Raises:
        StoreError: it is another program's.
        Damaged: it has content, so that this was not left out by an interrupted creation.
    """
    tables = {name for name in sa.inspect(engine).get_table_names() if not name.startswith(BESIDE)}
    if not tables:
        return "tables"
    if schema.name not in tables:
        raise StoreError(
            f"the database '{shown_url(url)}' belongs to another program (tables: {', '.join(sorted(tables)[:4])})",
            "name another with --store sqlite:///runs/nas.db",
        )
    if measurements.name not in tables:
        missing, content = f"table {measurements.name}", ["studies"]
    elif _version(engine) is None:
        missing, content = f"row in table {schema.name}", [measurements.name, "studies"]
    elif "alembic_version" not in tables or _first(engine, "alembic_version", "version_num") is None:
        missing, content = OPTUNA, ["studies"]
    else:
        return ""
    if any(table in tables and _first(engine, table, "1") is not None for table in content):
        raise Damaged(f"the database '{shown_url(url)}'", f"it has no {missing}")
    return missing


def _version(engine: sa.Engine) -> Any:
    return _first(engine, schema.name, "version")


def _first(engine: sa.Engine, table: str, column: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.literal_column(column)).select_from(sa.table(table)).limit(1)).scalar()


def _check_version(engine: sa.Engine, url: str) -> None:
    version = _version(engine)
    if not isinstance(version, int):
        raise Damaged(f"the database '{shown_url(url)}'", f"its schema has the version {version!r}, which is no number")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database '{shown_url(url)}' has schema {version}; this program knows {SCHEMA_VERSION}",
            "upgrade nas, or name another database with --store",
        )
