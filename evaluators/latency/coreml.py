"""Latency under Core ML, on a Mac or on an iPhone through its Mac.

The number is the median of Core ML's own prediction time, sustained: the first seconds, before the chip settles, do
not count unless `burst` asks for them. The share of operators that the compute plan places on the Neural Engine comes
with it: one operator that falls back costs more than any choice of blocks.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evaluators.core import scratch
from evaluators.core.evaluator import check_range, choice
from evaluators.core.measurement import Device
from evaluators.stopwatch.timing import Protocol
from evaluators.targets import apple
from evaluators.targets.latency import Latency, Running
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, Unavailable, UsageError

SUSTAINED = Protocol(
    warmup_seconds=3, warmup_limit_seconds=8, block_seconds=0.1, seconds=3, limit_seconds=15, half_width=0.03
)
BURST = Protocol(warmup_seconds=0.1, warmup_limit_seconds=1, seconds=0.5, half_width=0.03)
# A phone is asked for thirty predictions at a time, which takes minutes: a block is what one asking brings.
SPORADIC = Protocol(warmup_runs=1, warmup_seconds=0, block_seconds=0, blocks=90, seconds=0, limit_seconds=3600)
PHONE_PREDICTIONS = 30
NEURAL_ENGINE = "neural_engine_operators [%]"


@dataclass(frozen=True, kw_only=True)
class Coreml(Latency):
    """An ML program in fp16 for iOS 16 by default; `units` as Core ML names them, `phone` (TEAM/NAME) for an iPhone."""

    packages: ClassVar[tuple[str, ...]] = ("coremltools",)
    imports: ClassVar[tuple[str, ...]] = ("evaluators.graphs.mil_graph",)

    batch: int = 1
    units: str = choice("all", "cpu_and_ne", "cpu_and_gpu", "cpu_only")
    precision: str = choice("fp16", "fp32")
    target: str = choice("iOS16", "iOS15", "iOS17", "iOS18")
    burst: bool = False
    phone: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("batch", self.batch, 1, 256)
        check_range("resolution", self.resolution, 32, 1024)
        if self.phone and not all(self.phone.partition("/")):
            raise UsageError(
                f"phone expects the signing team of an Apple account and the phone's name, got '{self.phone}'",
                "for example 'coreml:phone=ABCDE12345/Ada's iPhone'",
            )

    @property
    def stopwatch(self) -> Protocol:
        """Sustained unless a burst was asked for; a phone answers now and then."""
        return SPORADIC if self.phone else BURST if self.burst else SUSTAINED

    def missing(self) -> Unavailable | None:
        """Why there is no Core ML here, and the two ways on."""
        return apple.missing()

    def device(self) -> Device:
        """This Mac, or the phone: a Mac's number is not an iPhone's."""
        if self.phone:
            facts = apple.phone_facts(self.phone.partition("/")[2])
            return Device(label=f"{facts['name']}, through its Mac", facts=facts)
        facts = apple.facts()
        return Device(label=f"{facts['chip']}, {facts['system']}, units {self.units}", facts=facts)

    def state(self) -> dict[str, Any]:
        """Heat, power and load of the Mac."""
        return apple.state()

    def trouble(self, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        """A Mac that is hot or on its battery runs slower than it can."""
        states, warnings = (before, after), []
        if any(state["speed_limit"] < 100 for state in states):
            warnings.append("the Mac was slowed down by heat: let it cool and measure again")
        if any(state["power"] == "battery" for state in states):
            warnings.append("the Mac ran on its battery: connect it to mains power and measure again")
        return tuple(warnings)

    @contextmanager
    def _running(self, architecture: Architecture, resolution: int) -> Iterator[Running]:
        with tempfile.TemporaryDirectory(prefix="coreml-", dir=scratch.folder()) as folder:
            package = self.convert(architecture, Path(folder) / "network.mlpackage", resolution)
            yield self._on_phone(package) if self.phone else self._on_mac(package, architecture, resolution)

    def convert(self, architecture: Architecture, package: Path, resolution: int) -> Path:
        """Writes the model package of an architecture, with random weights. Works on every system."""
        from evaluators.graphs import mil_graph

        model = mil_graph.convert(
            architecture,
            mil_graph.random_weights(),
            batch=self.batch,
            resolution=resolution,
            target=self.target,
            precision=self.precision,
            units=self.units,
        )
        model.save(str(package))
        return package

    def _on_mac(self, package: Path, architecture: Architecture, resolution: int) -> Running:
        import numpy as np

        loaded = apple.Loaded(package, self.units)
        shape = (self.batch, 3, resolution, resolution)
        inputs = {"images": np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
        if not np.isfinite(loaded.predict(inputs)["logits"]).all():
            raise MeasurementFailed("the network's output is not finite", f"{architecture} at {resolution} px")
        placement = loaded.placement()
        share = 100 * placement["NeuralEngine"] / max(1, placement.total())
        return Running(
            once=lambda: loaded.predict(inputs),
            reported=loaded.predict_seconds,
            secondary={NEURAL_ENGINE: round(share, 2)},
            details={"placement": dict(placement), "load_seconds": round(loaded.load_seconds(), 4)},
        )

    def _on_phone(self, package: Path) -> Running:
        team, _, name = self.phone.partition("/")
        phone, samples = apple.Phone(name, team), []  # type: tuple[apple.Phone, list[float]]

        def once() -> None:
            if len(samples) <= 1:
                samples[:] = phone.milliseconds(package, self.units, PHONE_PREDICTIONS)
            else:
                samples.pop()

        warning = "sporadic: the phone rests between predictions, so that its clocks fall; compare with its like alone"
        return Running(once=once, reported=lambda: samples[-1] / 1000, warnings=(warning,))
