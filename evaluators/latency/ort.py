"""Latency under ONNX Runtime on this machine's CPU: the default, because every machine has it."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evaluators.common import cpu
from evaluators.common.evaluator import Evaluator, check_range
from evaluators.common.measurement import Device, Direction, Kind, Reading
from evaluators.common.timing import Protocol, Timing, measure
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

# Timed beside every candidate, by a quicker protocol, so that a change of the machine is told from one of the network.
REFERENCE = Architecture.from_notation("C-C-CT-C")
REFERENCE_PROTOCOL = Protocol(warmup_seconds=0.05, block_seconds=0.02, blocks=5, seconds=0.1, limit_seconds=1.0)
# Beyond this the machine is not the one that it was. Within it nothing is rescaled: over 16 processes, dividing by the
# reference raised the coefficient of variation of one network from 1.4 to 2.0 %.
ACCEPTED_DRIFT, ATTEMPTS = 0.05, 3


@dataclass(frozen=True, kw_only=True)
class Ort(Evaluator):
    """ONNX Runtime, CPU execution provider, fp32, all graph optimisations.

    One thread by default, and no spinning: two spinning threads on a busy host took 1.8 times as long as one.
    """

    unit: ClassVar[str] = "ms"
    direction: ClassVar[Direction] = "minimize"
    kind: ClassVar[Kind] = "measured"
    packages: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    batch: int = 1
    resolution: int = 224
    threads: int = 1

    def __post_init__(self) -> None:
        check_range("batch", self.batch, 1, 256)
        check_range("resolution", self.resolution, 32, 1024)
        check_range("threads", self.threads, 1, 256)

    def device(self) -> Device:
        """This machine's CPU."""
        return cpu.device()

    def protocol(self) -> dict[str, Any]:
        """The options, every knob of the stopwatch, the reference network, and how the session is set up."""
        session = {"precision": "fp32", "optimization": "all", "spinning": False}
        return {**super().protocol(), **session, "stopwatch": Protocol().to_dict(), "reference": REFERENCE.id}

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        with tempfile.TemporaryDirectory(prefix="nas-ort-") as folder:
            run = self._session(architecture, Path(folder) / "candidate", self.resolution)
            reference = self._session(REFERENCE, Path(folder) / "reference", max(32, self.resolution // 2))
            return self._time(run, reference, baseline)

    def _time(self, run: Callable[[], object], reference: Callable[[], object], baseline: float | None) -> Reading:
        clock = time.thread_time if self.threads == 1 else None
        state = cpu.state()
        for attempt in range(1, ATTEMPTS + 1):
            timing = measure(run, cpu=clock)
            beside = measure(reference, REFERENCE_PROTOCOL, cpu=clock)
            drift = beside.minimum / baseline - 1 if baseline else 0.0  # the minimum: only the machine's speed is asked
            if abs(drift) <= ACCEPTED_DRIFT:
                break
            time.sleep(0.5 * attempt)
        details = {"reference_ms": round(beside.minimum, 4), "drift": round(drift, 4), "attempts": attempt, **state}
        return _reading(timing, drift, details)

    def _session(self, architecture: Architecture, folder: Path, resolution: int) -> Callable[[], object]:
        """One inference of the architecture, as a function. Fails if the run-time does not do what was asked."""
        import numpy as np
        import onnxruntime

        from evaluators.common import onnx_graph

        weights = onnx_graph.SharedWeights()
        graph = onnx_graph.build(architecture, weights, batch=self.batch, resolution=resolution)
        folder.mkdir()
        (folder / "model.onnx").write_bytes(graph.SerializeToString())
        weights.save(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        shape = (self.batch, 3, resolution, resolution)
        inputs = {"images": np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
        (logits,) = session.run(None, inputs)
        if not np.isfinite(logits).all():
            raise MeasurementFailed("the network's output is not finite", f"{architecture} at {resolution} px")
        return lambda: session.run(None, inputs)


def _reading(timing: Timing, drift: float, details: dict[str, Any]) -> Reading:
    """The median with its interval, flagged where the machine was not calm."""
    quality, warnings = timing.quality, []
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
        details=details,
    )
