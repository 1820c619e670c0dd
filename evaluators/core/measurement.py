"""One number that can be trusted: its unit, interval, device, versions and how it was obtained."""

# ruff: noqa: UP017 - datetime.UTC is of Python 3.11, and a worker may run under the 3.10 of a TensorRT container

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

Kind = Literal["exact", "score", "trained", "measured", "predicted"]
Direction = Literal["minimize", "maximize"]
Quality = Literal[
    "exact", "score", "trained", "predicted", "abstains", "clean", "corrected", "noisy", "cpu_time", "drifted"
]
# Latencies from a machine that was not calm; the last two are of the first version's stopwatch.
DOUBTFUL: tuple[Quality, ...] = ("noisy", "cpu_time", "drifted")
UNVALIDATED = "unvalidated: no trained accuracy on your data has been compared with this score"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a number means: its name (the evaluator's spec), unit, which way is better, and how it comes about."""

    name: str
    unit: str
    direction: Direction
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a number holds: a label for people and the facts that identify the machine. Empty facts mean anywhere."""

    label: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Equal for equal facts."""
        return digest(self.facts)


ANYWHERE = Device(label="any machine")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an evaluator found: the value with its 95 % interval, in the unit of its metric."""

    value: float
    low: float
    high: float
    samples: int = 1
    quality: Quality = "exact"
    warnings: tuple[str, ...] = ()
    secondary: dict[str, float] = field(default_factory=dict)  # further metrics that came with it, by name with unit
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def exact(cls, value: float, warnings: tuple[str, ...] = (), **details: Any) -> "Reading":
        """A count: no spread, one sample."""
        return cls(value=value, low=value, high=value, warnings=warnings, details=details)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A reading with everything that gives it meaning. `protocol` holds every setting that changes the number."""

    metric: Metric
    value: float
    low: float
    high: float
    samples: int
    quality: Quality
    device: Device
    versions: dict[str, str]
    protocol: dict[str, Any]
    when: str
    seconds: float
    warnings: tuple[str, ...] = ()
    secondary: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def context(self) -> str:
        """Two measurements with equal contexts may share an axis; all others may not."""
        return context(self.metric, self.device, self.versions, self.protocol)

    @property
    def doubtful(self) -> bool:
        """Whether it has to be taken again before anything is concluded from it."""
        return self.quality in DOUBTFUL

    def __str__(self) -> str:
        spread = f" [{self.low:.4g}, {self.high:.4g}]" if self.high > self.low else ""
        return f"{self.value:.4g}{spread} {self.unit}".rstrip() + (", at chance" if self.is_at_chance else "")

    @property
    def is_at_chance(self) -> bool:
        """Whether it is a trained accuracy that guessing may reach, too: its interval begins at chance or below."""
        skill = self.details.get("skill")
        if self.metric.kind != "trained" or skill is None or skill >= 1:
            return False
        chance = (self.value - 100 * skill) / (1 - skill)  # since skill is (value - chance) / (100 - chance)
        return bool(self.low <= chance)

    @property
    def unit(self) -> str:
        """The unit of the value and its interval."""
        return self.metric.unit

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Measurement":
        """The inverse of `to_dict`."""
        return cls(
            **{
                **data,
                "metric": Metric(**data["metric"]),
                "device": Device(**data["device"]),
                "warnings": tuple(data["warnings"]),
            }
        )


def context(metric: Metric, device: Device, versions: dict[str, str], protocol: dict[str, Any]) -> str:
    """The key under which a number is remembered, together with the architecture's id."""
    return digest({"metric": metric.name, "device": device.facts, "versions": versions, "protocol": protocol})


def differences(
    measurement: Measurement, device: Device, versions: Mapping[str, str], protocol: Mapping[str, Any]
) -> str:
    """What a measurement was made with, against what there is now: why their contexts are not equal."""
    made = (measurement.device.facts, measurement.versions, measurement.protocol)
    pairs = zip(made, (device.facts, versions, protocol), strict=True)
    return "; ".join(
        f"{name} was {then.get(name)}, is {now.get(name)}"
        for then, now in pairs
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    )


def digest(data: object) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
