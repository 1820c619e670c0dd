"""Rows of the database as our types, checked: other programs write there, and disks fail.

All functions raise one of `database_errors.DAMAGE` for what is not what we wrote.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from evaluators import Measurement, Metric
from evaluators.stopwatch.calibration import ratio_of
from results.limits import Limit
from results.store.record import State, Trial
from search_spaces import Network
from search_spaces.common import networks

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
COMMON = ("metric", "device", "versions", "protocol")  # to the measurements of a context

Test = Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What the measurements of a context have in common: as it stands in JSON, and as one object for all of them."""

    plain: dict[str, Any]
    parts: dict[str, Any]

    @classmethod
    def of(cls, measurement: Measurement) -> "Common":
        """What other measurements of its context may share with this one."""
        parts = {name: getattr(measurement, name) for name in COMMON}
        return cls(
            plain={name: vars(part) if is_dataclass(part) else part for name, part in parts.items()}, parts=parts
        )


def measurement(text: str, common: Common | None = None) -> Measurement:
    """A measurement from its JSON; what it has `common` with others is shared, which is most of its memory."""
    data = json.loads(text)
    if common and isinstance(data, dict) and {name: data.get(name) for name in COMMON} == common.plain:
        parsed = Measurement(**{**data, **common.parts, "warnings": tuple(data["warnings"])})
        _check(parsed, Measurement, "record", COMMON)
    else:
        parsed = Measurement.from_dict(data)
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


def network(text: str) -> Network:
    """A network of any family from its JSON."""
    return networks.from_json(text)


def configuration(data: object) -> dict[str, Any]:
    """A run's stored configuration, with everything that the views of a run use."""
    config = _shaped(data, CONFIGURATION, "configuration")
    for number, objective in enumerate(config["objectives"]):
        _check(Metric(**objective), Metric, f"objectives[{number}]")
    if not config["objectives"]:
        raise ValueError("no objectives")
    _check(config.get("evaluations", 0), int, "evaluations")
    _check(config.get("fix", []), list[str], "fix")
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
        architecture=networks.from_dict(described["architecture"]),
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


def _check(value: object, kind: Any, place: str, checked: tuple[str, ...] = ()) -> None:
    """Raises ValueError where a value, or anything inside it, is of another type than annotated."""
    if not _test(kind)(value):
        raise ValueError(f"{place} is {value!r:.60}, not {getattr(kind, '__name__', kind)}")
    for name, inner, suffices in _fields(kind, checked):
        part = getattr(value, name)
        if not suffices(part):
            _check(part, inner, f"{place}.{name}")


@cache
def _fields(kind: Any, checked: tuple[str, ...]) -> tuple[tuple[str, Any, Test], ...]:
    """The fields of a dataclass, without those that were checked, with their types and a test that may suffice.

    It does not for another dataclass, whose own fields are to be checked. Other types have no fields.
    """
    if not (is_dataclass(kind) and isinstance(kind, type)):
        return ()
    hints = get_type_hints(kind)
    names = (field.name for field in fields(kind) if field.name not in checked)
    return tuple((name, hints[name], _never if is_dataclass(hints[name]) else _test(hints[name])) for name in names)


@cache
def _test(kind: Any) -> Test:
    """Whether a value is of a type, as a function: annotations are taken apart once, and not for every value."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return _anything
    if origin in (Union, UnionType):
        tests = [_test(item) for item in inner]
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        return lambda value: value in inner
    if origin is dict:
        return _dictionary(*map(_test, inner))
    if origin in (list, tuple):
        item_test = _test(inner[0])
        return lambda value: isinstance(value, origin) and all(map(item_test, value))
    if kind in (int, float):  # JSON writes 5.0 as 5 here and there; a bool is no number
        return lambda value: type(value) in (int, kind)
    return lambda value: isinstance(value, kind)


def _anything(value: object) -> bool:
    return True


def _never(value: object) -> bool:
    return False


def _dictionary(key_test: Test, item_test: Test) -> Test:
    if item_test is _anything:
        return lambda value: isinstance(value, dict) and all(map(key_test, value))
    return lambda value: isinstance(value, dict) and all(map(key_test, value)) and all(map(item_test, value.values()))
