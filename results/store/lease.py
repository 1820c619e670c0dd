"""Who works on a run: a lock on this machine for a file, and for a server a lease that its holder renews.

A lease is a row with an end, by the server's clock. Its holder renews it while it lives; whoever finds it ended takes
it over. A holder that could not renew it in time, or that slept, writes nothing more: by then another may have it.
"""

import contextlib
import secrets
import threading
import time
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from evaluators.core.locks import identity, lock
from evaluators.core.measurement import digest
from results.store.database import ADVISORY
from results.store.database_errors import explained
from results.store.database_url import is_postgresql, sqlite_path
from search_spaces.common.errors import StoreError

SECONDS, RENEWAL = 30.0, 5.0  # of a lease, and between renewals
leases = sa.Table(
    "nas_leases",
    sa.MetaData(),
    sa.Column("run", sa.String(512), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),  # of this holder
    sa.Column("holder", sa.String(512), nullable=False),  # for people
    sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
)


class Reservation(Protocol):
    """A run is one process's while it is taken."""

    def take(self) -> bool:
        """Takes it if nobody has it; returns whether it did."""

    def holder(self) -> str:
        """Who has it, for people."""

    def release(self) -> None:
        """Gives it back."""


def reservation(engine: sa.Engine, url: str, run: str) -> Reservation:
    """The reservation of a run in a database."""
    if is_postgresql(url):
        return Lease(engine, url, run)
    path = sqlite_path(url)
    return lock(f"run-{digest([str(path.resolve()) if path else url, run])}")


def create(engine: sa.Engine) -> None:
    """Makes the table of leases where it is missing, by one process at a time."""
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY)))
        leases.create(connection, checkfirst=True)


def holder_now(engine: sa.Engine, run: str) -> str:
    """Who holds the lease on a run of a server at present, for people; empty where nobody does. Writes nothing."""
    if not sa.inspect(engine).has_table(leases.name):
        return ""
    with engine.connect() as connection:
        held = sa.select(leases.c.holder).where(leases.c.run == run, leases.c.ends > sa.func.now())
        return connection.execute(held).scalar() or ""


def _end() -> "sa.ColumnElement[datetime]":
    """When a lease that is taken or renewed now will end, by the server's clock."""
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, SECONDS)


class Lease:
    """A lease on a run of a server. `check` belongs before everything that its holder writes."""

    def __init__(self, engine: sa.Engine, url: str, run: str) -> None:
        self.engine, self.url, self.run, self.token = engine, url, run, secrets.token_hex(16)
        self._renewed, self._lost, self._ended = 0.0, False, threading.Event()
        self._thread = threading.Thread(target=self._renew_always, name=f"lease of {run}", daemon=True)

    def take(self) -> bool:
        """Takes the lease if nobody holds it; waits for the end of one that is not renewed any more.

        Raises:
            StoreError: the server cannot be used.
        """
        with explained(self.url):
            create(self.engine)
            deadline = time.monotonic() + SECONDS + RENEWAL
            end = self._ends()
            while not self._taken():
                time.sleep(RENEWAL / 5)
                if self._ends() != end or time.monotonic() > deadline:  # its holder lives
                    return False
        self._thread.start()
        return True

    def _taken(self) -> bool:
        """Takes the lease if it is free or has ended."""
        from sqlalchemy.dialects.postgresql import insert

        mine = {"token": self.token, "holder": identity()[:500], "ends": _end()}
        begun = time.monotonic()
        statement = insert(leases).values(run=self.run, **mine)
        statement = statement.on_conflict_do_update(
            index_elements=[leases.c.run], set_=mine, where=leases.c.ends < sa.func.now()
        )
        with self.engine.begin() as connection:
            taken = connection.execute(statement.returning(leases.c.token)).scalar() == self.token
        self._renewed = begun
        return taken

    def _ends(self) -> datetime | None:
        with self.engine.connect() as connection:
            return connection.execute(sa.select(leases.c.ends).where(leases.c.run == self.run)).scalar()

    def holder(self) -> str:
        """Who has it, for people.

        Raises:
            StoreError: the server cannot be used.
        """
        with explained(self.url), self.engine.connect() as connection:
            found = connection.execute(sa.select(leases.c.holder).where(leases.c.run == self.run)).scalar()
        return found or "a process that has just ended"

    def check(self) -> None:
        """Makes sure that the lease is still this process's.

        Raises:
            StoreError: it has ended, and another process may have taken it.
        """
        if self._lost or time.monotonic() - self._renewed > SECONDS:
            raise StoreError(
                f"the lease on run '{self.run}' was lost: the database could not be reached for {SECONDS:g} s, or this "
                "process slept; another may work on the run",
                "everything recorded is kept; resume the run when nobody else works on it",
            )

    def release(self) -> None:
        """Gives it back; where the server cannot be reached, it ends by itself."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(SECONDS)
        with contextlib.suppress(sa.exc.SQLAlchemyError), self.engine.begin() as connection:
            connection.execute(leases.delete().where(self._mine()))

    def _mine(self) -> "sa.ColumnElement[bool]":
        return (leases.c.run == self.run) & (leases.c.token == self.token)

    def _renew_always(self) -> None:
        while not self._ended.wait(RENEWAL) and not self._lost:
            with contextlib.suppress(sa.exc.SQLAlchemyError):  # the server may come back in time
                self._renew()

    def _renew(self) -> None:
        begun = time.monotonic()
        with self.engine.begin() as connection:
            renewed = connection.execute(leases.update().where(self._mine()).values(ends=_end())).rowcount == 1
        if renewed:
            self._renewed = begun
        else:
            self._lost = True
