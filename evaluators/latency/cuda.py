"""Latency under PyTorch on an NVIDIA GPU: what a GPU machine without TensorRT measures. It is not TensorRT.

Norms merged, channels last, one CUDA graph for each network; the GPU's own time between events.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evaluators.targets import gpu
from evaluators.targets.gpu_latency import GpuLatency
from evaluators.targets.latency import Running
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, Unavailable

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Cuda(GpuLatency):
    """fp16 by default; `compile=true` adds torch.compile, which takes minutes for each network."""

    packages: ClassVar[tuple[str, ...]] = ("torch",)
    imports: ClassVar[tuple[str, ...]] = ("torch", "search_spaces.nextvit.network")

    compile: bool = False

    def missing(self) -> Unavailable | None:
        """Why PyTorch cannot use a GPU here."""
        if reason := gpu.missing():
            return reason
        if not gpu.supports(self.precision):
            return Unavailable(f"this GPU does not compute in {self.precision}", "for example cuda:precision=fp16")
        try:
            import torch
        except ImportError as error:
            return Unavailable(f"torch cannot be imported: {error}", "pip install torch")
        if not torch.cuda.is_available():
            return Unavailable(
                f"torch {torch.__version__} cannot use the GPU", "install a build of torch for this driver's CUDA"
            )
        return None

    @contextmanager
    def _running(self, architecture: Architecture, resolution: int) -> Iterator[Running]:
        import torch

        from search_spaces.nextvit.network import NextViT

        torch.backends.cudnn.benchmark = True  # the quickest algorithm for each shape, as a deployment would choose
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False  # fp32 means fp32
        kind = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[self.precision]
        torch.manual_seed(0)
        network: Any = (
            NextViT(architecture).eval().merge().to(device="cuda", dtype=kind).to(memory_format=torch.channels_last)
        )
        if self.compile:
            network = torch.compile(network, mode="max-autotune-no-cudagraphs")  # the graph is captured below
        shape = (self.batch, 3, resolution, resolution)
        images = torch.randn(shape, device="cuda", dtype=kind).to(memory_format=torch.channels_last)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        with torch.no_grad(), torch.cuda.stream(stream):
            for _ in range(3):  # compiles, chooses algorithms, allocates: all of which a capture forbids
                logits = network(images)
            stream.synchronize()
            if not bool(torch.isfinite(logits).all()):
                raise MeasurementFailed("the network's output is not finite", f"{architecture} in {self.precision}")
            launch, warnings = captured(network, images, stream)
            pipeline = gpu.Pipeline(launch, lambda: TorchEvent(stream))
            yield Running(once=pipeline.once, reported=pipeline.reported, warnings=warnings, details=pipeline.details)
            stream.synchronize()


def captured(
    network: "nn.Module", images: "torch.Tensor", stream: "torch.cuda.Stream"
) -> "tuple[Any, tuple[str, ...]]":
    """One launch of the network as a CUDA graph; operator by operator, with a warning, where capture fails."""
    import torch

    graph, run = torch.cuda.CUDAGraph(), None
    warnings: tuple[str, ...] = ()
    try:
        with torch.cuda.graph(graph, stream=stream):
            network(images)
        run = graph.replay
    except RuntimeError as error:
        warnings = (f"no CUDA graph could be captured ({str(error).splitlines()[0]}): launches are part of the number",)

    def launch() -> None:
        with torch.no_grad(), torch.cuda.stream(stream):  # a replay goes to the current stream: two networks share us
            run() if run else network(images)

    return launch, warnings


class TorchEvent:
    """A CUDA event of torch on one stream."""

    def __init__(self, stream: "torch.cuda.Stream") -> None:
        import torch

        self.stream, self.event = stream, torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def record(self) -> None:
        self.event.record(self.stream)

    def synchronize(self) -> None:
        self.event.synchronize()

    def milliseconds_since(self, earlier: Any) -> float:
        return float(earlier.event.elapsed_time(self.event))
