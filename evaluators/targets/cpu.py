"""This machine's CPU as a device: what identifies it, and its present state."""

import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from evaluators.core.measurement import Device


def device(variant: Mapping[str, Any] | None = None) -> Device:
    """The CPU of this machine, or a variant of its use (`threads=2`), which is a device of its own.

    The facts are what a latency depends on and what does not change from run to run.
    """
    model = _model()
    cores = os.cpu_count() or 1
    facts = {"kind": "cpu", "model": model, "cores": cores, "machine": platform.machine(), "system": platform.system()}
    used = "".join(f", {name} {str(value).lower()}" for name, value in (variant or {}).items())
    return Device(label=f"{model}, {cores} cores{used}", facts={**facts, **(variant or {})})


@cache
def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.machine())


def state() -> dict[str, Any]:
    """What may disturb a measurement now: the load, and the frequency governor where the system tells it."""
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "governor": governor.read_text().strip() if governor.exists() else None,
    }
