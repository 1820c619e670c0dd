"""A measurement: a number with its unit, interval, device, versions and protocol."""

# ruff: noqa: UP017 - datetime.UTC is of Python 3.11, and a worker may run under the 3.10 of a TensorRT container

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, TypedDict

from search_spaces.nextvit.architecture import PARTS

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
    """The meaning of a number: its name (the evaluator's spec), unit, better direction, and kind."""

    name: str
    unit: str
    direction: Direction
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Device:
    """The device for which a number holds: a label for people, and facts that identify it. No facts: any device."""

    label: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """A digest of the facts: equal for equal facts."""
        return digest(self.facts)


ANYWHERE = Device(label="any machine")


class SharedDetails(TypedDict, total=False):
    """The details that the rest of the program reads, through properties of `Measurement`. All others are for people.

    An evaluator writes those that apply: `details={**SharedDetails(skill=0.4), "seconds": 12.5}`.
    """

    log_ratio: float  # a latency: the logarithm of its time over the references' (`stopwatch/calibration.py`)
    log_error: float  # the standard error of that within its process
    log_reference_ms: float  # the logarithm of the references' milliseconds in the same rounds
    rounds: int
    cpu_share: float | None  # of the rounds' time during which the thread had the CPU
    clock: str  # the key of the references on this device
    fidelity: str  # a trained or predicted accuracy: data, images, resolution, epochs and seeds, for people
    skill: float  # a trained accuracy: mean over heads of (accuracy - chance) / (1 - chance)
    best: dict[str, float]  # a full training: `top1` in percent and `epoch` of its best epoch
    upper: float  # a predicted accuracy: what it may well reach, in the metric's unit
    validity: dict[str, Any]  # a predicted accuracy: how its ranking was checked; `sentence` says so for people


@dataclass(frozen=True, kw_only=True)
class Further:
    """A metric that came with another one, such as top-5 with top-1."""

    name: str
    unit: str
    value: float


def further_key(name: str, unit: str) -> str:
    """The key of a further metric in `secondary`: `top-5 [%]`."""
    return f"{name} [{unit}]"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The result of an evaluator: the value with its 95 % interval, in the unit of its metric."""

    value: float
    low: float
    high: float
    samples: int = 1
    quality: Quality = "exact"
    warnings: tuple[str, ...] = ()
    secondary: dict[str, float] = field(default_factory=dict)  # further metrics, by `further_key`
    details: dict[str, Any] = field(default_factory=dict)  # `SharedDetails`, and more for people

    @classmethod
    def exact(cls, value: float, warnings: tuple[str, ...] = (), **details: Any) -> "Reading":
        """The reading of a count: one sample, an interval of width 0."""
        return cls(value=value, low=value, high=value, warnings=warnings, details=details)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A reading with its context. `protocol` holds every setting that changes the number; `when` is UTC, ISO 8601."""

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
        """The key of comparable measurements: only those with equal contexts may share an axis."""
        return context(self.metric, self.device, self.versions, self.protocol)

    @property
    def doubtful(self) -> bool:
        """Whether it must be repeated before anything is concluded from it."""
        return self.quality in DOUBTFUL

    def __str__(self) -> str:
        spread = f" [{self.low:.4g}, {self.high:.4g}]" if self.high > self.low else ""
        return f"{self.value:.4g}{spread} {self.unit}".rstrip() + (", at chance" if self.is_at_chance else "")

    @property
    def is_at_chance(self) -> bool:
        """Whether it is a trained accuracy no better than guessing: its interval reaches chance."""
        skill = self.skill
        if self.metric.kind != "trained" or skill is None or skill >= 1:
            return False
        chance = (self.value - 100 * skill) / (1 - skill)  # since skill is (value - chance) / (100 - chance)
        return bool(self.low <= chance)

    @property
    def unit(self) -> str:
        """The unit of the value and its interval."""
        return self.metric.unit

    @property
    def time_shares(self) -> dict[str, float]:
        """Of a latency, the percentage of time in each part of the network; empty where the run-time has no profile."""
        values = {metric.name: metric.value for metric in self._all_further()}
        return {part: values[part] for part in PARTS if part in values}

    @property
    def further(self) -> tuple[Further, ...]:
        """The metrics that came with this one, except the time shares."""
        return tuple(metric for metric in self._all_further() if metric.name not in PARTS)

    def _all_further(self) -> list[Further]:
        split = [(*key.partition(" ")[::2], value) for key, value in self.secondary.items()]
        return [Further(name=name, unit=unit.strip("[]"), value=value) for name, unit, value in split]

    @property
    def fidelity(self) -> str | None:
        """Of an accuracy, how thorough its training was or is assumed to be, for people."""
        return self.details.get("fidelity")

    @property
    def skill(self) -> float | None:
        """Of a trained accuracy, how far it is above guessing: 0 is chance, 1 is perfect."""
        return self.details.get("skill")

    @property
    def best_epoch(self) -> tuple[int, float] | None:
        """Of a full training, the number of its best epoch and the top-1 accuracy of that epoch, in percent."""
        best = self.details.get("best")
        return (int(best["epoch"]), best["top1"]) if best else None

    @property
    def upper(self) -> float | None:
        """Of a predicted accuracy, the value that it may well reach."""
        return self.details.get("upper")

    @property
    def validity(self) -> str:
        """Of a predicted accuracy, a sentence on how its ranking was checked; empty for others."""
        return str(self.details.get("validity", {}).get("sentence", ""))

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
    """The key, together with the architecture's id, under which a number is stored."""
    return digest({"metric": metric.name, "device": device.facts, "versions": versions, "protocol": protocol})


def differences(
    measurement: Measurement, device: Device, versions: Mapping[str, str], protocol: Mapping[str, Any]
) -> str:
    """Why a measurement has another context than the given one: every value that differs, as a sentence."""
    stored = (measurement.device.facts, measurement.versions, measurement.protocol)
    pairs = zip(stored, (device.facts, versions, protocol), strict=True)
    return "; ".join(
        _change(name, then.get(name), now.get(name))
        for then, now in pairs
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    )


def _change(name: str, then: object, now: object) -> str:
    if any(isinstance(value, (dict, list, tuple)) for value in (then, now)):
        return f"{name} changed"
    return f"{name} was {then}, is {now}"


def digest(data: object) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def now() -> str:
    """The current time in UTC, to the second, in ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
