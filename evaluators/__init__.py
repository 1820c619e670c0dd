"""How good is it: evaluators turn an architecture into a measurement.

Every file in `cost/`, `accuracy/` and `latency/` is an evaluator with the name of the file; a spec adds options after a
colon: `ort:resolution=192`. A user's own file is one too (`search_spaces/common/plugins.py`). The spec of a latency may
name a location, or ask for a prediction: `trt:python=/usr/bin/python3`, `coreml@ssh:me@macbook`, `coreml:predicted`.
Importing this package imports neither torch nor a run-time: only measuring does.
"""

import inspect
import os
import re
from types import ModuleType

from evaluators.core.evaluator import Evaluator, parse_options
from evaluators.core.locations import Location
from evaluators.core.measurement import UNVALIDATED, Device, Direction, Kind, Measurement, Metric, Reading
from evaluators.prediction.predicted import Predicted
from search_spaces.common import plugins
from search_spaces.common.errors import UnknownName, UsageError
from search_spaces.common.texts import unprintable

__all__ = [
    "FAMILIES",
    "UNVALIDATED",
    "Device",
    "Direction",
    "Evaluator",
    "Kind",
    "Measurement",
    "Metric",
    "Reading",
    "get",
    "names",
    "summary",
]

# From 1.29 on, ONNX Runtime reports to Microsoft and leaves files behind, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
FAMILIES = ("cost", "accuracy", "latency")
LOCATIONS = ("python", "predicted")  # options that say where a latency is measured, or that it is predicted
LONGEST_SPEC = 1000  # characters: a path may be part of it


def names(family: str | None = None) -> list[str]:
    """The names of the evaluators of one family, or of all; users' own come last in each family."""
    own = {name: _evaluator(module).family() for name, module in plugins.own(plugins.EVALUATORS).items()}
    return [
        name
        for listed in ((family,) if family else FAMILIES)
        for name in (*plugins.names(f"evaluators.{listed}"), *(name for name in own if own[name] == listed))
    ]


def get(spec: str, family: str | None = None) -> Evaluator:
    """The evaluator of a spec: NAME, then :OPTIONS, then for a latency @ssh:HOST or @lane:NAME (`trt@lane:t4`).

    Raises:
        UnknownName: there is no such evaluator in that family; the message offers the nearest name.
        UsageError: an unknown option, or an invalid location.
    """
    if unprintable(spec) or len(spec) > LONGEST_SPEC:
        raise UsageError(
            f"'{spec}' is not an evaluator: it has control characters, or more than {LONGEST_SPEC} characters",
            "write NAME or NAME:OPTION=VALUE, for example ort:resolution=192",
        )
    text, at, host = re.fullmatch(r"(.*?)(@ssh:|@lane:|@|$)(.*)", spec).groups()  # type: ignore[union-attr]
    name, _, options = text.partition(":")
    evaluator_class = _class(name, family)
    parts = options.split(",")
    location = {key: value for key, _, value in (part.partition("=") for part in parts) if key in LOCATIONS}
    if len(location) < sum(part.partition("=")[0] in LOCATIONS for part in parts):
        raise UsageError(f"'{spec}' names two locations", "give python= or predicted= once")
    if "python" in location and not location["python"]:
        raise UsageError(f"'{spec}' names no interpreter", f"write {name}:python=/path/to/python")
    evaluator = parse_options(
        evaluator_class, ",".join(part for part in parts if part.partition("=")[0] not in location)
    )
    if at == "@" or (at and not host):
        raise UsageError(
            f"'{spec}' names no location",
            f"a machine over SSH is written {name}@ssh:USER@HOST, a lane of a team's queue {name}@lane:NAME",
        )
    if not (host or location):
        return evaluator
    if evaluator.family() != "latency":
        raise UsageError(
            f"'{spec}': only latencies are measured at another location, or predicted", f"write {evaluator.spec}"
        )
    if "predicted" in location:
        if host or "python" in location:
            raise UsageError(f"'{spec}': a prediction is made here, from the database", f"write {name}:predicted")
        return Predicted(inner=evaluator, which=location["predicted"])
    from evaluators.workers.remote import Remote

    if at == "@lane:":
        if "python" in location:
            raise UsageError(f"'{spec}': whoever serves a lane chooses the interpreter", f"write {name}@lane:{host}")
        return Remote(inner=evaluator, where=Location(lane=host))
    return Remote(inner=evaluator, where=Location(host=host, python=location.get("python", "")))


def summary(name: str) -> str:
    """What an evaluator measures, in one line."""
    module = inspect.getmodule(_class(name))
    assert module is not None
    return plugins.summary(module)


def _class(name: str, family: str | None = None) -> type[Evaluator]:
    families = (family,) if family else FAMILIES
    for listed in families:
        if name in plugins.names(f"evaluators.{listed}"):
            return _evaluator(plugins.load(f"evaluators.{listed}", name, "evaluator"))
    if module := plugins.own(plugins.EVALUATORS).get(name):
        own = _evaluator(module)
        if own.family() in families:
            return own
    raise UnknownName(f"{family} evaluator" if family else "evaluator", name, names(family))


def _evaluator(module: ModuleType) -> type[Evaluator]:
    """The evaluator class of a plug-in's module.

    Raises:
        UsageError: it has none, or several.
    """
    classes = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Evaluator)]
    own = [value for value in classes if value.__module__ == module.__name__]
    if len(own) != 1:
        raise UsageError(f"'{module.__file__}' has {len(own)} evaluators", "a plug-in is one class in one file")
    return own[0]
