"""The driver's side of the queue: it puts jobs, hears of answers, and says how lanes are doing."""

import contextlib
import shlex
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Self

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from evaluators.core.source_digest import code
from evaluators.workers.lanes import LaneState
from nas.farm import tables
from results.store.database_url import shown_url
from search_spaces.common.errors import InfrastructureFailed

STATE = """
SELECT (SELECT array_agg(worker || ' on ' || host ORDER BY worker) FROM nas_lanes
        WHERE lane = %(lane)s AND seen > now() - make_interval(secs => %(alive)s)) AS workers,
       count(*) FILTER (WHERE status = 'todo') AS waiting, count(*) FILTER (WHERE status = 'doing') AS doing
FROM procrastinate_jobs WHERE queue_name = %(lane)s
"""
PENDING = """
SELECT EXISTS (SELECT 1 FROM nas_answers WHERE key = %(key)s) OR EXISTS (
    SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %(key)s AND status IN ('todo', 'doing')) AS pending
"""
RETRY_SECONDS = 1.0


class PostgresQueue:
    """The queue of a database. It owns connections and a thread that listens: use it in a `with` statement.

    Raises:
        UsageError: the URL names no PostgreSQL server.
        StoreError: the server cannot be used.
    """

    def __init__(self, url: str) -> None:
        tables.create(url)
        self.url, self._conninfo = url, tables.conninfo(url)
        self._connector = procrastinate.SyncPsycopgConnector(
            conninfo=self._conninfo, min_size=1, max_size=1, kwargs={"application_name": "nas driver"}
        )
        self._app = procrastinate.App(connector=self._connector)
        self._news: defaultdict[str, threading.Event] = defaultdict(threading.Event)  # by the key of a job
        self._ended = False
        self._listener = threading.Thread(target=self._listen_always, name="answers of the queue", daemon=True)

    def __enter__(self) -> Self:
        self._app.open()
        self._listener.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self._listener.join(timeout=2 * RETRY_SECONDS)
        self._app.close()

    def put(self, lane: str, key: str, job: dict[str, Any], seconds: float, *, alone: bool = True) -> None:
        """Adds a job, unless it waits already, is being done, or has an answer."""
        self._news[key].clear()  # it is listened for from here on
        with _explained(self.url):
            if self._connector.execute_query_one(PENDING, key=key)["pending"]:
                return
            deferrer = self._app.configure_task(tables.TASK, queue=lane, lock=lane if alone else key, queueing_lock=key)
            with contextlib.suppress(AlreadyEnqueued):
                deferrer.defer(key=key, job=job, seconds=seconds, code=code())

    def answer(self, key: str, seconds: float) -> dict[str, Any] | None:
        """The answer to a job; None where there is none within so many seconds."""
        self._news[key].wait(seconds)
        self._news[key].clear()
        with _explained(self.url):
            found = self._connector.execute_query_all("SELECT answer FROM nas_answers WHERE key = %(key)s", key=key)
        return dict(found[0]["answer"]) if found else None

    def forget(self, key: str) -> None:
        """Removes the answer to a job, and the job itself where it waits."""
        self._news.pop(key, None)
        with _explained(self.url):
            self._connector.execute_query(
                "DELETE FROM procrastinate_jobs WHERE queueing_lock = %(key)s AND status = 'todo'", key=key
            )
            self._connector.execute_query("DELETE FROM nas_answers WHERE key = %(key)s", key=key)

    def state(self, lane: str) -> LaneState:
        """How a lane is doing."""
        with _explained(self.url):
            found = self._connector.execute_query_one(STATE, lane=lane, alive=tables.ALIVE_SECONDS)
        store = shlex.quote(shown_url(self.url))
        return LaneState(
            workers=tuple(found["workers"] or ()),
            waiting=found["waiting"],
            doing=found["doing"],
            command=f"nas worker --lane {lane} --store {store}",
        )

    def _listen_always(self) -> None:
        """Hears of answers, over a connection of its own; what is missed meanwhile is found by asking."""
        while not self._ended:
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._conninfo, autocommit=True) as connection:
                connection.execute(f"LISTEN {tables.CHANNEL}")
                for event in self._news.copy().values():
                    event.set()
                while not self._ended:
                    for notice in connection.notifies(timeout=RETRY_SECONDS):
                        if notice.payload in self._news:
                            self._news[notice.payload].set()


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """A server that cannot be reached says nothing about a candidate.

    Raises:
        InfrastructureFailed: it cannot.
    """
    try:
        yield
    except (ConnectorException, psycopg.Error) as error:
        cause = error.__cause__ or error
        raise InfrastructureFailed(
            f"the queue of '{shown_url(url)}' failed: {(str(cause).splitlines() or [type(cause).__name__])[0]}",
            "its jobs and answers are kept: give the same command again when the server answers",
        ) from error
