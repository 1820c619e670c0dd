"""How good is it: evaluators turn an architecture into a measurement.

Every file in `cost/`, `accuracy/` and `latency/` is an evaluator, named on the command line by its file name, with
options after a colon: `ort:resolution=192`. A user's own file is one too (`search_spaces/common/plugins.py`). A latency
may name its place, or be predicted: `trt:python=/usr/bin/python3`, `coreml@ssh:me@macbook`, `coreml:predicted`.
Nothing here imports torch or a run-time until an evaluator measures.
"""

import inspect
import os
import re
from types import ModuleType

from evaluators.core.evaluator import Evaluator, parse_options
from evaluators.core.locations import Place
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
PLACES = ("python", "predicted")  # options that say where a latency is measured, or that it is not
LONGEST_SPEC = 1000  # letters: a path may be part of it


def names(family: str | None = None) -> list[str]:
    """The evaluators of one family, or of all, in the families' order; users' own come last in their family."""
    own = {name: _evaluator(module).family() for name, module in plugins.own(plugins.EVALUATORS).items()}
    return [
        name
        for each in ((family,) if family else FAMILIES)
        for name in (*plugins.names(f"evaluators.{each}"), *(name for name, its in own.items() if its == each))
    ]


def get(spec: str, family: str | None = None) -> Evaluator:
    """The evaluator of a spec: NAME, then :OPTIONS, then for a latency @ssh:HOST (`coreml:units=all@ssh:me@macbook`).

    Raises:
        UnknownName: there is no such evaluator in that family; offers the nearest name.
        UsageError: it has no such option, or there is no such place.
    """
    if unprintable(spec) or len(spec) > LONGEST_SPEC:
        raise UsageError(
            f"'{spec}' is no evaluator: it holds control characters, or more than {LONGEST_SPEC} letters",
            "nas evaluators lists them",
        )
    text, at, host = re.fullmatch(r"(.*?)(@ssh:|@|$)(.*)", spec).groups()  # type: ignore[union-attr]
    name, _, options = text.partition(":")
    evaluator_class = _class(name, family)
    parts = options.split(",")
    taken = {key: value for key, _, value in (part.partition("=") for part in parts) if key in PLACES}
    if len(taken) < sum(part.partition("=")[0] in PLACES for part in parts):
        raise UsageError(f"'{spec}' names two places", "give python= or predicted= once")
    if "python" in taken and not taken["python"]:
        raise UsageError(f"'{spec}' names no interpreter", f"write {name}:python=/path/to/python")
    evaluator = parse_options(evaluator_class, ",".join(part for part in parts if part.partition("=")[0] not in taken))
    if at == "@" or (at and not host):
        raise UsageError(f"'{spec}' names no place", f"a place over SSH is written {name}@ssh:USER@HOST")
    if not (host or taken):
        return evaluator
    if evaluator.family() != "latency":
        what = "only latencies are measured in another place, or predicted"
        raise UsageError(f"'{spec}': {what}", f"write {evaluator.spec}")
    if "predicted" in taken:
        if host or "python" in taken:
            raise UsageError(f"'{spec}': a prediction is made here, from the database", f"write {name}:predicted")
        return Predicted(inner=evaluator, which=taken["predicted"])
    from evaluators.workers.remote import Elsewhere

    return Elsewhere(inner=evaluator, where=Place(host=host, python=taken.get("python", "")))


def summary(name: str) -> str:
    """What an evaluator finds out, in one line."""
    module = inspect.getmodule(_class(name))
    assert module is not None
    return plugins.summary(module)


def _class(name: str, family: str | None = None) -> type[Evaluator]:
    families = (family,) if family else FAMILIES
    for each in families:
        if name in plugins.names(f"evaluators.{each}"):
            return _evaluator(plugins.load(f"evaluators.{each}", name, "evaluator"))
    if module := plugins.own(plugins.EVALUATORS).get(name):
        own = _evaluator(module)
        if own.family() in families:
            return own
    raise UnknownName(f"{family} evaluator" if family else "evaluator", name, names(family))


def _evaluator(module: ModuleType) -> type[Evaluator]:
    """The one evaluator of a plug-in's module.

    Raises:
        UsageError: it has none, or several.
    """
    classes = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Evaluator)]
    own = [value for value in classes if value.__module__ == module.__name__]
    if len(own) != 1:
        raise UsageError(f"'{module.__file__}' has {len(own)} evaluators", "a plug-in is one class in one file")
    return own[0]
