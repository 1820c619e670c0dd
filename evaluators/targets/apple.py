"""Apple's own calls, and nothing else: loading and running a Core ML model, its compute plan, the Mac and its state.

They exist on macOS alone. Tests put a stand-in in the place of this module, and of this module only.
"""

import asyncio
import os
import platform
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from search_spaces.common.errors import Unavailable

WAYS_ON = (
    "measure on a Mac over SSH: --latency coreml@ssh:USER@MAC\n"
    "  or copy the database there later: nas measure RUN --front --latency coreml, then nas merge"
)


def missing() -> Unavailable | None:
    """Why Core ML cannot run here."""
    if platform.system() != "Darwin":
        return Unavailable(f"Core ML runs on macOS alone, and this is {platform.system()}", WAYS_ON)
    if platform.processor() != "arm":  # under Rosetta no program sees the Neural Engine
        return Unavailable("this Python is not native to the Mac's processor", "install an arm64 Python")
    try:
        from coremltools.libcoremlpython import _MLModelProxy  # noqa: F401
    except ImportError as error:
        return Unavailable(f"coremltools cannot reach Core ML: {error}", "pip install --force-reinstall coremltools")
    return None


@cache
def facts() -> dict[str, Any]:
    """What identifies this Mac: its chip and its system."""
    return {
        "kind": "apple",
        "chip": _told("sysctl", "-n", "machdep.cpu.brand_string"),
        "system": f"macOS {_told('sw_vers', '-productVersion')} ({_told('sw_vers', '-buildVersion')})",
    }


def state() -> dict[str, Any]:
    """What may slow the Mac down now: `CPU_Speed_Limit` below 100 is heat, and a battery saves power."""
    thermal, power = _told("pmset", "-g", "therm"), _told("pmset", "-g", "batt")
    limits = [line.partition("=")[2].strip() for line in thermal.splitlines() if "CPU_Speed_Limit" in line]
    return {
        "load": round(os.getloadavg()[0], 2),
        "speed_limit": int(limits[0]) if limits else 100,
        "power": "battery" if "Battery Power" in power else "mains",
    }


def _told(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # no Mac
        return ""


@cache
def phone_facts(name: str) -> dict[str, Any]:
    """What identifies a phone that is paired with this Mac; its name alone where there is no Mac to ask."""
    if missing():
        return {"kind": "phone", "name": name}
    device = _paired(name)
    return {"kind": "phone", "name": name, "model": str(device.type), "system": device.os_version}


def _paired(name: str) -> Any:
    from coremltools.models.ml_program.experimental.remote_device import Device

    devices = {device.name: device for device in Device.get_devices()}
    if name not in devices:
        known = ", ".join(devices) or "none"
        raise Unavailable(f"no device is called '{name}' (paired: {known})", "pair it in Xcode's Devices window")
    return devices[name]


class Loaded:
    """A Core ML model, loaded on this Mac for its compute units; the Mac stays awake as long as this process lives."""

    def __init__(self, package: Path, units: str) -> None:
        import coremltools

        subprocess.Popen(["caffeinate", "-i", "-w", str(os.getpid())])
        self.units = getattr(coremltools.ComputeUnit, units.upper())
        self.model = coremltools.models.MLModel(str(package), compute_units=self.units)

    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """One prediction."""
        outputs: dict[str, Any] = self.model.predict(inputs)
        return outputs

    def predict_seconds(self) -> float:
        """The time of the last prediction inside Core ML, without Python's share."""
        return float(self.model.last_predict_duration_in_nano_seconds) / 1e9

    def load_seconds(self) -> float:
        """The time that loading took, compiling for the Neural Engine included."""
        return float(self.model.load_duration_in_nano_seconds) / 1e9

    def placement(self) -> Counter[str]:
        """How many operators the compute plan would run on each device; constants run nowhere."""
        from coremltools.models.compute_plan import MLComputePlan

        plan = MLComputePlan.load_from_path(self.model.get_compiled_model_path(), self.units)
        operations = plan.model_structure.program.functions["main"].block.operations
        usages = (plan.get_compute_device_usage_for_mlprogram_operation(each) for each in operations)
        names = (type(usage.preferred_compute_device).__name__ for usage in usages if usage)
        return Counter(name.removeprefix("ML").removesuffix("ComputeDevice") for name in names)


class Phone:
    """An iPhone or iPad that is paired with this Mac, reached with coremltools' own remote device tooling.

    It installs Apple's ModelRunner app, which needs Xcode, a signing team, Developer Mode and iOS 17 or later.
    """

    def __init__(self, name: str, team: str) -> None:
        from coremltools.models.ml_program.experimental import remote_device

        self.loop = asyncio.new_event_loop()
        credentials = remote_device.AppSigningCredentials(development_team=team)
        self.device = self.loop.run_until_complete(_paired(name).prepare_for_model_debugging(credentials=credentials))

    def milliseconds(self, package: Path, units: str, iterations: int) -> list[float]:
        """So many predictions on the phone, after one that does not count. It rests for seconds between them."""
        import coremltools
        from coremltools.models.ml_program.experimental.perf_utils import MLModelBenchmarker

        unit = getattr(coremltools.ComputeUnit, units.upper())
        model = coremltools.models.MLModel(str(package), compute_units=unit, skip_model_load=True)
        benchmarker = MLModelBenchmarker(model, device=self.device)
        measured = self.loop.run_until_complete(benchmarker.benchmark_predict(iterations=iterations, warmup=True))
        return [float(sample) for sample in measured.samples]
