"""Limits: bounds on metrics that a candidate must keep, as a person writes them (`ort<=40ms`, `params<=35M`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import evaluators
from evaluators import Evaluator, Measurement
from search_spaces.common.errors import UsageError

# How units convert into the one that an evaluator reports.
SCALES = {
    "ms": {"us": 1e-3, "ms": 1.0, "s": 1e3},
    "M": {"": 1e-6, "K": 1e-3, "M": 1.0, "G": 1e3, "B": 1e3},
    "G": {"": 1e-9, "M": 1e-3, "G": 1.0, "T": 1e3},
}
PATTERN = re.compile(
    r"\s*(?P<metric>[^<>=\s]+(?:=[^<>=\s]+)*?)\s*(?P<sign><=|>=)\s*(?P<number>[-+.\d]+(?:[eE][-+]?\d+)?)\s*(?P<unit>[a-zA-Z]*)\s*"
)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A bound on one metric, in the metric's own unit."""

    evaluator: Evaluator
    sign: str
    bound: float

    @property
    def metric(self) -> str:
        """The name of the metric that is bounded."""
        return self.evaluator.spec

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.bound:g}{self.evaluator.metric.unit}"

    def excess(self, value: float) -> float:
        """How far a value is beyond the bound, in the metric's unit: above 0 is a violation."""
        return value - self.bound if self.sign == "<=" else self.bound - value

    def kept(self, found: Mapping[str, Measurement]) -> bool:
        """Whether a candidate with these measurements keeps the limit; without that measurement it does not."""
        return self.metric in found and self.excess(found[self.metric].value) <= 0


def parse(text: str) -> Limit:
    """A limit from its text: a metric, <= or >=, a number and a unit.

    Raises:
        UnknownName: no evaluator of that name; offers the nearest.
        UsageError: not a limit, or a unit that the metric does not have.
    """
    match = PATTERN.fullmatch(text)
    if not match:
        raise UsageError(f"'{text}' is not a limit", "write a metric, <= or >=, and a bound with its unit: ort<=40ms")
    evaluator = evaluators.get(match["metric"])
    try:
        number = float(match["number"])
    except ValueError:
        raise UsageError(
            f"'{match['number']}' in the limit '{text}' is not a number", "for example ort<=40ms"
        ) from None
    bound = number * _scale(text, evaluator, match["unit"])
    if bound <= 0 and evaluator.family() != "accuracy":
        raise UsageError(f"the limit '{text}' has a bound of {bound:g}", f"{evaluator.name()} is always above 0")
    return Limit(evaluator=evaluator, sign=match["sign"], bound=bound)


def _scale(text: str, evaluator: Evaluator, unit: str) -> float:
    scales = SCALES.get(evaluator.metric.unit, {"": 1.0})
    by_lower = {name.lower(): scale for name, scale in scales.items()}
    missing = evaluator.metric.unit == "ms" and not unit
    if missing or unit.lower() not in by_lower:
        raise UsageError(
            f"the limit '{text}' " + ("has no unit" if missing else f"has an unknown unit '{unit}'"),
            f"{evaluator.name()} is in {evaluator.metric.unit}; units: {', '.join(name or 'none' for name in scales)}",
        )
    return by_lower[unit.lower()]
