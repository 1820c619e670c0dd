"""How good is it: evaluators turn an architecture into a measurement.

Every file in `cost/`, `accuracy/` and `latency/` is an evaluator, named on the command line by its file name, with
options after a colon: `ort:resolution=192`. Nothing here imports torch or a run-time until an evaluator measures.
A latency may name its place too, or be predicted: `trt:python=/usr/bin/python3`, `coreml@ssh:me@macbook`,
`coreml:predicted`.
"""

import inspect
import os
import re

from evaluators.common.evaluator import Evaluator, parse_options
from evaluators.common.measurement import Device, Measurement, Metric
from evaluators.common.places import Place
from evaluators.common.predicted import Predicted
from search_spaces.common import plugins
from search_spaces.common.errors import UnknownName, UsageError

__all__ = ["FAMILIES", "Device", "Evaluator", "Measurement", "Metric", "get", "names", "summary"]

# From 1.29 on, ONNX Runtime reports to Microsoft and leaves files behind, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
FAMILIES = ("cost", "accuracy", "latency")


def names(family: str | None = None) -> list[str]:
    """The evaluators of one family, or of all, in the families' order."""
    families = (family,) if family else FAMILIES
    return [name for each in families for name in plugins.names(f"evaluators.{each}")]


def get(spec: str, family: str | None = None) -> Evaluator:
    """The evaluator of a spec: NAME, then :OPTIONS, then for a latency @ssh:HOST (`coreml:units=all@ssh:me@macbook`).

    Raises:
        UnknownName: there is no such evaluator in that family; offers the nearest name.
        UsageError: it has no such option, or there is no such place.
    """
    text, at, host = re.fullmatch(r"(.*?)(@ssh:|@|$)(.*)", spec).groups()  # type: ignore[union-attr]
    name, _, options = text.partition(":")
    evaluator_class = _class(name, family)
    parts = options.split(",")
    taken = {key: value for key, _, value in (part.partition("=") for part in parts) if key in ("python", "predicted")}
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
    from evaluators.common.elsewhere import Elsewhere

    return Elsewhere(inner=evaluator, where=Place(host=host, python=taken.get("python", "")))


def summary(name: str) -> str:
    """What an evaluator finds out, in one line."""
    module = inspect.getmodule(_class(name))
    assert module is not None
    return plugins.summary(module)


def _class(name: str, family: str | None = None) -> type[Evaluator]:
    for each in (family,) if family else FAMILIES:
        package = f"evaluators.{each}"
        if name in plugins.names(package):
            module = plugins.load(package, name, "evaluator")
            (found,) = (
                value
                for value in vars(module).values()
                if inspect.isclass(value) and issubclass(value, Evaluator) and value.__module__ == module.__name__
            )
            return found
    raise UnknownName(f"{family} evaluator" if family else "evaluator", name, names(family))
