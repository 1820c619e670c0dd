"""The tables of the queue, in the database that holds the runs: procrastinate's, and two of our own.

procrastinate keeps the jobs: its unique index on the lock of jobs that are being done is what keeps a device to one
measurement at a time, whoever asks and however many serve it. Ours hold the answers, by the key of a job, and who
serves which lane.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import procrastinate
import psycopg

from results.store.database_errors import explained
from results.store.database_url import for_driver, is_postgresql, shown_url
from search_spaces.common.errors import UsageError

TASK = "nas.do"  # the only task: a job of evaluators/workers/jobs.py
CHANNEL = "nas_answers"  # on which the key of an answer is notified
ALIVE_SECONDS = 20.0  # since somebody who serves a lane was last heard of
CONNECT_SECONDS = 10
ADVISORY = 0x6E61714  # the lock under which the tables are created
OWN = """
CREATE TABLE IF NOT EXISTS nas_answers (
    key text PRIMARY KEY, answer jsonb NOT NULL, made timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS nas_lanes (
    lane text, worker text, host text NOT NULL, offers text NOT NULL, code text NOT NULL,
    done integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT now(), seen timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (lane, host, worker)
);
"""


def conninfo(url: str) -> str:
    """The URL as PostgreSQL's own library takes it; has the password.

    Raises:
        UsageError: it names no PostgreSQL server.
    """
    if not is_postgresql(url):
        raise UsageError(
            f"'{shown_url(url)}' has no queue: lanes are those of a team's database",
            "add --store postgresql://HOST/NAME",
        )
    return for_driver(url).replace("postgresql+psycopg://", "postgresql://", 1)


def create(url: str) -> None:
    """Makes the tables that are missing.

    Raises:
        UsageError: the URL names no PostgreSQL server.
        StoreError: the server cannot be used.
    """
    with connected(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY,))
        if lacks(connection, "nas_answers") or lacks(connection, "nas_lanes"):
            connection.execute(OWN)
        if lacks(connection, "procrastinate_jobs"):
            connection.execute(procrastinate.schema.SchemaManager.get_schema())


@contextmanager
def connected(url: str) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """A connection for one transaction.

    Raises:
        UsageError: the URL names no PostgreSQL server.
        StoreError: the server cannot be used.
    """
    where = conninfo(url)
    with explained(url):
        try:
            with psycopg.connect(where, connect_timeout=CONNECT_SECONDS) as connection:
                yield connection
        except psycopg.Error as error:
            raise OSError(str(error)) from error


def lacks(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> bool:
    """Whether a table is missing: an account without the right to make tables may use those that are there."""
    return connection.execute("SELECT to_regclass(%s) IS NULL", (table,)).fetchone() == (True,)
