"""Errors of databases as messages: one cannot be opened or written, or what it holds is damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from results.store.database_url import shown_url
from search_spaces.common.errors import InvalidArchitecture, StoreError

PACKAGES = {  # of drivers whose package is not called as they are, or does not bring its library along
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
DAMAGE = (  # whatever parsing raises for what we did not write; Optuna asserts
    ArithmeticError,
    AssertionError,
    AttributeError,
    InvalidArchitecture,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
REMEDIES = {  # by what the database or the system says
    "full": "make room on the disk, then give the same command again: everything recorded so far is kept",
    "readonly": "give yourself write access to the file and its folder, or name another with --store",
    "read-only": "give yourself write access to the file and its folder, or name another with --store",
    "not a database": "it is no SQLite file: name another with --store sqlite:///runs/nas.db",
    "unable to open": "check that the file and its folder exist and are yours",
    "Permission denied": "check that the file and its folder are yours, or name another with --store",
    "locked": "another program holds it: end that program, or wait",
    "Can't load plugin": "give a SQLAlchemy URL such as sqlite:///runs/nas.db or postgresql://host/name",
    "malformed": "restore a copy of the file, or save what SQLite can read: sqlite3 FILE .recover",
    "refused": "start the server, or check the host and the port in the URL",
    "timeout expired": "start the server, or check the host and the port in the URL",
    "could not translate host": "check the host in the URL",
    "authentication failed": "put the password into ~/.pgpass, or into PGPASSWORD",
    "no password supplied": "put the password into ~/.pgpass, or into PGPASSWORD",
    "certificate": "name the certificate of the server's authority: &sslrootcert=FILE",
    "permission denied for": "the owner of the database grants them: nas store init-roles says how",
    "terminating connection": "give the same command again: everything recorded so far is kept",
    "server closed the connection": "give the same command again: everything recorded so far is kept",
    "No space left": "make room on the server's disk, then give the same command again: what is recorded is kept",
    "does not exist": "make it: createdb NAME, or check the name in the URL",
    "no such": "the database is incomplete: restore a copy of it",
}


class NoRuns(StoreError):
    """There is no database yet, or none whose creation was finished."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"there are no runs yet: {reason}", "start one: nas run --space nhs --budget 200")


class Damaged(StoreError):
    """Something that the database holds cannot be read."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"{what} is damaged: {reason}",
            "restore a copy of the database, or take over everything that can be read: nas merge NEW.db OLD.db",
        )
        self.sentence = f"{what}: {reason}"


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turns the errors of databases, their drivers and disks into ours.

    Raises:
        StoreError: what happened, and what to do.
    """
    import optuna.exceptions

    try:
        yield
    except ImportError as error:
        driver = error.name or str(error)
        raise StoreError(
            f"the database '{shown_url(url)}' needs the Python package {driver}, which is not installed",
            f"pip install {PACKAGES.get(driver, driver)}",
        ) from error
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        raise StoreError(
            f"the database '{shown_url(url)}' failed: {_reason(error, cause)}", _remedy(str(cause) + str(error))
        ) from error


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """Reads something that the database holds, which nobody guarantees to be what we wrote.

    Raises:
        Damaged: it is not; says why.
    """
    try:
        yield
    except DAMAGE as error:
        text = error.message if isinstance(error, InvalidArchitecture) else str(error)
        name = "" if isinstance(error, InvalidArchitecture) else type(error).__name__
        raise Damaged(what, ": ".join(filter(None, [name, text.partition("\n")[0][:200]]))) from error


def _reason(error: BaseException, cause: BaseException) -> str:
    text = str(getattr(error, "orig", None) or cause)
    return text.splitlines()[0] if text else type(error).__name__


def _remedy(text: str) -> str:
    return next((remedy for sign, remedy in REMEDIES.items() if sign in text), "check the URL given with --store")
