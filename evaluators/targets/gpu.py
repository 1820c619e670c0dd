"""An NVIDIA GPU as a device: what identifies it, its present state, and two launches in flight with events between.

The facts come from the driver through NVML (nvidia-ml-py), so that neither torch nor TensorRT need be loaded to know
what is here. Clocks are recorded, never set: the GPU may not be ours.
"""

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from evaluators.core.measurement import Device
from search_spaces.common.errors import Unavailable

THROTTLING = {  # bits of nvmlDeviceGetCurrentClocksEventReasons that slow a kernel down (NVML API reference)
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


def missing() -> Unavailable | None:
    """Why there is no NVIDIA GPU to measure on."""
    try:
        import pynvml
    except ImportError as error:
        return Unavailable(f"nvidia-ml-py cannot be imported: {error}", "pip install nvidia-ml-py")
    try:
        _handle()
    except pynvml.NVMLError as error:
        return Unavailable(
            f"there is no NVIDIA GPU here: the driver says '{error}'",
            "name a machine that has one: NAME@ssh:USER@HOST, or measure there later: nas measure RUN --front",
        )
    return None


@cache
def _handle() -> Any:
    """NVML's handle of the first GPU that CUDA would see."""
    import pynvml

    pynvml.nvmlInit()
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    if first.startswith("GPU-"):
        return pynvml.nvmlDeviceGetHandleByUUID(first)
    return pynvml.nvmlDeviceGetHandleByIndex(int(first) if first.isdigit() else 0)


def device() -> Device:
    """The GPU and its driver; a nameless one where there is none, so that a spec can be spoken of anywhere."""
    if missing():
        return Device(label="no NVIDIA GPU", facts={"kind": "gpu"})
    facts = _facts()
    return Device(label=f"{facts['model']}, driver {facts['driver']}", facts=facts)


@cache
def _facts() -> dict[str, Any]:
    import pynvml

    handle = _handle()
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return {
        "kind": "gpu",
        "model": _text(pynvml.nvmlDeviceGetName(handle)),
        "memory_mib": pynvml.nvmlDeviceGetMemoryInfo(handle).total >> 20,
        "capability": f"{major}.{minor}",
        "driver": _text(pynvml.nvmlSystemGetDriverVersion()),
    }


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value  # older bindings give bytes


def physical() -> str:
    """The GPU that one evaluation at a time may use."""
    if missing():
        return "gpu"
    import pynvml

    return _text(pynvml.nvmlDeviceGetUUID(_handle()))


def memory() -> int:
    """The GPU's memory, in MiB; 0 where none can be asked."""
    return 0 if missing() else int(_facts()["memory_mib"])


def supports(precision: str) -> bool:
    """Whether the GPU computes in that precision: bf16 came with capability 8.0."""
    return precision != "bf16" or bool(missing()) or float(_facts()["capability"]) >= 8.0


def state() -> dict[str, Any]:
    """Clocks, heat, power and what holds the clocks down, now."""
    import pynvml

    handle = _handle()
    reasons = getattr(pynvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
    reasons = reasons or pynvml.nvmlDeviceGetCurrentClocksThrottleReasons  # its name before driver 535
    bits = reasons(handle)
    return {
        "sm_clock_mhz": pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM),
        "memory_clock_mhz": pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_MEM),
        "temperature_c": pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU),
        "power_w": round(pynvml.nvmlDeviceGetPowerUsage(handle) / 1000, 1),
        "throttled_by": [name for bit, name in THROTTLING.items() if bits & bit],
        "processes": len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)),
    }


def trouble(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Warnings for a GPU that was slowed down, or that somebody else used too."""
    warnings = []
    if reasons := sorted({*before["throttled_by"], *after["throttled_by"]}):
        warnings.append(f"the GPU was slowed down by {', '.join(reasons)}: let it rest and measure again")
    if max(before["processes"], after["processes"]) > 1:
        warnings.append("other processes used the GPU: measure again when it is free")
    return tuple(warnings)


class Event(Protocol):
    """A mark in the GPU's stream of work."""

    def record(self) -> None:
        """Puts the mark behind what was launched so far."""

    def synchronize(self) -> None:
        """Waits until the GPU has come to it."""

    def milliseconds_since(self, earlier: "Event") -> float:
        """The GPU's own time between two marks."""


class Pipeline:
    """Runs a network with the next launch always queued behind the one that runs, so that the GPU never idles.

    That is what trtexec does, and `reported` is what it calls GPU compute time: the time between two events around
    the launch, transfers left out.
    """

    def __init__(self, launch: Callable[[], object], event: Callable[[], Event]) -> None:
        self.launch = launch
        self.pairs = [(event(), event()), (event(), event())]
        self.turn, self.seconds = 0, 0.0
        self.details: dict[str, Any] = {"enqueue_ms": 0.0}
        self._start(0)

    def _start(self, which: int) -> None:
        begin, end = self.pairs[which]
        start = time.perf_counter()
        begin.record()
        self.launch()
        end.record()
        self.details["enqueue_ms"] = round(1000 * (time.perf_counter() - start), 4)

    def once(self) -> None:
        """Queues the next run and waits for the one before it."""
        self._start(1 - self.turn)
        begin, end = self.pairs[self.turn]
        end.synchronize()
        self.seconds = end.milliseconds_since(begin) / 1000
        self.turn = 1 - self.turn

    def reported(self) -> float:
        """The seconds of that run."""
        return self.seconds
