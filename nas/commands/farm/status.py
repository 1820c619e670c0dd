"""The command `nas status`: how far a run is, who serves the lanes of a team's queue, and what waits there."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from psycopg.rows import class_row

from nas import console
from nas.commands.farm.run_status import RunStatus, run_status
from nas.farm import tables
from nas.progress import duration

WATCH_SECONDS = 2.0
LANES = """
SELECT coalesce(l.lane, j.lane) AS lane, worker, host, offers, done, failed,
       extract(epoch FROM now() - seen)::float8 AS silent, extract(epoch FROM now() - since)::float8 AS age,
       coalesce(waiting, 0) AS waiting, coalesce(doing, 0) AS doing
FROM nas_lanes l FULL JOIN (
    SELECT queue_name AS lane, count(*) FILTER (WHERE status = 'todo') AS waiting,
           count(*) FILTER (WHERE status = 'doing') AS doing
    FROM procrastinate_jobs GROUP BY queue_name) j ON l.lane = j.lane
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Served:
    """A worker of a lane, or a lane that nobody serves."""

    lane: str
    worker: str | None
    host: str | None
    offers: str | None
    done: int | None
    failed: int | None
    silent: float | None  # seconds since it was heard of
    age: float | None  # seconds since it began
    waiting: int
    doing: int

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of lately."""
        return self.silent is not None and self.silent < tables.ALIVE_SECONDS

    @property
    def an_hour(self) -> str:
        """Its rate since it began."""
        return f"{3600 * (self.done or 0) / self.age:.0f}" if self.age else "-"


HEADINGS = ("lane", "served by", "offers", "waiting", "doing", "done", "failed", "an hour")


def show(store_url: str, run: str | None, *, watch: bool, as_json: bool) -> int:
    """Shows a run and the lanes, again and again where `watch`. Returns 1 where jobs wait that nobody does."""
    while True:
        progress = run_status(store_url, run) if run else None
        found = lanes(store_url) if not progress or progress.is_shared else []
        if as_json:
            served = [_plain(each) for each in found]
            console.write_json(progress.to_dict() | {"lanes": served} if progress else served)
        else:
            _write(progress, found)
        if not watch:
            alive = {each.lane for each in found if each.is_alive}
            return int(any(each.waiting and each.lane not in alive for each in found))
        time.sleep(WATCH_SECONDS)


def _write(progress: RunStatus | None, found: list[Served]) -> None:
    for line in progress.lines() if progress else ():
        console.say(line)
    if found:
        by_lane = groupby(found, key=lambda each: each.lane)
        rows = [row for lane, served in by_lane for row in _rows(lane, list(served))]
        console.write_table(HEADINGS, rows, frozenset(HEADINGS[3:]))
    elif not progress:
        console.say("no lanes yet; on a machine that measures: nas worker --store URL")


def _rows(lane: str, served: Sequence[Served]) -> Iterator[list[str]]:
    """A lane's living workers, or who would serve it, and then those that are gone in one row."""
    jobs = [str(served[0].waiting), str(served[0].doing)]
    alive, gone = ([each for each in served if each.worker and each.is_alive is living] for living in (True, False))
    for each in alive:
        counts = [str(each.done), str(each.failed), each.an_hour]
        yield [lane, f"{each.worker} on {each.host}", each.offers or "-", *jobs, *counts]
        jobs = ["", ""]
    if not alive:
        yield [lane, f"nobody: nas worker --lane {lane}", "-", *jobs, "-", "-", "-"]
    if gone:
        last = min(gone, key=lambda each: each.silent or 0.0)
        who = f"{len(gone)} gone, the last {duration(last.silent or 0.0)} ago ({last.worker} on {last.host})"
        counts = [str(sum(getattr(each, name) or 0 for each in gone)) for name in ("done", "failed")]
        yield [lane, who, "-", "", "", *counts, "-"]


def lanes(store_url: str) -> list[Served]:
    """All workers and all lanes with jobs.

    Raises:
        UsageError: the URL names no PostgreSQL server.
        StoreError: the server cannot be used.
    """
    with tables.connected(store_url) as connection:
        connection.read_only = True
        if tables.lacks(connection, "nas_lanes"):
            return []
        return connection.cursor(row_factory=class_row(Served)).execute(LANES).fetchall()


def sentence(store_url: str) -> str:
    """The lanes in one line; empty where there is none.

    Raises:
        StoreError: the server cannot be used.
    """
    found = lanes(store_url)
    parts = []
    for lane in dict.fromkeys(each.lane for each in found):
        mine = [each for each in found if each.lane == lane]
        alive = sum(each.is_alive for each in mine)
        served = f"{alive} worker{'s' if alive > 1 else ''}" if alive else "nobody serves it"
        parts.append(f"{lane}: {served}, {mine[0].waiting} waiting, {mine[0].doing} being done")
    return "; ".join(parts)


def _plain(each: Served) -> dict[str, Any]:
    numbers = {name: round(float(value), 1) for name in ("silent", "age") if (value := getattr(each, name)) is not None}
    return asdict(each) | numbers | {"alive": each.is_alive}
