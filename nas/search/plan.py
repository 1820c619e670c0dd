"""What `nas run` is asked for: a new run or a stored one, its configuration, and its name, which it holds alone."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from evaluators.core.locks import Lock, lock
from evaluators.core.measurement import digest
from evaluators.workers.bench import Bench
from nas import console
from nas.search import accuracy, latency_predictions
from nas.search.config import Config
from results.store import names
from results.store.database import sqlite_path
from results.store.database_errors import NoRuns
from results.store.record import Run
from results.store.store import Store
from search_spaces.common.errors import StoreError, UsageError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a command line asks for: a configuration, and the run that has it already, if there is one."""

    config: Config
    stored: Run | None = None

    @property
    def pins(self) -> latency_predictions.Pins:
        """What the stored run's predictors learnt from."""
        return self.stored.config.get("predictors", {}) if self.stored else {}

    def state(self) -> str:
        """Where the run stands."""
        if not self.stored:
            return "not started (--dry-run)"
        finished = sum(trial.state != "running" for trial in self.stored.trials)
        return f"run {self.stored.name} stands at {finished} of {self.config.budget}, not resumed (--dry-run)"


def stored_run(store_url: str, name: str | None) -> Run | None:
    """The run of that name, if there is one; the database is only read."""
    if name is None:
        sqlite_path(store_url)  # what cannot keep a run is refused before anything else
        return None
    names.check(name)
    try:
        store = Store(store_url)
    except NoRuns:
        return None
    try:
        return store.run(name) if name in store.names() else None
    finally:
        store.close()


def planned(choices: Mapping[str, Any], given: set[str], stored: Run | None) -> Plan:
    """The configuration that is asked for: a stored run's own, where it is named. Refuses to change what is under way.

    Raises:
        UsageError: no such configuration, or the named run has another.
    """
    if stored is None:
        fields = {name: choices[name] for name in Config.__dataclass_fields__}
        return Plan(config=Config(**{**fields, "proxy": accuracy.proxy(choices)}))
    config = Config.from_dict(stored.config)
    asked = {key: choices[key] for key in given if key in asdict(config)}
    if {"proxy", "data"} & given:
        proxy = accuracy.proxy(choices)
        asked["proxy"] = config.proxy if accuracy.same_but_for_rate(proxy, config.proxy) else proxy
    wanted = Config(**{**asdict(config), **asked})
    if differences := config.differences(wanted):
        raise UsageError(
            f"run '{stored.name}' exists with another configuration:\n    " + "\n    ".join(differences),
            f"resume it as it is: {console.command('run', '--name', stored.name)}\n"
            "  or start a new run: give another --name, or none",
        )
    return Plan(config=wanted, stored=stored)


@contextmanager
def reserved(store: Store, wanted: str | None, space: str) -> Iterator[str]:
    """A run's name, on which no other process works meanwhile: the one that is wanted, or the space's next free one.

    Raises:
        StoreError: another process is working on the run that is wanted.
    """
    holder = ""
    if wanted is not None:
        candidates = iter([wanted])
    else:
        candidates = (name for number in itertools.count(1) if (name := f"{space}-{number}") not in store.studies())
    for name in candidates:
        held = _lock(store.url, name)
        if not held.take():
            holder = held.holder()
            continue
        try:
            if wanted is None and name in store.studies():
                continue  # made, and let go of, since we looked
            yield name
            return
        finally:
            held.release()
    raise StoreError(
        f"another process is working on run '{wanted}': {holder}",
        "wait for it, end it, or start a new run without --name",
    )


def _lock(store_url: str, name: str) -> Lock:
    path = sqlite_path(store_url)
    return lock(f"run-{digest([str(path.resolve()) if path else store_url, name])}")


def settle(store: Store, name: str, plan: Plan, pins: latency_predictions.Pins) -> None:
    """Makes the run, or gives the existing one its larger budget.

    Raises:
        StoreError: another process has made or deleted it since the plan was made.
    """
    if (name in store.names()) != (plan.stored is not None):
        raise StoreError(
            f"another process has just begun run '{name}'", f"resume it: {console.command('run', '--name', name)}"
        )
    if plan.stored is None:
        with Bench(say=console.say) as bench:
            config = replace(plan.config, proxy=accuracy.with_rate(plan.config, bench, store))
        store.create(name, config.to_dict() | ({"predictors": pins} if pins else {}))
    elif plan.config.budget != plan.stored.config["budget"]:
        store.configure(name, store.config(name) | plan.config.to_dict())
