"""Latency under TensorRT on an NVIDIA GPU: GPU compute time, as trtexec calls it, of an engine built for it.

TensorRT 8.6 to 11. The engine is built in the measuring process, which needs numpy, onnx, tensorrt, cuda-python and
nvidia-ml-py, and neither torch nor this search's environment: `trt:python=/usr/bin/python3` names a container's own.
"""

import importlib.metadata
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from evaluators.core import scratch
from evaluators.targets import gpu
from evaluators.targets.gpu_latency import GpuLatency
from evaluators.targets.latency import Running
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, Unavailable

if TYPE_CHECKING:
    from evaluators.targets import cudart

OLDEST = (8, 6)
DISTRIBUTIONS = ("tensorrt", "tensorrt-cu13-bindings", "tensorrt-cu12-bindings", "tensorrt-cu13", "tensorrt-cu12")
INSTALL = (
    "pip install tensorrt cuda-python nvidia-ml-py --extra-index-url https://pypi.nvidia.com\n"
    "  or name an interpreter that has them: trt:python=/usr/bin/python3"
)


@dataclass(frozen=True, kw_only=True)
class Trt(GpuLatency):
    """fp16 by default, as the paper measured; it gives its T4 numbers for batch 8."""

    packages: ClassVar[tuple[str, ...]] = ("tensorrt",)
    imports: ClassVar[tuple[str, ...]] = ("evaluators.graphs.onnx_graph", "tensorrt")

    def missing(self) -> Unavailable | None:
        """Why TensorRT cannot run here: the module, its libraries, its version, cuda-python, the GPU."""
        try:
            import tensorrt
        except (ImportError, OSError) as error:  # a library that is not there is an ImportError too
            return Unavailable(f"tensorrt cannot be imported: {error}", INSTALL)
        if tuple(map(int, tensorrt.__version__.split(".")[:2])) < OLDEST:
            return Unavailable(f"TensorRT {tensorrt.__version__} is older than 8.6", INSTALL)
        try:
            import onnx  # noqa: F401

            from evaluators.targets import cudart  # noqa: F401
        except ImportError as error:
            return Unavailable(f"TensorRT {tensorrt.__version__} is here, but: {error}", INSTALL)
        if reason := gpu.missing():
            return Unavailable(f"TensorRT {tensorrt.__version__} is here, but {reason.message}", reason.hint)
        if not (gpu.supports(self.precision) and (self.precision != "bf16" or hasattr(tensorrt.DataType, "BF16"))):
            return Unavailable(f"this GPU or TensorRT has no {self.precision}", "for example trt:precision=fp16")
        return None

    def versions(self) -> dict[str, str]:
        """TensorRT's version, whichever package it came in."""
        for package in DISTRIBUTIONS:
            with suppress(importlib.metadata.PackageNotFoundError):
                return {"tensorrt": importlib.metadata.version(package)}
        try:
            import tensorrt
        except (ImportError, OSError):
            return {"tensorrt": "none"}
        return {"tensorrt": str(tensorrt.__version__)}  # a system package

    @contextmanager
    def _running(self, architecture: Architecture, resolution: int) -> Iterator[Running]:
        import numpy as np

        from evaluators.graphs import onnx_graph
        from evaluators.targets import cudart, trt_engine

        cudart.start()
        with tempfile.TemporaryDirectory(prefix="trt-", dir=scratch.folder()) as folder:
            path, _ = onnx_graph.save(
                architecture,
                Path(folder) / "network",
                batch=self.batch,
                resolution=resolution,
                precision=self.precision,
            )
            built = trt_engine.build(path, self.precision, self.device().label)
        stream, engine = cudart.Stream(), trt_engine.Engine(built.plan)
        memory = {
            name: cudart.Memory(np.random.default_rng(0).standard_normal(shape, dtype=np.float32))
            for name, shape in engine.tensors().items()
        }
        for name, each in memory.items():
            each.upload()
            engine.bind(name, each.address)
        launch, warnings = captured(stream, lambda: engine.enqueue(int(stream.handle)))
        if not np.isfinite(memory["logits"].download()).all():
            raise MeasurementFailed("the network's output is not finite", f"{architecture} in {self.precision}")
        if built.other_precision:
            share = f"{len(built.other_precision)} of {built.heavy_layers}"
            warnings += (f"TensorRT kept {share} heavy layers in another precision than {self.precision}",)
        pipeline = gpu.Pipeline(launch, lambda: cudart.Event(stream))
        details = pipeline.details
        details.update(typing=built.typing, heavy_layers=built.heavy_layers, engine_bytes=len(built.plan))
        yield Running(once=pipeline.once, reported=pipeline.reported, warnings=warnings, details=details)
        stream.synchronize()
        for each in memory.values():
            each.free()


def captured(stream: "cudart.Stream", enqueue: Callable[[], object]) -> tuple[Callable[[], object], tuple[str, ...]]:
    """One launch as a CUDA graph; as it is, with a warning, where capture fails."""
    from evaluators.targets import cudart

    enqueue()  # once before the capture, as trtexec does: the first inference allocates
    stream.synchronize()
    try:
        return stream.captured(enqueue), ()
    except (cudart.CudaError, MeasurementFailed) as error:
        return enqueue, (f"no CUDA graph could be captured ({error}): launches are part of the number",)
