"""The trials of a run, read from Optuna's tables by one query each.

Optuna makes an object of every parameter of every trial and parses its range twice, which takes most of the time and
memory of a large run. It still writes the trials, and checks the version of its tables when a run is opened.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from results.store import rows

if TYPE_CHECKING:
    import optuna

STUDIES = sa.table("studies", sa.column("study_id", sa.Integer), sa.column("study_name", sa.String))
TRIALS = sa.table(
    "trials",
    sa.column("trial_id", sa.Integer),
    sa.column("study_id", sa.Integer),
    sa.column("number", sa.Integer),
    sa.column("state", sa.String),
    sa.column("datetime_start", sa.DateTime),
    sa.column("datetime_complete", sa.DateTime),
)
# Tables with rows for each trial: the key by which they are in order, and the columns.
PARAMS = ("trial_params", "param_id", "param_name", "param_value", "distribution_json")
VALUES = ("trial_values", "trial_value_id", "objective", "value", "value_type")
USER_ATTRIBUTES = ("trial_user_attributes", "trial_user_attribute_id", "key", "value_json")
SYSTEM_ATTRIBUTES = ("trial_system_attributes", "trial_system_attribute_id", "key", "value_json")
AT_ONCE = 5000  # rows in memory
INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf}

FEW = 100  # trials that are named one by one

Which = sa.Select[Any] | list[int]  # the ids of trials
Parts = defaultdict[int, dict[Any, Any]]  # by the id of a trial


class Trials:
    """The trials of one study, as far as they were read. A finished one never changes: it is read once.

    Parameters are most of its rows; without `params` they are left out.
    """

    def __init__(self, engine: sa.Engine, study: str, *, params: bool = True) -> None:
        self.engine, self.params = engine, params
        self._study = sa.select(STUDIES.c.study_id).where(STUDIES.c.study_name == study).scalar_subquery()
        self.all: dict[int, optuna.trial.FrozenTrial] = {}  # by number, in order: Optuna counts
        self.ours: dict[int, optuna.trial.FrozenTrial] = {}  # those of them that were not added with Optuna itself
        self._unfinished: set[int] = set()  # ids
        self._last = -1  # id

    def read(self) -> None:
        """Reads what is new.

        Raises one of `database_errors.DAMAGE` for what Optuna did not write.
        """
        with self.engine.connect() as connection:
            changed = list(self._changed(connection))
        for trial in changed:
            self.all[trial.number] = trial
            if rows.is_ours(trial):
                self.ours[trial.number] = trial
            self._last = max(self._last, trial._trial_id)
        self._unfinished -= {trial._trial_id for trial in changed if trial.state.is_finished()}
        self._unfinished |= {trial._trial_id for trial in changed if not trial.state.is_finished()}

    def _changed(self, connection: sa.Connection) -> "Iterator[optuna.trial.FrozenTrial]":
        """The trials that are new, or were unfinished when they were read last."""
        import optuna

        changed = TRIALS.c.trial_id > self._last
        if self._unfinished:
            changed |= TRIALS.c.trial_id.in_(self._unfinished)
        heads = sa.select(TRIALS).where((TRIALS.c.study_id == self._study) & changed)
        found = [row for row in connection.execute(heads.order_by(TRIALS.c.number)) if not self._is_known(row)]
        if not found:
            return
        which: Which = heads.with_only_columns(TRIALS.c.trial_id)
        if len(found) <= FEW:
            which = [row.trial_id for row in found]
        params, distributions = _params(connection, which) if self.params else (Parts(dict), Parts(dict))
        values = _values(connection, which)
        user_attrs = _attributes(connection, which, USER_ATTRIBUTES)
        system_attrs = _attributes(connection, which, SYSTEM_ATTRIBUTES)
        for key, _, number, state, start, complete in found:
            yield optuna.trial.FrozenTrial(
                number=number,
                state=optuna.trial.TrialState[state],
                value=None,
                values=[values[key][objective] for objective in range(len(values[key]))] or None,
                datetime_start=_local(start),
                datetime_complete=_local(complete),
                params=params[key],
                distributions=distributions[key],
                user_attrs=user_attrs[key],
                system_attrs=system_attrs[key],
                intermediate_values={},  # of trainings that Optuna may stop early, which are none of ours
                trial_id=key,
            )

    def _is_known(self, head: Any) -> bool:
        """Whether a trial is running as it was: nothing of it has changed."""
        return head.trial_id in self._unfinished and head.state == "RUNNING"


def _params(connection: sa.Connection, which: Which) -> tuple[Parts, Parts]:
    """The parameters, and their distributions; equal distributions are one object."""
    params: Parts = defaultdict(dict)
    distributions: Parts = defaultdict(dict)
    for trial, name, value, text in _rows(connection, which, *PARAMS):
        distribution = _distribution(text)
        distributions[trial][name], params[trial][name] = distribution, distribution.to_external_repr(value)
    return params, distributions


@lru_cache(maxsize=4096)
def _distribution(text: str) -> "optuna.distributions.BaseDistribution":
    import optuna

    return optuna.distributions.json_to_distribution(text)


def _values(connection: sa.Connection, which: Which) -> Parts:
    """The values, by the index of their objective."""
    values: Parts = defaultdict(dict)
    for trial, objective, value, kind in _rows(connection, which, *VALUES):
        values[trial][objective] = float(value) if kind == "FINITE" else INFINITE[kind]
    return values


def _attributes(connection: sa.Connection, which: Which, table: tuple[str, ...]) -> Parts:
    attributes: Parts = defaultdict(dict)
    for trial, key, text in _rows(connection, which, *table):
        attributes[trial][key] = json.loads(text)
    return attributes


def _rows(connection: sa.Connection, which: Which, table: str, order: str, *columns: str) -> Iterator[Any]:
    """The rows of a table about these trials, in the order in which they were written."""
    trial: sa.ColumnClause[Any] = sa.column("trial_id")
    query = sa.select(trial, *(sa.column(name) for name in columns)).select_from(sa.table(table))
    query = query.where(trial.in_(which)).order_by(sa.column(order))
    if not isinstance(which, list):  # several requests on a server
        query = query.execution_options(yield_per=AT_ONCE)
    yield from connection.execute(query)


def _local(utc: datetime | None) -> datetime | None:
    """A time as Optuna gives it: it stores UTC, and gives local time, both without a zone."""
    return utc.replace(tzinfo=UTC).astimezone().replace(tzinfo=None) if utc else None
