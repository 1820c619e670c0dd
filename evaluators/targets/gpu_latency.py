"""What latencies on an NVIDIA GPU share: the device, its lock, its state, and the stopwatch's knobs."""

from dataclasses import dataclass
from typing import Any

from evaluators.core.evaluator import always, check_range, choice
from evaluators.core.measurement import Device
from evaluators.stopwatch.rounds import Protocol
from evaluators.targets import gpu
from evaluators.targets.latency import Latency

STOPWATCH = Protocol(warmup_seconds=0.2)  # as trtexec: a GPU at rest first raises its clocks


@dataclass(frozen=True, kw_only=True)
class GpuLatency(Latency):
    """A batch of images on one GPU, in fp16 by default."""

    batch: int = always(1)
    precision: str = choice("fp16", "bf16", "fp32")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("batch", self.batch, 1, 1024)
        check_range("resolution", self.resolution, 32, 1024)

    @property
    def stopwatch(self) -> Protocol:
        """A GPU's."""
        return STOPWATCH

    def device(self) -> Device:
        """The GPU and its driver."""
        return gpu.device()

    def physical(self) -> str:
        """The GPU, by its serial identity."""
        return gpu.physical()

    def state(self) -> dict[str, Any]:
        """Clocks, heat and power."""
        return gpu.state()

    def trouble(self, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        """A throttled or shared GPU."""
        return gpu.trouble(before, after)
