"""From rounds to milliseconds: a ratio with its error, the constant of a device, and repeats combined.

A measurement stores the logarithm v of a network's time over the references', and the standard error of v within its
process. What differs between processes (memory lies elsewhere) no number of rounds shows: its spread tau is
estimated for each device from networks that were measured several times. Milliseconds are exp(v + K), where K is one
constant of the device, the median logarithm of the references' time over its history. It is applied when numbers are
read, to all alike: a machine that was slow for a minute moves no network against another.
"""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.core.measurement import Measurement, Quality
from evaluators.statistics.intervals import normal, student
from evaluators.stopwatch.rounds import Rounds

SCALE = 1.4826  # of the median absolute deviation: the standard deviation of normal noise
MEDIAN_ERROR = 1.25  # standard error of a median over that of a mean, for normal noise
USUAL_SPREAD, WEIGHT = 0.01, 2.0  # between rounds: what is believed before any, and how many rounds that is worth
USUAL_TAU, TAU_WEIGHT = 0.01, 4.0  # between processes: what is believed before any repeat, worth so many repeats
LEAST_TAU = 0.003  # and its floor, however well repeats agree
LARGEST_ERROR = 0.03  # of a measurement that says how far processes differ
HISTORY = 200  # measurements of a device, the latest, over which its constant is the median
CLEAN_SHARE, CLEAN, CORRECTED = 0.98, 0.03, 0.07  # share of CPU; half-widths, as shares of the value
LEVEL = 0.95


def error(ratios: NDArray[np.float64]) -> float:
    """The standard error of the median of ratios' logarithms.

    A belief worth two rounds keeps two equal rounds, or one slow network's, from an error of zero.
    """
    count = len(ratios)
    spread = SCALE * float(np.median(np.abs(ratios - np.median(ratios)))) if count > 1 else USUAL_SPREAD
    believed = (WEIGHT * USUAL_SPREAD**2 + (count - 1) * spread**2) / (WEIGHT + count - 1)
    return MEDIAN_ERROR * math.sqrt(max(believed, spread**2) / count)  # no belief makes a noisy machine calmer


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A network's time over the references': its logarithm, with the standard error within its process."""

    log: float
    error: float
    rounds: int
    reference: float  # logarithm of the references' milliseconds, in the same rounds
    cpu_share: float | None
    processes: int = 1

    @classmethod
    def of(cls, rounds: Rounds) -> "Ratio":
        """What the rounds of one process tell."""
        return cls(
            log=float(np.median(rounds.ratios)),
            error=error(rounds.ratios),
            rounds=len(rounds.ratios),
            reference=float(np.median(rounds.references)) + math.log(1000),
            cpu_share=rounds.cpu_share,
        )

    def variance(self, tau: float) -> float:
        """Of the logarithm: within the process, widened by Student where rounds are few, and between processes."""
        return (self.error * student(LEVEL, WEIGHT + self.rounds - 1) / normal(LEVEL)) ** 2 + tau**2

    def here(self) -> tuple[float, float, float, Quality]:
        """Milliseconds at the speed of these very rounds, both ends of the interval, and the flag; without SciPy."""
        half = normal(LEVEL) * math.hypot(self.error, USUAL_TAU)
        middle = self.log + self.reference
        quality = flag(math.expm1(half), self.rounds, [self.cpu_share])
        return math.exp(middle), math.exp(middle - half), math.exp(middle + half), quality

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for the details of a measurement."""
        return {
            "log_ratio": round(self.log, 6),
            "log_error": round(self.error, 6),
            "rounds": self.rounds,
            "log_reference_ms": round(self.reference, 6),
            "cpu_share": None if self.cpu_share is None else round(self.cpu_share, 4),
            "processes": self.processes,
        }


def ratio_of(measurement: Measurement) -> Ratio | None:
    """The ratio that a measurement stores; None for what was not measured in rounds (the first version's records)."""
    details = measurement.details
    if measurement.metric.kind != "measured" or "log_ratio" not in details:
        return None
    return Ratio(
        log=float(details["log_ratio"]),
        error=float(details["log_error"]),
        rounds=int(details["rounds"]),
        reference=float(details["log_reference_ms"]),
        cpu_share=details.get("cpu_share"),
        processes=int(details.get("processes", 1)),
    )


def described(measurement: Measurement) -> str:
    """How a latency was timed, in words; empty for what our stopwatch did not time."""
    if not (ratio := ratio_of(measurement)):
        return "by the first version's stopwatch" if "stopwatch" in measurement.protocol else ""
    return f"{ratio.rounds} rounds" + (f" in {ratio.processes} processes" if ratio.processes > 1 else "")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What is known of a device: its constant K with the standard error, and the spread tau between processes."""

    constant: float
    constant_error: float = 0.0
    tau: float = USUAL_TAU
    measurements: int = 1
    repeats: int = 0  # beyond the first of each network: what tau is estimated from

    def combined(self, ratios: Sequence[Ratio]) -> tuple[float, float]:
        """The logarithm of a network's ratio, and half of its 95 % interval: its repeats by inverse variance.

        The interval leaves out the constant's own error, which all networks of the device share.
        """
        weights = [1 / ratio.variance(self.tau) for ratio in ratios]
        log = sum(weight * ratio.log for weight, ratio in zip(weights, ratios, strict=True)) / sum(weights)
        return round(log, 6) if len(ratios) > 1 else ratios[0].log, normal(LEVEL) / math.sqrt(sum(weights))

    def applied(self, measurements: Sequence[Measurement]) -> Measurement:
        """All measurements of one network in one context as one, in milliseconds at the device's typical speed."""
        ratios = [ratio for each in measurements if (ratio := ratio_of(each))]
        log, half = self.combined(ratios)
        quality = flag(math.expm1(half), sum(ratio.rounds for ratio in ratios), [ratio.cpu_share for ratio in ratios])
        latest, middle = measurements[-1], log + self.constant
        details = latest.details | {
            "log_ratio": log,
            "first_log_ratio": ratios[0].log,
            "log_error": half / normal(LEVEL),
            "rounds": sum(ratio.rounds for ratio in ratios),
            "processes": len(ratios),
            "constant_error": self.constant_error,
            "tau": self.tau,
        }
        return replace(
            latest,
            value=math.exp(middle),
            low=math.exp(middle - half),
            high=math.exp(middle + half),
            samples=details["rounds"],
            quality=quality,
            warnings=advice(quality, half) + _others(latest),
            details=details,
        )


def flag(half_width: float, rounds: int, shares: Sequence[float | None]) -> Quality:
    """`clean`, `corrected` (the machine was not calm, the references made up for it), or `noisy`."""
    undisturbed = all(share is None or share >= CLEAN_SHARE for share in shares)
    if undisturbed and half_width <= CLEAN:
        return "clean"
    return "corrected" if rounds >= 6 and half_width <= CORRECTED else "noisy"


NOISY = "noisy: "


def advice(quality: Quality, half_width: float) -> tuple[str, ...]:
    """What to do about a flag; nothing where there is nothing to do."""
    if quality != "noisy":
        return ()
    return (f"{NOISY}the 95 % interval is ±{half_width:.1%}: close other programs and measure again",)


def _others(measurement: Measurement) -> tuple[str, ...]:
    return tuple(warning for warning in measurement.warnings if not warning.startswith(NOISY))


class DeviceHistory:
    """What was measured on a device with one clock, in order; it grows, and is never gone through again."""

    def __init__(self) -> None:
        self._references: deque[float] = deque(maxlen=HISTORY)
        self._measurements = 0
        self._repeats: defaultdict[str, list[Ratio]] = defaultdict(list)  # by network and context
        self._differences: list[float] = []  # between repeats
        self._errors: list[float] = []  # of measurements that have repeats
        self._freedom = 0

    def add(self, key: str, ratio: Ratio) -> None:
        """Adds a measurement of what the key names: a network in a context."""
        self._references.append(ratio.reference)
        self._measurements += 1
        if ratio.error > LARGEST_ERROR:  # noisy measurements are repeated most, and say least of the spread
            return
        earlier = self._repeats[key]
        if earlier:
            self._differences += [abs(ratio.log - other.log) for other in earlier]
            self._errors += [each.error for each in (*earlier[: len(earlier) == 1], ratio)]
            self._freedom += 1
        earlier.append(ratio)

    def calibration(self) -> Calibration:
        """What it tells of the device.

        Raises:
            ValueError: there is no history.
        """
        if not self._measurements:
            raise ValueError("a device without any measurement has no constant")
        constant = median(self._references)
        spread = SCALE * median(abs(log - constant) for log in self._references)
        return Calibration(
            constant=constant,
            constant_error=MEDIAN_ERROR * spread / math.sqrt(len(self._references)),
            tau=self._tau(),
            measurements=self._measurements,
            repeats=self._freedom,
        )

    def _tau(self) -> float:
        """The spread between processes, pooled over networks that were measured several times.

        The median of differences between repeats resists the few that a disturbance spoilt; the rounds' own error is
        taken off, and few repeats are shrunk towards what is usual.
        """
        if not self._freedom:
            return USUAL_TAU
        excess = (SCALE * median(self._differences)) ** 2 / 2 - median(self._errors) ** 2
        variance = (TAU_WEIGHT * USUAL_TAU**2 + self._freedom * excess) / (TAU_WEIGHT + self._freedom)
        return math.sqrt(max(LEAST_TAU**2, variance))


def calibrate(measured: Iterable[tuple[str, Ratio]]) -> Calibration:
    """What a device's history tells: pairs of a network's key and its ratio, in the order in which they were measured.

    Raises:
        ValueError: there is no history.
    """
    history = DeviceHistory()
    for key, ratio in measured:
        history.add(key, ratio)
    return history.calibration()
