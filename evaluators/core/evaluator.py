"""The base class of evaluators: a frozen dataclass whose fields are its options.

Life cycle: `evaluators.get("ort:resolution=192")` builds an evaluator from a spec; `missing()` says why it cannot run
here, if so; `measure(architecture)` calls `_read` and adds the context. A plug-in implements `_read` and, where the
defaults do not fit, `missing`, `device`, `packages` and `imports`. Latencies derive from `targets.latency.Latency`.
"""

import importlib
import importlib.metadata
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from evaluators.core.locations import HERE, Location
from evaluators.core.measurement import ANYWHERE, Device, Direction, Kind, Measurement, Metric, Reading, context, now
from search_spaces import Architecture, Network
from search_spaces.common import plugins
from search_spaces.common.errors import MeasurementFailed, Unavailable, UsageError

Family = Literal["cost", "accuracy", "latency"]
FAMILY_OF: dict[Kind, Family] = {
    "exact": "cost",
    "score": "accuracy",
    "trained": "accuracy",
    "predicted": "accuracy",  # a predicted latency is its evaluator's wrapper, which says so itself
    "measured": "latency",
}
OTHERS = "params, macs, activations, published and ort evaluate networks of every family"


@dataclass(frozen=True, kw_only=True)
class Evaluator(ABC):
    """A method to evaluate an architecture."""

    unit: ClassVar[str]
    direction: ClassVar[Direction]
    kind: ClassVar[Kind]
    packages: ClassVar[tuple[str, ...]] = ()  # their versions change the number
    imports: ClassVar[tuple[str, ...]] = ()  # modules that a worker may import before its first job
    bought_with: ClassVar[tuple[str, ...]] = ()  # costs that raise its value without limit, beside latency
    peers: ClassVar[bool] = False  # whether it evaluates networks of other families, which timm builds, too
    revision: ClassVar[int] = 1  # increased when the same options give other numbers than before
    patience: ClassVar[float] = 0.0  # seconds; the least time limit of one evaluation

    def __post_init__(self) -> None:
        for option in fields(self):
            if choices := option.metadata.get("choices"):
                check_choice(option.name, getattr(self, option.name), choices)

    def name(self) -> str:
        """The file name of the plug-in, which is its name on the command line."""
        return type(self).__module__.rpartition(".")[2]

    @classmethod
    def family(cls) -> Family:
        """What it measures: a cost, an accuracy or a latency."""
        return FAMILY_OF[cls.kind]

    @property
    def location(self) -> Location:
        """Where it runs: under this interpreter, except for a `Remote` evaluator."""
        return HERE

    @property
    def local(self) -> "Evaluator":
        """The evaluator as it is called at its location: without the location."""
        return self

    @property
    def portable(self) -> "Evaluator":
        """The evaluator as another machine knows it, whose folders are others."""
        return self

    def as_here(self, measurement: Measurement) -> Measurement:
        """A measurement that the portable evaluator made on another machine, as one of this evaluator."""
        return measurement

    @property
    def spec(self) -> str:
        """The text from which `evaluators.get` builds this evaluator: its name and the options that are not default."""
        changed = [
            f"{option.name}={_written(getattr(self, option.name))}"
            for option in fields(self)
            if option.metadata.get("always") or getattr(self, option.name) != option.default
        ]
        return self.name() + (":" + ",".join(changed) if changed else "")

    @property
    def metric(self) -> Metric:
        """The meaning of its numbers."""
        return Metric(name=self.spec, unit=self.unit, direction=self.direction, kind=self.kind)

    @property
    def instant(self) -> bool:
        """Whether its values take about a millisecond, so that a search may have those of thousands of networks."""
        return False

    def values(self, networks: Sequence[Network]) -> list[float]:
        """The values of many networks, as `measure` gives them."""
        return [self.measure(network).value for network in networks]

    def missing(self) -> Unavailable | None:
        """Why this evaluator cannot run here, and how to change that; None if it can."""
        return None

    def device(self) -> Device:
        """The device for which its numbers hold."""
        return ANYWHERE

    def physical(self) -> str:
        """The name of the resource that only one evaluation may use at a time: the machine, or a GPU."""
        return "machine"

    def at_once(self) -> int:
        """How many networks may be evaluated in parallel: one, unless parallel work does not change the number."""
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
        """The key under which its numbers are stored."""
        return context(self.metric, self.device(), self.versions(), self.protocol())

    def refuses(self, network: Network) -> str:
        """Why it cannot evaluate a network of that family, as a sentence without a full stop; empty if it can."""
        if self.peers or isinstance(network, Architecture):
            return ""
        return f"{self.spec} evaluates networks of the Next-ViT family alone, and not {network}"

    def check(self, network: Network) -> None:
        """Makes sure that it can evaluate a network of that family.

        Raises:
            MeasurementFailed: it cannot.
        """
        if refusal := self.refuses(network):
            raise MeasurementFailed(refusal, OTHERS)

    def distrusts(self, network: Network) -> str:
        """Why its number for a network should not guide a search; empty if it may."""
        return ""

    def prepare(self) -> None:
        """Makes the first evaluation of this process quicker, while others may measure on the same device."""
        for module in self.imports:
            importlib.import_module(module)

    def measure(self, network: Network) -> Measurement:
        """Evaluates one network in this process.

        Raises:
            Unavailable: this machine cannot; the message says why.
            MeasurementFailed: this network could not be evaluated.
        """
        if reason := self.missing():
            raise reason
        self.check(network)
        start = time.perf_counter()
        reading = self._read(network)
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
    def _read(self, network: Any) -> Reading:
        """Does the work of `measure`, which adds the context to the reading.

        Without `peers`, every network is an `Architecture`; with it, any `Network`.
        """


def cores() -> int:
    """The number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def always(default: object) -> Any:
    """An option that the metric's name always contains, because the number could be misread without it."""
    return field(default=default, metadata={"always": True})


def choice(*choices: str) -> Any:
    """An option that takes one of these values; the first is the default."""
    return field(default=choices[0], metadata={"choices": choices})


def parse_options(evaluator: type[Evaluator], text: str) -> Evaluator:
    """Builds an evaluator with the options of a spec (`resolution=192,threads=2`).

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
    """Checks that an option is in its range.

    Raises:
        UsageError: it is not; the hint names the nearest valid value.
    """
    if not low <= value <= high:
        raise UsageError(
            f"{name} expects a number from {low} to {high}, got {value}",
            f"nearest: {name}={min(high, max(low, value))}",
        )


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Checks that an option is one of its choices.

    Raises:
        UsageError: it is not.
    """
    if value not in choices:
        raise UsageError(
            f"{name} expects one of {', '.join(choices)}, got '{value}'", f"for example {name}={choices[0]}"
        )
