"""What every latency shares: a network timed in rounds with two references, and two networks compared in rounds.

A plug-in writes `_running`, which makes a network ready to run, and says of its run-time what `Evaluator` asks.
"""

import math
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.locks import exclusive
from evaluators.core.measurement import Direction, Kind, Reading, digest
from evaluators.stopwatch.calibration import Ratio, advice, error
from evaluators.stopwatch.rounds import Protocol, Timed, measure
from evaluators.targets import cpu
from search_spaces import Architecture, Network
from search_spaces.common.errors import Unavailable


@dataclass(frozen=True)
class Reference:
    """A network that alternates with every candidate, at its own resolution, so many times a round."""

    notation: str
    resolution: int
    runs: int

    @property
    def architecture(self) -> Architecture:
        """The network itself."""
        return Architecture.from_notation(self.notation)


# A small one, which is quick to feel what slows the machine, and one of the candidates' own kind: both together
# corrected better than either of them (the coefficient of variation was 2.4 % against 2.8 and 3.0 %).
REFERENCES = (Reference("C-C-CT-C", 112, runs=2), Reference("CC-CCT-CCCT-CT", 160, runs=1))


@dataclass(frozen=True, kw_only=True)
class Running(Timed):
    """A network that is ready to run, with what its run-time says of it."""

    warnings: tuple[str, ...] = ()
    secondary: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Latency(Evaluator):
    """The time of one inference on a device, measured there."""

    unit: ClassVar[str] = "ms"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "measured"
    revision: ClassVar[int] = 2  # rounds with references; the first version's stopwatch took the network alone

    resolution: int = 224

    @property
    def stopwatch(self) -> Protocol:
        """The knobs of the stopwatch."""
        return Protocol()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The networks that alternate with a candidate; none where a device answers too seldom for it."""
        return REFERENCES

    @property
    def opens_early(self) -> bool:
        """Whether making networks ready disturbs no measurement of another process on the same device."""
        return False

    @abstractmethod
    def _running(self, network: Any, resolution: int) -> AbstractContextManager[Running]:
        """The network, ready to run at that resolution. Fails if the run-time does not do what was asked.

        Without `peers`, every network is an `Architecture`; with it, any `Network`.
        """

    def _reference(self, architecture: Architecture, resolution: int) -> AbstractContextManager[Timed]:
        """A reference, ready to run: only its time is of interest."""
        return self._running(architecture, resolution)

    def _opened(self, path: Path, resolution: int) -> AbstractContextManager[Running]:
        """A network from a file of this run-time's own format, ready to run."""
        raise Unavailable(f"{self.name()} times no files", "nas measure times the architecture")

    def time_file(self, path: Path) -> Reading:
        """Times an exported network, here, by the stopwatch of every candidate; waits until the device is free.

        Raises:
            Unavailable: this run-time reads no files, or is not here.
        """
        if reason := self.missing():
            raise reason
        with exclusive(self.physical()), self._opened(path, self.resolution) as running:
            return self._timed(running)

    def state(self) -> dict[str, Any]:
        """What may disturb a measurement here and now."""
        return cpu.state()

    def trouble(self, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        """Warnings that the machine's states before and after a measurement call for."""
        return ()

    def protocol(self) -> dict[str, Any]:
        """The options, every knob of the stopwatch, and the references."""
        references = [asdict(reference) for reference in self.references]
        return {**super().protocol(), "stopwatch": self.stopwatch.to_dict(), "references": references}

    def ratio(self, first: Network, second: Network, seed: int = 0) -> float:
        """How many times slower the second network is, both alternating in this process.

        Raises:
            MeasurementFailed: it cannot measure networks of their families.
        """
        self.check(first)
        self.check(second)
        with self._running(first, self.resolution) as one, self._running(second, self.resolution) as other:
            rounds = measure(other, [one], self.stopwatch, error=error, seed=seed)
        return math.exp(Ratio.of(rounds).log)

    def _read(self, architecture: Network) -> Reading:
        key = self.spec, architecture
        stack, running = _NETWORKS.pop(key) if key in _NETWORKS else self._open(architecture)
        with stack:
            return self._timed(running)

    def _timed(self, running: Running) -> Reading:
        with self._references() as references:
            before = self.state()
            rounds = measure(running, references, self.stopwatch, error=error)
            trouble = self.trouble(before, self.state())
        ratio = Ratio.of(rounds)
        value, low, high, quality = ratio.here()
        times = [round(1000 * float(seconds), 4) for seconds in rounds.medians]
        details = {"seconds": round(rounds.elapsed, 3), "references_ms": times[1:], "clock": self.clock()}
        return Reading(
            value=value,
            low=low,
            high=high,
            samples=ratio.rounds,
            quality=quality,
            warnings=(*advice(quality, high / value - 1), *running.warnings, *trouble),
            secondary=running.secondary,
            details=ratio.to_dict() | details | before | running.details,
        )

    def clock(self) -> str:
        """The key under which a device's references are remembered: whatever changes their time, and no resolution."""
        settings = {name: value for name, value in self.protocol().items() if name != "resolution"}
        return digest({"device": self.device().facts, "versions": self.versions(), "settings": settings})

    def prepare(self) -> None:
        """Imports modules, and opens the references where that disturbs nobody: a candidate need not wait for them."""
        super().prepare()
        if self.opens_early:
            _REFERENCES[self.spec] = self._open_references()

    def open(self, architecture: Network) -> None:
        """Makes a network ready where that disturbs nobody: its measurement then needs the device for its rounds only.

        Raises:
            Unavailable: this machine cannot measure it.
            MeasurementFailed: it cannot be built.
        """
        if reason := self.missing():
            raise reason
        self.check(architecture)
        if self.opens_early:
            _NETWORKS[self.spec, architecture] = self._open(architecture)

    def _open(self, architecture: Network) -> tuple[ExitStack, Running]:
        """The network, ready to run, and the stack that closes it."""
        start = time.perf_counter()
        with ExitStack() as stack:
            running = stack.enter_context(self._running(architecture, self.resolution))
            running.details["opening_seconds"] = round(time.perf_counter() - start, 3)
            return stack.pop_all(), running

    @contextmanager
    def _references(self) -> Iterator[list[Timed]]:
        stack, references = _REFERENCES.pop(self.spec) if self.spec in _REFERENCES else self._open_references()
        with stack:
            yield references

    def _open_references(self) -> tuple[ExitStack, list[Timed]]:
        """The references, ready to run, and the stack that closes them."""
        with ExitStack() as stack:
            opened: list[Timed] = [
                replace(stack.enter_context(self._reference(each.architecture, each.resolution)), runs=each.runs)
                for each in self.references
            ]
            return stack.pop_all(), opened


# What waits in this process for its measurement: networks, and by spec the references of the first of them.
_NETWORKS: dict[tuple[str, Network], tuple[ExitStack, Running]] = {}
_REFERENCES: dict[str, tuple[ExitStack, list[Timed]]] = {}
