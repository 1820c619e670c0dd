"""Merging databases: what was measured elsewhere joins what is here, by key, and nothing is lost.

Measurements that are the same row stay one. A run that is here too is extended where one of the two is the beginning
of the other; where they went different ways, the other one comes in under a name of its own.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from results.database import explained, measurements
from results.store import CONFIG, NETWORK, OUTCOME, Store

if TYPE_CHECKING:
    import optuna

KEY = ("architecture", "context", "made", "record")


@dataclass(kw_only=True)
class Merged:
    """What came in."""

    measurements: int = 0
    known: int = 0
    runs: list[str] = field(default_factory=list)  # a sentence each


def merge(into: Store, source: Store) -> Merged:
    """Brings everything of one database into another, in one transaction for the measurements."""
    merged = Merged()
    _merge_measurements(into, source, merged)
    for name in source.names():
        merged.runs.append(_merge_run(into, source, name))
    return merged


def _merge_measurements(into: Store, source: Store, merged: Merged) -> None:
    columns = [measurements.c[name] for name in KEY]
    with explained(source.url), source.engine.connect() as connection:
        rows = connection.execute(sa.select(measurements).order_by(measurements.c.id)).mappings().all()
    with explained(into.url), into.engine.begin() as connection:
        known = {tuple(row) for row in connection.execute(sa.select(*columns))}
        strange = [row for row in rows if tuple(row[name] for name in KEY) not in known]
        new = [{name: value for name, value in row.items() if name != "id"} for row in strange]
        if new:
            connection.execute(measurements.insert(), new)
    merged.measurements, merged.known = len(new), len(rows) - len(new)


def _merge_run(into: Store, source: Store, name: str) -> str:
    theirs = source.frozen(name)
    for number in range(1, len(into.names()) + 3):
        here = name if number == 1 else f"{name}~{number}"
        if here not in into.names():
            into.create(here, source.config(name))
            _extend(into, here, source, name)
            return f"{here}: {len(theirs)} trials" + ("" if here == name else f", another run than the '{name}' here")
        ours = into.frozen(here)
        shared = min(len(ours), len(theirs))
        same = into.config(here)["objectives"] == source.config(name)["objectives"]
        if same and all(_same(a, b) for a, b in zip(ours[:shared], theirs[:shared], strict=True)):
            _extend(into, here, source, name)
            more = len(theirs) - len(ours)
            return f"{here}: {more} more trials" if more > 0 else f"{here}: known"
    raise AssertionError("a free name is found above")


def _same(ours: "optuna.trial.FrozenTrial", theirs: "optuna.trial.FrozenTrial") -> bool:
    """Whether two trials are one: the same network, with the same outcome where both have ended."""
    if ours.user_attrs.get(NETWORK, {}).get("id") != theirs.user_attrs.get(NETWORK, {}).get("id"):
        return False
    if not (ours.state.is_finished() and theirs.state.is_finished()):
        return True
    return ours.user_attrs.get(OUTCOME) == theirs.user_attrs.get(OUTCOME) and ours.values == theirs.values


def _extend(into: Store, here: str, source: Store, name: str) -> None:
    """Adds the finished trials that are not here, in their order, and the columns of later measurements."""
    with explained(into.url):
        study, known = into._study(here), len(into.frozen(here))
        for trial in source.frozen(name)[known:]:
            if trial.state.is_finished():  # one in flight is asked again where the run goes on
                study.add_trial(trial)
        if source.config(name)["budget"] > into.config(here)["budget"]:
            study.set_user_attr(CONFIG, source.config(name))
    for column, context in source.later(name).items():
        into.add_column(here, column, context)
