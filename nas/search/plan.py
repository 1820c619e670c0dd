"""The plan of `nas run`: a new run or a stored one, its configuration, and its name, which is locked."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import search_spaces
from evaluators import Evaluator
from evaluators.workers.bench import Bench
from nas import console, own_plugins
from nas.search import accuracy, latency_predictions
from nas.search.config import Config
from nas.search.sampling import anchors
from nas.search.screening import warm_start
from nas.search.training import learning_rate, time_plan
from results import load
from results.store import names
from results.store.database_errors import NoRuns
from results.store.database_url import sqlite_path
from results.store.store import Store
from search_spaces import Network
from search_spaces.common import narrowed
from search_spaces.common.errors import StoreError, UnknownName, UsageError

ALL_UP_TO = 200  # candidates that are all measured; of more, promising ones
NO_LIMIT = "none"  # lifts the limits that are suggested
LEARNS = "screen"  # the sampler that earlier runs teach


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A run that is to be resumed: its name and its configuration. Its trials are read once, when it goes on."""

    name: str
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The configuration of a run, and the stored run that is to be resumed, if there is one."""

    config: Config
    stored: Stored | None = None
    typed: str = ""  # the proxy as the user gave it, without the defaults that its spec names
    fixed: bool = False  # whether the user gave the number of real evaluations
    teacher: str = ""  # the run that teaches the sampler; empty: all runs of the store

    @property
    def pins(self) -> latency_predictions.Pins:
        """What the stored run's predictors learnt from."""
        return self.stored.config.get("predictors", {}) if self.stored else {}

    def state(self, store_url: str) -> str:
        """Where the run stands."""
        if not self.stored:
            return "not started (--dry-run)"
        finished = sum(trial.state != "running" for trial in load(self.stored.name, store_url).trials)
        return f"run {self.stored.name} stands at {finished} of {self.config.budget}, not resumed (--dry-run)"


def stored_run(store_url: str, name: str | None) -> Stored | None:
    """The run of that name, if there is one; the database is only read."""
    if name is None:
        sqlite_path(store_url)  # refuses what is no place for a database, before anything else
        return None
    names.check(name)
    with _read(store_url) as store:
        return Stored(name=name, config=store.config(name)) if store and name in store.names() else None


def check_teacher(store_url: str, teacher: str) -> None:
    """Refuses a run that is to teach another and does not exist, before a database is made for the other one.

    Raises:
        UnknownName: no such run; offers the nearest name.
    """
    if not _is_run(teacher):
        return
    with _read(store_url) as store:
        if not store:
            raise UnknownName("run", teacher, ())
        store.named(teacher)


def _is_run(teacher: str) -> bool:
    """Whether `--seed-from` names a run."""
    return teacher not in ("", warm_start.NONE)


@contextmanager
def _read(store_url: str) -> Iterator[Store | None]:
    """The database, which is only read; None where there is none yet."""
    try:
        store = Store(store_url)
    except NoRuns:
        yield None
        return
    try:
        yield store
    finally:
        store.close()


def planned(choices: Mapping[str, Any], given: set[str], stored: Stored | None) -> Plan:
    """The plan of a new run, or of a stored run, whose configuration must not change.

    Raises:
        UsageError: the configuration is invalid, or the stored run has another; or its plug-ins have changed.
    """
    if stored is None:
        fields = {name: choices[name] for name in Config.__dataclass_fields__}
        fields["measure"] = choices["measure"] or ("all" if choices["budget"] <= ALL_UP_TO else "promising")
        fields["fix"] = narrowed.resolved(choices["space"], choices["fix"], choices["free"])
        fields["anchors"], fields["proxy"] = anchors.resolved(choices["anchors"]), accuracy.proxy(choices)
        config = _limited(fields, given)
        if _is_run(choices["teacher"]) and config.sampler != LEARNS:
            raise UsageError(
                f"--seed-from {choices['teacher']}: the sampler {config.sampler} learns from no earlier run",
                f"leave --seed-from out, or take --sampler {LEARNS}",
            )
        return Plan(
            config=config,
            typed=choices["proxy"] or "",
            fixed="evaluations" in given,
            teacher=choices["teacher"],
        )
    if "teacher" in given:
        raise UsageError(
            f"run '{stored.name}' exists, and what taught its sampler was settled when it began",
            "leave out --seed-from, or start a new run without --name",
        )
    own_plugins.restore(stored.name, stored.config.get("plugins", {}))
    config = Config.from_dict(stored.config)
    requested = {key: choices[key] for key in given if key in asdict(config)}
    if requested.get("limits") == (NO_LIMIT,):
        requested["limits"] = ()
    if "anchors" in given:
        requested["anchors"] = anchors.resolved(choices["anchors"])
    if {"space", "fix", "free"} & given:
        name = requested.get("space", config.space)
        fixes = choices["fix"] if "fix" in given or name != config.space else config.fix
        requested["fix"] = narrowed.resolved(name, fixes, choices["free"])
    if {"proxy", "data"} & given:
        proxy = accuracy.proxy(choices)
        same = time_plan.same_but_for_choices(proxy, config.proxy, choices["proxy"] or "")
        requested["proxy"] = config.proxy if same else proxy
    planned_config = Config(**{**asdict(config), **requested})
    if differences := config.differences(planned_config):
        raise UsageError(
            f"run '{stored.name}' exists with another configuration:\n    " + "\n    ".join(differences),
            f"resume it as it is: {console.command('run', '--name', stored.name)}\n"
            "  or start a new run: give another --name, or none",
        )
    return Plan(config=planned_config, stored=stored)


def _limited(fields: dict[str, Any], given: set[str]) -> Config:
    """The configuration of a new run, with the limits that are suggested where none were given."""
    lifted = fields["limits"] == (NO_LIMIT,) or "limits" not in given
    config = Config(**{**fields, "limits": () if lifted else fields["limits"]})
    anchors.check(config.all_anchors.values(), config.objectives)
    if "limits" in given:
        return config
    return replace(config, limits=accuracy.suggested_limits(config.proxy, anchors_of(config)))


def anchors_of(config: Config) -> list[Network]:
    """The anchors of the whole space and the user's, whatever --fix leaves."""
    return [*search_spaces.get(config.space).anchors().values(), *config.all_anchors.values()]


@contextmanager
def reserved(store: Store, requested: str | None, space: str) -> Iterator[str]:
    """The locked name of a run: the requested one, or the next free name of the space.

    Raises:
        StoreError: another process is working on the requested run.
    """
    holder = ""
    if requested is not None:
        candidates = iter([requested])
    else:
        candidates = (name for number in itertools.count(1) if (name := f"{space}-{number}") not in store.studies())
    for name in candidates:
        name_lock = store.reservation(name)
        if not name_lock.take():
            holder = name_lock.holder()
            continue
        try:
            if requested is None and name in store.studies():
                continue  # another process has just created it
            yield name
            return
        finally:
            name_lock.release()
    raise StoreError(
        f"another process is working on run '{requested}': {holder}",
        "wait for it, end it, or start a new run without --name",
    )


def settle(store: Store, name: str, plan: Plan, objectives: Sequence[Evaluator], lane: str) -> None:
    """Creates the run, or stores the new budget of the existing one.

    Raises:
        StoreError: another process has created or deleted the run since the plan was made.
    """
    if (name in store.names()) != (plan.stored is not None):
        raise StoreError(
            f"another process has just created or deleted run '{name}'",
            f"resume it: {console.command('run', '--name', name)}",
        )
    if plan.stored is None:
        with Bench(say=console.say, lane=lane) as bench:
            config, times = time_plan.settled(plan.config, bench, store, typed=plan.typed, fixed=plan.fixed)
            proxy = learning_rate.with_rate(config, bench, store, times.rate if times else 0.0)
        config = replace(config, proxy=proxy)
        further: dict[str, Any] = {
            "predictors": latency_predictions.pins(objectives),
            "plugins": own_plugins.record(config.plugins),
            "taught_by": _taught(store, config, objectives, plan.teacher),
        }
        if times:
            further |= {"planned_seconds": round(times.seconds), "training_seconds": round(times.each, 1)}
        store.create(name, config.to_dict() | {key: value for key, value in further.items() if value})
    elif plan.config.budget != plan.stored.config["budget"]:
        store.configure(name, store.config(name) | plan.config.to_dict())


def _taught(store: Store, config: Config, objectives: Sequence[Evaluator], teacher: str) -> list[str]:
    """The networks that the sampler learns from; says so where a run that was named teaches nothing."""
    if config.sampler != LEARNS:
        return []
    taught = warm_start.chosen(store, config.search_space, objectives, teacher)
    if _is_run(teacher) and not taught:
        console.say(f"{teacher} teaches nothing: none of its networks is in this space and was measured as here")
    return taught
