"""The command `nas status RUN`: how far a run is, at what rate, and when it should be done."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from nas import console
from nas.progress import duration
from results.store import names
from results.store.database_url import is_postgresql
from results.store.store import Store

LATEST = 20  # candidates whose rate says when a run should be done


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far a run is. `an_hour` is the rate of its latest candidates, 0 where it is not known."""

    run: str
    budget: int
    counted: int  # for the budget
    states: dict[str, int]
    failures: dict[str, int]  # by cause
    an_hour: float
    driver: str  # who works on it at present; empty where nobody does, and for a database in a file
    is_shared: bool  # a database on a server, which knows the driver

    @property
    def seconds_left(self) -> float | None:
        """How long the rest should take at that rate."""
        return 3600 * max(0, self.budget - self.counted) / self.an_hour if self.an_hour else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        left = self.seconds_left
        return asdict(self) | {"an_hour": round(self.an_hour, 1), "seconds_left": None if left is None else round(left)}

    def lines(self) -> Iterator[str]:
        """For people."""
        states = ", ".join(f"{count} {state}" for state, count in self.states.items()) or "no trial yet"
        yield f"{self.run}: {self.counted} of {self.budget}; {states}"
        if self.counted >= self.budget:
            yield "  done"
        elif self.seconds_left is not None:
            yield f"  {self.an_hour:.0f} an hour lately: about {duration(self.seconds_left)} left, if it goes on"
        for cause, count in self.failures.items():
            yield f"  failed {count} x: {cause}"
        if self.is_shared and self.counted < self.budget:
            yield f"  driver: {self.driver or 'nobody; resume with: ' + console.command('run', '--name', self.run)}"


def run_status(store_url: str, name: str) -> RunStatus:
    """How far a run is; the database is only read.

    Raises:
        StoreError: there is no database, or what it holds is damaged.
        UsageError: no run can have that name.
        UnknownName: no such run; offers the nearest name.
    """
    names.check(name)
    with closing(Store(store_url)) as store:
        run = store.run(store.named(name))
        ends = sorted(trial.datetime_complete for trial in store.frozen(run.name) if trial.datetime_complete)[-LATEST:]
        seconds = (ends[-1] - ends[0]).total_seconds() if ends else 0.0
        states = Counter("unfinished" if trial.state == "running" else trial.state for trial in run.trials)
        return RunStatus(
            run=run.name,
            budget=run.config["budget"],
            counted=run.counted - states["unfinished"],
            states=dict(states.most_common()),
            failures=dict(Counter(trial.cause for trial in run.trials if trial.state == "failed").most_common()),
            an_hour=3600 * (len(ends) - 1) / seconds if seconds else 0.0,
            driver=store.driver(run.name),
            is_shared=is_postgresql(store.url),
        )
