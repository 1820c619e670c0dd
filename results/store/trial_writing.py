"""Writes trials into Optuna's tables: every change of a run in one transaction, a statement for each table.

Optuna asks of every parameter whether it stands there already, which takes fifty statements for a trial: 20 ms in a
file, 100 ms on a server. Its tables are used as it declares them, and it checks their version when a run is opened.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    import optuna

CONSTRAINT = "constraints:"  # before the name of a limit: Optuna's name for its excess
Rows = list[dict[str, Any]]


def add(engine: sa.Engine, study: int, trials: "Sequence[optuna.trial.FrozenTrial]") -> None:
    """Adds trials to a study as they are, all of them or none, numbered after those that are there."""
    from optuna.storages._rdb import models

    table: Any = models.TrialModel.__table__
    with _changing(engine, study) as connection:
        newest = sa.select(table.c.number).where(table.c.study_id == study).order_by(table.c.trial_id.desc()).limit(1)
        last = connection.execute(newest).scalar()
        numbers = itertools.count(0 if last is None else last + 1)
        heads = (_head(study, number, trial) for number, trial in zip(numbers, trials, strict=False))
        made: list[Any] = [connection.execute(table.insert().values(head)).inserted_primary_key for head in heads]
        added = [(key, trial) for (key,), trial in zip(made, trials, strict=True)]
        _insert(connection, models.TrialParamModel, [row for key, trial in added for row in _params(key, trial)])
        _insert(connection, models.TrialValueModel, [row for key, trial in added for row in _values(key, trial.values)])
        for model, attributes in (
            (models.TrialUserAttributeModel, "user_attrs"),
            (models.TrialSystemAttributeModel, "system_attrs"),
        ):
            _insert(
                connection, model, [row for key, trial in added for row in _attributes(key, getattr(trial, attributes))]
            )


def finish(
    engine: sa.Engine,
    study: int,
    trial: int,
    state: "optuna.trial.TrialState",
    values: Sequence[float] | None,
    attributes: Mapping[str, Any],
    constraints: Mapping[str, float],
) -> bool:
    """Records the outcome of a running trial; returns whether it was running, and else writes nothing."""
    import optuna
    from optuna.storages._rdb import models

    table: Any = models.TrialModel.__table__
    with _changing(engine, study) as connection:
        running = (table.c.trial_id == trial) & (table.c.state == optuna.trial.TrialState.RUNNING)
        ended = {"state": state, "datetime_complete": _utc(datetime.now())}
        if connection.execute(table.update().where(running).values(ended)).rowcount != 1:
            return False
        _insert(connection, models.TrialValueModel, list(_values(trial, values)))
        _replace(connection, models.TrialUserAttributeModel, trial, attributes)
        named = {f"{CONSTRAINT}{limit}": float(excess) for limit, excess in constraints.items()}
        _replace(connection, models.TrialSystemAttributeModel, trial, named)
    return True


@contextmanager
def _changing(engine: sa.Engine, study: int) -> Iterator[sa.Connection]:
    """A transaction that no other may write into this study beside."""
    from optuna.storages._rdb import models

    studies: Any = models.StudyModel.__table__
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.select(studies.c.study_id).where(studies.c.study_id == study).with_for_update())
        yield connection


def _head(study: int, number: int, trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    return {
        "study_id": study,
        "number": number,
        "state": trial.state,
        "datetime_start": _utc(trial.datetime_start),
        "datetime_complete": _utc(trial.datetime_complete),
    }


def _params(key: int, trial: "optuna.trial.FrozenTrial") -> Iterator[dict[str, Any]]:
    import optuna

    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield {
            "trial_id": key,
            "param_name": name,
            "param_value": distribution.to_internal_repr(value),
            "distribution_json": optuna.distributions.distribution_to_json(distribution),
        }


def _values(key: int, values: Sequence[float] | None) -> Iterator[dict[str, Any]]:
    from optuna.storages._rdb import models

    for objective, value in enumerate(values or ()):
        stored, kind = models.TrialValueModel.value_to_stored_repr(float(value))
        yield {"trial_id": key, "objective": objective, "value": stored, "value_type": kind}


def _attributes(key: int, attributes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in attributes.items():
        yield {"trial_id": key, "key": name, "value_json": json.dumps(value)}


def _replace(connection: sa.Connection, model: Any, key: int, attributes: Mapping[str, Any]) -> None:
    """Sets attributes of a trial: an earlier version set them one after another, and may have been killed between."""
    if attributes:
        table = model.__table__
        connection.execute(table.delete().where((table.c.trial_id == key) & table.c.key.in_(list(attributes))))
        _insert(connection, model, list(_attributes(key, attributes)))


def _insert(connection: sa.Connection, model: Any, rows: Rows) -> None:
    if rows:
        connection.execute(model.__table__.insert(), rows)


def _utc(local: datetime | None) -> datetime | None:
    """A time as Optuna stores it: UTC, without a zone."""
    return local.astimezone(UTC).replace(tzinfo=None) if local else None
