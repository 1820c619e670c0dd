"""How good is it: evaluators turn an architecture into a measurement.

Every file in `cost/`, `accuracy/` and `latency/` is an evaluator, named on the command line by its file name, with
options after a colon: `ort:resolution=192`. Nothing here imports torch or a run-time until an evaluator measures.
"""

import inspect

from evaluators.common.evaluator import Evaluator, parse_options
from evaluators.common.measurement import Device, Measurement, Metric
from search_spaces.common import plugins
from search_spaces.common.errors import UnknownName

__all__ = ["FAMILIES", "Device", "Evaluator", "Measurement", "Metric", "get", "names", "summary"]

FAMILIES = ("cost", "accuracy", "latency")


def names(family: str | None = None) -> list[str]:
    """The evaluators of one family, or of all, in the families' order."""
    families = (family,) if family else FAMILIES
    return [name for each in families for name in plugins.names(f"evaluators.{each}")]


def get(spec: str, family: str | None = None) -> Evaluator:
    """The evaluator of a spec: a name, and options after a colon (`ort:resolution=192,threads=2`).

    Raises:
        UnknownName: there is no such evaluator in that family; offers the nearest name.
        UsageError: it has no such option.
    """
    name, _, options = spec.partition(":")
    return parse_options(_class(name, family), options)


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
