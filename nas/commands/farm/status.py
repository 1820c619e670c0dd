"""The command `nas status`: how far a run is, who serves the lanes of a team's queue, and what waits there."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.rows import class_row

from nas import console
from nas.commands.farm.run_status import RunStatus, run_status
from nas.farm import tables

WATCH_SECONDS = 2.0
LANES = """
SELECT coalesce(l.lane, j.lane) AS lane, worker, host, offers, done, failed, extract(epoch FROM now() - seen) AS silent,
       extract(epoch FROM now() - since) AS age, coalesce(waiting, 0) AS waiting, coalesce(doing, 0) AS doing
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

    def cells(self) -> list[str]:
        """For the table."""
        who = f"{self.worker} on {self.host}" if self.worker else f"nobody: nas worker --lane {self.lane}"
        silent = "" if self.is_alive or self.silent is None else f", silent for {self.silent:.0f} s"
        rate = f"{3600 * (self.done or 0) / float(self.age):.0f}" if self.is_alive and self.age else "-"
        counts = [str(value if value is not None else "-") for value in (self.done, self.failed)]
        return [self.lane, who + silent, self.offers or "-", str(self.waiting), str(self.doing), *counts, rate]


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
        console.write_table(HEADINGS, [each.cells() for each in found], frozenset(HEADINGS[3:]))
    elif not progress:
        console.say("no lanes yet; on a machine that measures: nas worker --store URL")


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
