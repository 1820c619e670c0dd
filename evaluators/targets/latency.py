"""What every latency shares: the stopwatch, the reference network beside each candidate, comparing two in pairs.

A plug-in writes `_running`, which makes a network ready to run, and says of its run-time what `Evaluator` asks.
"""

import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.locks import exclusive
from evaluators.core.measurement import Direction, Kind, Reading
from evaluators.stopwatch.timing import Clock, Protocol, Timing, measure, ratio
from evaluators.targets import cpu
from search_spaces import Architecture
from search_spaces.common.errors import Unavailable

# Timed beside every candidate, by a quicker protocol, so that a change of the machine is told from one of the network.
REFERENCE = Architecture.from_notation("C-C-CT-C")
REFERENCE_PROTOCOL = Protocol(warmup_seconds=0.05, block_seconds=0.02, blocks=5, seconds=0.1, limit_seconds=1.0)
# Beyond this the machine is not the one that it was. Within it nothing is rescaled: over 16 processes, dividing by the
# reference raised the coefficient of variation of one network from 1.4 to 2.0 %.
ACCEPTED_DRIFT, ATTEMPTS = 0.05, 3


@dataclass(frozen=True, kw_only=True)
class Running:
    """A network that is ready to run: how to run it once, and by which clocks."""

    once: Callable[[], object]
    cpu: Clock | None = None  # the CPU time of the one thread that does the work
    reported: Clock | None = None  # the seconds of the last run, where the run-time itself tells them
    warnings: tuple[str, ...] = ()
    secondary: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Latency(Evaluator):
    """The time of one inference on a device, measured there."""

    unit: ClassVar[str] = "ms"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "measured"

    resolution: int = 224

    @property
    def stopwatch(self) -> Protocol:
        """The knobs of the stopwatch."""
        return Protocol()

    @abstractmethod
    def _running(self, architecture: Architecture, resolution: int) -> AbstractContextManager[Running]:
        """The network, ready to run at that resolution. Fails if the run-time does not do what was asked."""

    def _opened(self, path: Path, resolution: int) -> AbstractContextManager[Running]:
        """A network from a file of this run-time's own format, ready to run."""
        raise Unavailable(f"{self.name()} times no files", "nas measure times the architecture")

    def time_file(self, path: Path) -> Timing:
        """Times an exported network, here, by the stopwatch of every candidate; waits until the device is free.

        Raises:
            Unavailable: this run-time reads no files, or is not here.
        """
        if reason := self.missing():
            raise reason
        with exclusive(self.physical()), self._opened(path, self.resolution) as running:
            return self._clock(running)

    def state(self) -> dict[str, Any]:
        """What may disturb a measurement here and now."""
        return cpu.state()

    def trouble(self, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        """Warnings that the machine's states before and after a measurement call for."""
        return ()

    def protocol(self) -> dict[str, Any]:
        """The options, every knob of the stopwatch, and the reference network."""
        return {**super().protocol(), "stopwatch": self.stopwatch.to_dict(), "reference": REFERENCE.id}

    def ratio(self, first: Architecture, second: Architecture, seed: int = 0) -> float:
        """How many times slower the second network is, both alternating in this process."""
        with self._running(first, self.resolution) as one, self._running(second, self.resolution) as other:
            return ratio(
                (one.once, other.once),
                self.stopwatch,
                cpu=one.cpu,
                reported=(one.reported, other.reported),
                seed=seed,
            )

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        with ExitStack() as open_networks:
            running = open_networks.enter_context(self._running(architecture, self.resolution))
            reference = open_networks.enter_context(self._running(REFERENCE, max(32, self.resolution // 2)))
            before = self.state()
            timing, beside, drift, attempts = self._time(running, reference, baseline)
            trouble = self.trouble(before, self.state())
        details = {"reference_ms": round(beside.minimum, 4), "drift": round(drift, 4), "attempts": attempts, **before}
        return _reading(timing, drift, running, trouble, details)

    def _time(self, running: Running, reference: Running, baseline: float | None) -> tuple[Timing, Timing, float, int]:
        """The network's time and the reference's beside it; while that one is slow, waits and looks again.

        The network itself is timed again only if the machine came back: for a machine that stays slow it is in vain.
        """
        timing, attempt = self._clock(running), 1
        beside, drift = self._beside(reference, baseline)
        while abs(drift) > ACCEPTED_DRIFT and attempt < ATTEMPTS:
            time.sleep(0.5 * attempt)
            attempt += 1
            beside, drift = self._beside(reference, baseline)
            if abs(drift) <= ACCEPTED_DRIFT:
                timing = self._clock(running)
                beside, drift = self._beside(reference, baseline)
        return timing, beside, drift, attempt

    def _clock(self, running: Running) -> Timing:
        return measure(running.once, self.stopwatch, cpu=running.cpu, reported=running.reported)

    def _beside(self, reference: Running, baseline: float | None) -> tuple[Timing, float]:
        """The reference network's time, and how far it is off. Its minimum: only the machine's speed is asked."""
        beside = measure(reference.once, REFERENCE_PROTOCOL, cpu=reference.cpu, reported=reference.reported)
        return beside, beside.minimum / baseline - 1 if baseline else 0.0


def _reading(
    timing: Timing, drift: float, running: Running, trouble: tuple[str, ...], details: dict[str, Any]
) -> Reading:
    """The median with its interval, flagged where the machine was not calm."""
    quality, warnings = timing.quality, [*running.warnings, *trouble]
    if abs(drift) > ACCEPTED_DRIFT:
        quality = "drifted"
        warnings.append(f"the reference network ran {drift:+.1%} against its first time here: measure again when calm")
    if timing.quality == "noisy":
        warnings.append(f"the 95 % interval is ±{timing.half_width:.1%}: close other programs and measure again")
    if timing.quality == "cpu_time":
        warnings.append("other programs took the CPU: the thread's own CPU time stands in for wall time")
    for name in ("p10", "p90", "minimum", "clean", "outliers", "cpu_share", "warmup_seconds", "inferences_per_sample"):
        value = getattr(timing, name)
        details[name] = round(value, 4) if isinstance(value, float) else value
    return Reading(
        value=timing.median,
        low=timing.low,
        high=timing.high,
        samples=timing.samples,
        quality=quality,
        warnings=tuple(warnings),
        secondary=running.secondary,
        details=details | running.details,
    )
