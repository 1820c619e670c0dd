"""Limits: bounds on metrics that a candidate must keep, as they are typed (`ort<=40ms`, `params<=35M`)."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.core.measurement import Direction
from search_spaces.common.errors import UsageError

# How units convert into the one that an evaluator reports: the power of ten.
POWERS = {
    "ms": {"us": -3, "ms": 0, "s": 3},
    "M": {"": -6, "K": -3, "M": 0, "G": 3, "B": 3},
    "G": {"": -9, "M": -3, "G": 0, "T": 3},
}
PATTERN = re.compile(
    r"\s*(?P<metric>[^<>=\s]+(?:=[^<>=\s]+)*?)\s*(?P<sign><=|>=)\s*"
    r"(?P<number>[-+.\d]+(?:[eE][-+]?\d+)?)(?P<unit>.*)"
)
NAME = re.compile("[:@]")  # what ends the name of an evaluator in a spec
LONGEST = 1200  # letters: those of a metric, and a number


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
        """The text from which `parse` makes this limit."""
        return f"{self.metric}{self.sign}{_written(self.bound)}{self.evaluator.metric.unit}"

    def on(self, metric: str) -> str:
        """The same bound on another metric of the same unit, as it is typed."""
        return str(self).replace(self.metric, metric, 1)

    def meant(self, metrics: Iterable[str]) -> list[str]:
        """The limits that may be meant by an evaluator without its options: one for every metric of its name."""
        return [self.on(metric) for metric in sorted(metrics) if NAME.split(metric)[0] == self.evaluator.name()]

    def excess(self, value: float) -> float:
        """How far a value is beyond the bound, in the metric's unit: above 0 is a violation."""
        return value - self.bound if self.sign == "<=" else self.bound - value

    def is_worst(self, direction: Direction) -> bool:
        """Whether it bounds the side on which an objective gets worse."""
        return (self.sign == "<=") == (direction == "minimize")

    def value(self, excess: float) -> float:
        """The inverse of `excess`."""
        return self.bound + excess if self.sign == "<=" else self.bound - excess

    def kept(self, measurements: Mapping[str, Measurement]) -> bool:
        """Whether a candidate with these measurements keeps the limit; without that measurement it does not."""
        return self.metric in measurements and self.excess(measurements[self.metric].value) <= 0


def parse(text: str) -> Limit:
    """A limit from its text: a metric, <= or >=, a number and a unit.

    Raises:
        UnknownName: no evaluator of that name; offers the nearest.
        UsageError: not a limit, or a unit that the metric does not have.
    """
    match = PATTERN.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        raise UsageError(f"'{text}' is not a limit", "write a metric, <= or >=, and a bound with its unit: ort<=40ms")
    evaluator = evaluators.get(match["metric"])
    bound = _number(text, match["number"], _power(text, evaluator, match["unit"].strip()))
    if bound <= 0 and evaluator.family() != "accuracy":
        raise UsageError(f"the limit '{text}' has a bound of {bound:g}", f"{evaluator.name()} is always above 0")
    return Limit(evaluator=evaluator, sign=match["sign"], bound=bound)


def _number(text: str, digits: str, power: int) -> float:
    """The number times a power of ten, exactly: 0.1 s is 100 ms."""
    try:
        number = float(digits)
        number = float(Decimal(digits).scaleb(power)) if math.isfinite(number) else number
    except (ValueError, ArithmeticError):  # the latter of an exponent beyond those of decimal numbers
        raise UsageError(f"'{digits}' in the limit '{text}' is not a number", "for example ort<=40ms") from None
    if not math.isfinite(number):
        raise UsageError(f"the limit '{text}' has no bound: '{digits}' is infinite", "leave it out, or lower it")
    return number + 0.0  # and no negative zero


def _written(bound: float) -> str:
    """The shortest text of a number: 40, not 40.0."""
    return repr(bound).removesuffix(".0")


def _power(text: str, evaluator: Evaluator, unit: str) -> int:
    powers = POWERS.get(evaluator.metric.unit, {"": 0, evaluator.metric.unit: 0})
    by_lower = {name.lower(): power for name, power in powers.items()}
    missing = evaluator.metric.unit == "ms" and not unit
    if missing or unit.lower() not in by_lower:
        raise UsageError(
            f"the limit '{text}' " + ("has no unit" if missing else f"has an unknown unit '{unit}'"),
            f"{evaluator.name()} is in {evaluator.metric.unit}; units: {', '.join(name or 'none' for name in powers)}",
        )
    return by_lower[unit.lower()]
