"""Rows of the database as our types, checked: other programs write there, and disks fail.

All functions raise one of `database_errors.DAMAGE` for what is not what we wrote.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from evaluators import Measurement, Metric
from evaluators.stopwatch.calibration import ratio_of
from results.limits import Limit
from results.store.record import State, Trial
from search_spaces import Architecture

if TYPE_CHECKING:
    import optuna

NETWORK, OUTCOME = "nas.network", "nas.outcome"  # attributes of a trial
CONFIGURATION = {  # what every version has stored of a run
    "space": str,
    "budget": int,
    "proxy": str,
    "latencies": list[str],
    "limits": list[str],
    "seed": int,
    "sampler": str,
    "objectives": list[dict[str, str]],
}
NETWORK_SHAPE = {"id": str, "architecture": dict[str, Any], "anchor": str, "replaced": dict[str, int]}
OUTCOME_SHAPE = {"contexts": dict[str, str], "seconds": dict[str, float], "cause": str, "detail": str}
BELIEVED_SHAPE = {"context": str, "networks": list[str]}


def measurement(text: str) -> Measurement:
    """A measurement from its JSON."""
    parsed = Measurement.from_dict(json.loads(text))
    _check(parsed, Measurement, "record")
    return parsed


def check_measurement(row: Mapping[str, Any]) -> None:
    """Whether a row of the table agrees with the measurement and the network that it holds."""
    parsed, architecture = measurement(row["record"]), network(row["network"])
    expected = {
        "architecture": architecture.id,
        "context": parsed.context,
        "metric": parsed.metric.name,
        "value": parsed.value,
        "low": parsed.low,
        "high": parsed.high,
        "unit": parsed.unit,
        "kind": parsed.metric.kind,
        "device": parsed.device.id,
    }
    for name, value in expected.items():
        if row[name] != value:
            raise ValueError(f"{name} is {row[name]!r:.60} in the table and {value!r:.60} in its record")


def network(text: str) -> Architecture:
    """An architecture from its JSON."""
    return Architecture.from_json(text)


def configuration(data: object) -> dict[str, Any]:
    """A run's stored configuration, with everything that the views of a run use."""
    config = _shaped(data, CONFIGURATION, "configuration")
    for number, objective in enumerate(config["objectives"]):
        _check(Metric(**objective), Metric, f"objectives[{number}]")
    if not config["objectives"]:
        raise ValueError("no objectives")
    _check(config.get("evaluations", 0), int, "evaluations")
    believed(config.get("predictors", {}))  # of the same shape
    return config


def believed(data: object) -> dict[str, dict[str, Any]]:
    """By metric: the context of a run's latest predictions, and the networks that they were learnt from."""
    _check(data, dict[str, dict[str, Any]], "predictions")
    assert isinstance(data, dict)
    return {metric: _shaped(latest, BELIEVED_SHAPE, metric) for metric, latest in data.items()}


def columns(data: object) -> dict[str, str]:
    """By column: the context in which a run's networks were measured after it had ended."""
    _check(data, dict[str, str], "columns")
    assert isinstance(data, dict)
    return data


def is_ours(frozen: "optuna.trial.FrozenTrial") -> bool:
    """Whether `nas run` made a trial; others were added to the study with Optuna itself."""
    return NETWORK in frozen.user_attrs


def contexts(frozen: "optuna.trial.FrozenTrial") -> dict[str, str]:
    """By metric: the context of a trial's measurements."""
    return dict(_outcome(frozen)["contexts"])


def network_id(frozen: "optuna.trial.FrozenTrial") -> str:
    """The id under which a trial's measurements stand."""
    return str(_network(frozen)["id"])


def check_trial(frozen: "optuna.trial.FrozenTrial", objectives: int) -> None:
    """Whether a trial can be added to another study and shown there."""
    frozen._validate()
    if frozen.values is not None and len(frozen.values) != objectives:
        raise ValueError(f"{len(frozen.values)} values for {objectives} objectives")
    architecture = trial(frozen, {}, {}).architecture
    if architecture.id != network_id(frozen):
        raise ValueError(f"its network is {architecture.id}, not {network_id(frozen)}")


def trial(
    frozen: "optuna.trial.FrozenTrial",
    wanted: Mapping[str, str],
    known: Mapping[tuple[str, str], Measurement],
    limits: Sequence[Limit] = (),
) -> Trial:
    """A trial with what was measured of its network, by the columns that are wanted and their contexts.

    A limit on a latency is decided anew: repeats and the device's constant have changed what is known of it.
    """
    described, outcome = _network(frozen), _outcome(frozen)
    constraints = dict(frozen.constraints)
    _check(constraints, dict[str, float], "constraints")
    by_metric = {metric: known.get((described["id"], context)) for metric, context in wanted.items()}
    for limit in limits:
        if (latency := by_metric.get(limit.metric)) and ratio_of(latency):
            constraints[str(limit)] = limit.excess(latency.value)
    lost = ", ".join(metric for metric in outcome["contexts"] if metric in by_metric and not by_metric[metric])
    if frozen.state.name == "COMPLETE" and OUTCOME not in frozen.user_attrs:
        lost = "all"
    return Trial(
        number=frozen.number,
        architecture=Architecture.from_dict(described["architecture"]),
        state="failed" if lost else _state(frozen, constraints),
        measurements={metric: measured for metric, measured in by_metric.items() if measured},
        constraints=constraints,
        anchor=described["anchor"],
        cause=f"its measurements are not in the database: {lost}" if lost else outcome["cause"],
        detail=outcome["detail"],
        seconds=outcome["seconds"],
        replaced=described["replaced"],
    )


def _network(frozen: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    return _shaped(frozen.user_attrs[NETWORK], NETWORK_SHAPE, NETWORK)


def _outcome(frozen: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    nothing: dict[str, Any] = {"contexts": {}, "seconds": {}, "cause": "", "detail": ""}
    return _shaped(frozen.user_attrs.get(OUTCOME, nothing), OUTCOME_SHAPE, OUTCOME)


def _state(frozen: "optuna.trial.FrozenTrial", constraints: Mapping[str, float]) -> State:
    if frozen.state.name == "COMPLETE":
        return "infeasible" if any(excess > 0 for excess in constraints.values()) else "ok"
    if frozen.state.name == "PRUNED":
        return "predicted"
    return "running" if not frozen.state.is_finished() else "failed"


def _shaped(data: object, shape: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Data with at least these keys, of these types."""
    _check(data, dict[str, Any], place)
    assert isinstance(data, dict)
    for name, kind in shape.items():
        if name not in data:
            raise ValueError(f"{place} has no {name}")
        _check(data[name], kind, f"{place}.{name}")
    return data


def _check(value: object, kind: Any, place: str) -> None:
    """Raises ValueError where a value, or anything inside it, is of another type than annotated."""
    if not _fits(value, kind):
        raise ValueError(f"{place} is {value!r:.60}, not {getattr(kind, '__name__', kind)}")
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        for field in fields(kind):
            _check(getattr(value, field.name), hints[field.name], f"{place}.{field.name}")


def _fits(value: object, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, item) for item in inner)
    if origin is Literal:
        return value in inner
    if origin is dict and isinstance(value, dict):
        return all(_fits(name, inner[0]) and _fits(item, inner[1]) for name, item in value.items())
    if origin in (list, tuple) and isinstance(value, origin):
        return all(_fits(item, inner[0]) for item in value)
    if origin:
        return False
    if kind in (int, float):  # JSON writes 5.0 as 5 here and there; a bool is no number
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
