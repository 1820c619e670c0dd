"""Merges databases: measurements made elsewhere are added by key, and nothing is lost.

Everything is read and checked before anything is written; what is damaged stays out, with its reason. Measurements
that are the same row stay one. A run that is here too is extended where one of the two is the beginning of the other;
where they went different ways, the other one comes in under a name of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from results.store import names, rows
from results.store.database import measurements
from results.store.database_errors import Damaged, undamaged
from results.store.database_url import is_postgresql
from results.store.rows import NETWORK, OUTCOME
from results.store.store import Store

if TYPE_CHECKING:
    import optuna

KEY = ("architecture", "context", "made", "record")
AT_ONCE = 500  # trials in one transaction
SAME = ("objectives", "space", "fix", "seed", "sampler", "limits")  # of one run's configuration, wherever it goes on


@dataclass(frozen=True, kw_only=True)
class SourceRun:
    """A run of another database."""

    name: str
    config: dict[str, Any]
    trials: "list[optuna.trial.FrozenTrial]"
    later: dict[str, str]
    believed: dict[str, dict[str, Any]]
    ignored: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything of another database that can be read, and a sentence for each row that cannot."""

    measurements: list[dict[str, Any]]
    runs: list[SourceRun]
    left_out: list[str]


@dataclass(kw_only=True)
class Merged:
    """What came in."""

    measurements: int = 0
    known: int = 0
    runs: list[str] = field(default_factory=list)  # a sentence each
    left_out: list[str] = field(default_factory=list)  # a sentence each: which row, and why


def merge(into: Store, source: Store) -> Merged:
    """Brings everything of one database into another, in one transaction for the measurements."""
    return write(into, read(source))


def read(source: Store) -> Contents:
    """Reads and checks every row of a database.

    Raises:
        StoreError: it cannot be read at all.
    """
    left_out: list[str] = []
    kept = []
    for row in source.all_rows():
        try:
            with undamaged(f"measurement {row['id']}, {row['metric']!r:.60}"):
                rows.check_measurement(row)
        except Damaged as error:
            left_out.append(error.sentence)
        else:
            kept.append({name: value for name, value in row.items() if name != "id"})
    runs = []
    for name in source.names():
        try:
            runs.append(_read_run(source, name, left_out))
        except Damaged as error:
            left_out.append(f"the whole run {name!r:.60}, of which {error.sentence}")
    return Contents(measurements=kept, runs=runs, left_out=left_out)


def _read_run(source: Store, name: str, left_out: list[str]) -> SourceRun:
    config, trials = source.config(name), []
    for trial in source.frozen(name):
        try:
            with undamaged(f"trial {trial.number} of run {name!r:.60}"):
                rows.check_trial(trial, len(config["objectives"]))
        except Damaged as error:
            left_out.append(error.sentence)
        else:
            trials.append(trial)
    return SourceRun(
        name=name,
        config=config,
        trials=trials,
        later=source.later(name),
        believed=source.believed(name),
        ignored=len(source.ignored(name)),
    )


def write(into: Store, contents: Contents) -> Merged:
    """Adds what was read to a database."""
    merged = Merged(left_out=contents.left_out)
    _write_measurements(into, contents.measurements, merged)
    for run in contents.runs:
        merged.runs.append(_write_run(into, run))
    return merged


def analyze(into: Store) -> None:
    """Tells a server how large its tables are after merges: until it notices, reading 10,000 trials takes 30 s."""
    if is_postgresql(into.url):
        with into.writing() as connection:
            connection.execute(sa.text("ANALYZE"))


def _write_measurements(into: Store, read_rows: list[dict[str, Any]], merged: Merged) -> None:
    columns = [measurements.c[name] for name in KEY]
    with into.writing() as connection:
        known = {tuple(row) for row in connection.execute(sa.select(*columns))}
        new = [row for row in read_rows if tuple(row[name] for name in KEY) not in known]
        if new:
            connection.execute(measurements.insert(), new)
    merged.measurements, merged.known = len(new), len(read_rows) - len(new)


def _write_run(into: Store, run: SourceRun) -> str:
    """Brings one run in; says under which name, and how much of it was new."""
    here, taken, runs = _place(into, run), into.studies(), into.names()
    name = names.nearest(run.name)
    notes = f", from {run.name!r:.60}, which is no name for a run" if name != run.name else ""
    notes += f"; ignored: {run.ignored} trials of Optuna itself" if run.ignored else ""
    if here not in taken:
        into.create(here, run.config)
        _extend(into, here, run)
        other = f", another run than the '{name}' here" if name in runs and here != name else ""
        return f"{here}: {len(run.trials)} trials{other}{notes}"
    more = len(run.trials) - len(into.frozen(here))
    _extend(into, here, run)
    return (f"{here}: {more} more trials" if more > 0 else f"{here}: known") + notes


def _place(into: Store, run: SourceRun) -> str:
    """The name of this run here, if it is here already; else one that is free."""
    taken, runs = into.studies(), into.names()
    for number in range(1, len(taken) + 2):
        here = names.numbered(names.nearest(run.name), number)
        if here not in taken or (here in runs and _is_same(into, here, run)):
            return here
    raise AssertionError("one of the names is free")


def _is_same(into: Store, here: str, run: SourceRun) -> bool:
    """Whether the run here and another one began as the same, and one of the two is the other's beginning."""
    config = into.config(here)
    if any(config.get(name, []) != run.config.get(name, []) for name in SAME):
        return False
    return all(_is_same_trial(a, b) for a, b in zip(into.frozen(here), run.trials, strict=False))


def _is_same_trial(ours: "optuna.trial.FrozenTrial", theirs: "optuna.trial.FrozenTrial") -> bool:
    """Whether two trials are one: the same network, with the same outcome where both have ended."""
    if ours.user_attrs[NETWORK]["id"] != theirs.user_attrs[NETWORK]["id"]:
        return False
    if not (ours.state.is_finished() and theirs.state.is_finished()):
        return True
    return ours.user_attrs.get(OUTCOME) == theirs.user_attrs.get(OUTCOME) and ours.values == theirs.values


def _extend(into: Store, here: str, run: SourceRun) -> None:
    """Adds the finished trials that are not here, in their order, and what else was learnt about the run."""
    known = len(into.frozen(here))
    further = [trial for trial in run.trials[known:] if trial.state.is_finished()]  # others are asked again
    for start in range(0, len(further), AT_ONCE):
        into.add(here, further[start : start + AT_ONCE])
    if run.config["budget"] > into.config(here)["budget"]:
        into.configure(here, run.config)
    for column, context in run.later.items():
        into.add_column(here, column, context)
    if len(run.trials) >= known:  # the shorter run learnt less
        _believe(into, here, run.believed)


def _believe(into: Store, here: str, believed: Mapping[str, Mapping[str, Any]]) -> None:
    for metric, latest in believed.items():
        if len(latest["networks"]) > len(into.taught(here, metric)):
            into.believe(here, metric, latest["context"], latest["networks"])
