"""The URL of a database: which file or server it names, how it is connected to, and how it is shown.

A password is never shown. Beyond the loopback, a server has to prove who it is, and the connection is encrypted.
"""

import os
import stat
from pathlib import Path

import sqlalchemy as sa

from search_spaces.common.errors import UsageError

POSTGRESQL, SQLITE = "postgresql", "sqlite"
DRIVER = "postgresql+psycopg"  # psycopg 3, for URLs that name no other
LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
SAFE = "verify-full"
# libpq's: a link that is cut is noticed within half a minute, in which a lease on a run ends, instead of two hours.
WATCHED = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "25000"}
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def parsed(url: str) -> sa.URL:
    """A URL, checked.

    Raises:
        UsageError: it is none, or names what cannot keep anything: memory, a folder, a FIFO, a device, a server without
            a database, or one that could not be told from another in its place.
    """
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        shown = url if "@" not in url else f"{url.partition('://')[0]}://...@{url.rpartition('@')[2]}"
        raise UsageError(
            f"'{shown}' is not a database URL",
            "give a SQLAlchemy URL such as sqlite:///runs/nas.db or postgresql://host/name",
        ) from None
    if found.get_backend_name() == SQLITE:
        _check_file(url, found)
    if found.get_backend_name() == POSTGRESQL:
        _check_server(found)
    return found


def _check_file(url: str, found: sa.URL) -> None:
    name, example = found.database or "", "name a file: sqlite:///runs/nas.db"
    if name in ("", ":memory:"):
        raise UsageError(f"'{url}' is a database in memory: everything would be lost when the command ends", example)
    if name.startswith("file:") or found.query:
        raise UsageError(f"'{url}' has SQLite's own options, which nas sets itself", example)
    if kind := _special(Path(name)):
        raise UsageError(f"'{name}' is {kind}: a database is a regular file", example)


def _special(path: Path) -> str:
    """The kind of file at a path, where it is no regular file; empty where it is one, or nothing is there."""
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing is there, or it is out of reach: opening it will say so
        return ""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "no file")


def _check_server(found: sa.URL) -> None:
    shown = found.render_as_string(hide_password=True)
    if not found.database:
        raise UsageError(f"'{shown}' names no database", "add its name: postgresql://host/name")
    hosts = [found.host or "", *_texts(found, "host"), *_texts(found, "hostaddr")]
    if all(host in LOOPBACK or host.startswith("/") for host in hosts):
        return
    mode = next(iter(_texts(found, "sslmode")), os.environ.get("PGSSLMODE", ""))
    if mode != SAFE:
        raise UsageError(
            f"the connection to {found.host} would not be safe: sslmode is {mode or 'not set'}",
            f"add ?sslmode={SAFE} to the URL, and name the certificate of the server's authority: &sslrootcert=FILE",
        )


def _texts(found: sa.URL, option: str) -> list[str]:
    """The values of an option of a URL, which may have it more than once."""
    value = found.query.get(option, ())
    return [value] if isinstance(value, str) else list(value)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases.

    Raises:
        UsageError: it is no URL of a database that keeps what is written.
    """
    found = parsed(url)
    return Path(found.database or "") if found.get_backend_name() == SQLITE else None


def is_postgresql(url: str) -> bool:
    """Whether a URL names a PostgreSQL server."""
    return parsed(url).get_backend_name() == POSTGRESQL


def shown_url(url: str) -> str:
    """A database URL as it may be shown: without its password."""
    found = parsed(url)
    return found.set(query={key: value for key, value in found.query.items() if key != "password"}).render_as_string(
        hide_password=True
    )


def for_driver(url: str) -> str:
    """The URL as SQLAlchemy takes it, with the driver that nas brings along where it names none; has the password."""
    found = parsed(url)
    if found.drivername == POSTGRESQL:
        found = found.set(drivername=DRIVER)
    if found.drivername == DRIVER:
        found = found.set(query={**WATCHED, **found.query})
    return found.render_as_string(hide_password=False)
