"""What every evaluator is: a frozen dataclass whose fields are its options.

Life cycle: `evaluators.get("ort:resolution=192")` parses a spec into an evaluator; `missing()` says whether it can run
here; `measure(architecture)` runs it and wraps the reading that `_read` returns. A plug-in writes `_read` and, where
they differ from the defaults, `missing`, `device`, `packages` and `imports`. Latencies begin with `latency.py`.
"""

import importlib.metadata
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from evaluators.core.locations import HERE, Place
from evaluators.core.measurement import ANYWHERE, Device, Direction, Kind, Measurement, Metric, Reading, context, now
from search_spaces import Architecture
from search_spaces.common import plugins
from search_spaces.common.errors import Unavailable, UsageError

Family = Literal["cost", "accuracy", "latency"]
FAMILY_OF: dict[Kind, Family] = {
    "exact": "cost",
    "score": "accuracy",
    "trained": "accuracy",
    "predicted": "accuracy",  # a predicted latency is its evaluator's wrapper, which says so itself
    "measured": "latency",
}


@dataclass(frozen=True, kw_only=True)
class Evaluator(ABC):
    """One way of finding out how good an architecture is."""

    unit: ClassVar[str]
    direction: ClassVar[Direction]
    kind: ClassVar[Kind]
    packages: ClassVar[tuple[str, ...]] = ()  # whose versions change the number
    imports: ClassVar[tuple[str, ...]] = ()  # modules that a process may load ahead of its first job
    revision: ClassVar[int] = 1  # raised when the same options begin to give other numbers
    patience: ClassVar[float] = 0.0  # seconds that one evaluation may take, whatever was asked for the others

    def __post_init__(self) -> None:
        for each in fields(self):
            if choices := each.metadata.get("choices"):
                check_choice(each.name, getattr(self, each.name), choices)

    def name(self) -> str:
        """The file name of the plug-in, which is its name on the command line."""
        return type(self).__module__.rpartition(".")[2]

    @classmethod
    def family(cls) -> Family:
        """What it is asked for: a cost, an accuracy or a latency."""
        return FAMILY_OF[cls.kind]

    @property
    def place(self) -> Place:
        """Where it runs: this process's interpreter, unless `elsewhere.py` says otherwise."""
        return HERE

    @property
    def local(self) -> "Evaluator":
        """The evaluator as its own place knows it."""
        return self

    @property
    def spec(self) -> str:
        """The text from which `evaluators.get` makes this evaluator: its name, and the options that are not default."""
        changed = [
            f"{option.name}={_written(getattr(self, option.name))}"
            for option in fields(self)
            if option.metadata.get("always") or getattr(self, option.name) != option.default
        ]
        return self.name() + (":" + ",".join(changed) if changed else "")

    @property
    def metric(self) -> Metric:
        """What this evaluator's numbers mean."""
        return Metric(name=self.spec, unit=self.unit, direction=self.direction, kind=self.kind)

    def missing(self) -> Unavailable | None:
        """Why this evaluator cannot run here and what to do about it; None where it can."""
        return None

    def device(self) -> Device:
        """Where its numbers hold."""
        return ANYWHERE

    def physical(self) -> str:
        """The thing that one evaluation at a time may use: the machine, unless it is a GPU."""
        return "machine"

    def at_once(self) -> int:
        """How many networks may be evaluated beside each other: one, unless other work does not change the number."""
        return 1

    def versions(self) -> dict[str, str]:
        """Versions of the packages that change its numbers, and of the plug-in's own file where it is a user's."""
        return {package: importlib.metadata.version(package) for package in self.packages} | self.source()

    def source(self) -> dict[str, str]:
        """The digest of a user's own plug-in, by its name; nothing for ours."""
        module = sys.modules[type(self).__module__]
        return {self.name(): plugins.digest(module)} if plugins.is_own(module.__name__) else {}

    def protocol(self) -> dict[str, Any]:
        """Every setting that changes its numbers."""
        return {"evaluator": self.name(), "revision": self.revision, **asdict(self)}

    def context(self) -> str:
        """The key under which its numbers are remembered."""
        return context(self.metric, self.device(), self.versions(), self.protocol())

    def measure(self, architecture: Architecture, baseline: float | None = None) -> Measurement:
        """Evaluates one architecture, here and now, in this process.

        `baseline` is an earlier value of the reference network on this device, in the evaluator's unit, for those
        that watch for drift.

        Raises:
            Unavailable: this machine cannot; says why and what to do.
            MeasurementFailed: this architecture could not be evaluated.
        """
        if reason := self.missing():
            raise reason
        start = time.perf_counter()
        reading = self._read(architecture, baseline)
        return Measurement(
            metric=self.metric,
            device=self.device(),
            versions=self.versions(),
            protocol=self.protocol(),
            when=now(),
            seconds=round(time.perf_counter() - start, 4),
            **{option.name: getattr(reading, option.name) for option in fields(reading)},
        )

    @abstractmethod
    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        """The work itself."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def always(default: object) -> Any:
    """An option that a metric's name always tells: without it the number could be misread."""
    return field(default=default, metadata={"always": True})


def choice(*choices: str) -> Any:
    """An option that is one of these; the first is its default."""
    return field(default=choices[0], metadata={"choices": choices})


def parse_options(evaluator: type[Evaluator], text: str) -> Evaluator:
    """The evaluator with the options of a spec (`resolution=192,threads=2`).

    Raises:
        UsageError: an unknown option, or a value of the wrong type or out of range.
    """
    known = {option.name: option for option in fields(evaluator)}
    plugin = evaluator.__module__.rpartition(".")[2]
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            raise UsageError(
                f"evaluator '{plugin}' has no option '{part}'",
                f"its options: {', '.join(f'{name}={_written(o.default)}' for name, o in known.items()) or 'none'}",
            )
        if key in values:
            raise UsageError(f"{plugin}:{key} is given twice", "give each option once")
        values[key] = _parsed(plugin, key, value, known[key].default)
    return evaluator(**values)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(evaluator: str, key: str, value: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
        return int(value) if isinstance(default, int) else type(default)(value)  # type: ignore[call-arg]
    except (KeyError, ValueError):
        raise UsageError(
            f"{evaluator}:{key} expects {type(default).__name__}, got '{value}'", f"for example {key}={default}"
        ) from None


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Refuses an option outside its range, with the nearest value inside."""
    if not low <= value <= high:
        raise UsageError(
            f"{name} expects a number from {low} to {high}, got {value}",
            f"nearest: {name}={min(high, max(low, value))}",
        )


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuses an option that is none of its choices."""
    if value not in choices:
        raise UsageError(
            f"{name} expects one of {', '.join(choices)}, got '{value}'", f"for example {name}={choices[0]}"
        )
