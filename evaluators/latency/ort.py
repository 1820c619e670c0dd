"""Latency under ONNX Runtime on this machine's CPU: the default, because every machine has it.

Threads, spinning, int8 and other execution providers are variants of the device: their numbers share no axis.
"""

import contextlib
import importlib.metadata
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evaluators.core import scratch
from evaluators.core.evaluator import check_range, choice, cores
from evaluators.core.measurement import Device
from evaluators.graphs import by_stage
from evaluators.targets import cpu
from evaluators.targets.latency import Latency, Running
from search_spaces import Architecture, Network, TimmNetwork
from search_spaces.common.errors import MeasurementFailed, Unavailable, UsageError

# Execution providers by the name that a user types, and what to install where this build has none.
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino (Intel processors)"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime on a Mac"),
    "xnnpack": ("XnnpackExecutionProvider", "an onnxruntime built with XNNPACK"),
}


DISTRIBUTIONS = ("onnxruntime", "onnxruntime-openvino", "onnxruntime-gpu")


@dataclass(frozen=True, kw_only=True)
class Ort(Latency):
    """ONNX Runtime, CPU execution provider, fp32, all graph optimisations.

    One thread by default, and no spinning: two spinning threads on a busy host took 1.8 times as long as one.
    """

    packages: ClassVar[tuple[str, ...]] = ("onnxruntime",)
    imports: ClassVar[tuple[str, ...]] = ("evaluators.graphs.onnx_graph", "onnxruntime")
    peers: ClassVar[bool] = True

    batch: int = 1
    threads: int = 1
    spinning: bool = False
    precision: str = choice("fp32", "int8")
    provider: str = choice(*PROVIDERS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("batch", self.batch, 1, 256)
        check_range("resolution", self.resolution, 32, 1024)
        check_range("threads", self.threads, 1, 256)
        if self.precision == "int8" and self.provider != "cpu":
            raise UsageError(f"int8 is built for the CPU provider, not for {self.provider}", "leave one of them out")

    @property
    def opens_early(self) -> bool:
        """On one core of several: the others are free for it."""
        return self.threads == 1 and self.provider == "cpu" and cores() > 1

    def device(self) -> Device:
        """This machine's CPU, or a variant of it."""
        options = {"threads": self.threads, "spinning": self.spinning, "precision": self.precision}
        plain = {"threads": 1, "spinning": False, "precision": "fp32", "provider": "cpu"}
        return cpu.device({k: v for k, v in {**options, "provider": self.provider}.items() if v != plain[k]})

    def refuses(self, network: Network) -> str:
        """Why it cannot measure a network: int8 is built for our own family's graphs."""
        if self.precision == "int8" and not isinstance(network, Architecture):
            return f"{self.spec} quantizes networks of the Next-ViT family alone, and not {network}"
        return super().refuses(network)

    def missing(self) -> Unavailable | None:
        """Why the installed ONNX Runtime cannot run the asked provider."""
        try:
            import onnxruntime
        except ImportError as error:
            return Unavailable(f"onnxruntime cannot be imported: {error}", "pip install onnxruntime onnx numpy")
        name, package = PROVIDERS[self.provider]
        known = onnxruntime.get_available_providers()
        if name in known:
            return None
        return Unavailable(
            f"the installed onnxruntime {onnxruntime.__version__} has no {name} (it has {', '.join(known)})",
            f"install {package} in an environment of its own and name its interpreter: "
            f"ort:provider={self.provider},python=/path/to/python",
        )

    def versions(self) -> dict[str, str]:
        """The version of ONNX Runtime, whichever package it came in."""
        for package in DISTRIBUTIONS:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                return {"onnxruntime": importlib.metadata.version(package)}
        import onnxruntime

        return {"onnxruntime": onnxruntime.__version__}

    def protocol(self) -> dict[str, Any]:
        """How the session is set up, beside what every latency says."""
        return {**super().protocol(), "optimization": "all"}

    @contextmanager
    def _running(self, network: Network, resolution: int) -> Iterator[Running]:
        if isinstance(network, TimmNetwork):
            with self._exported(network, resolution) as running:
                yield running
            return
        assert isinstance(network, Architecture)
        with self._built(network, resolution, profiled=self.provider == "cpu") as running:
            yield running

    @contextmanager
    def _reference(self, architecture: Architecture, resolution: int) -> Iterator[Running]:
        with self._built(architecture, resolution, profiled=False) as running:
            yield running

    @contextmanager
    def _built(self, architecture: Architecture, resolution: int, *, profiled: bool) -> Iterator[Running]:
        """The network as a graph in memory, with random weights."""
        import onnxruntime

        from evaluators.graphs import onnx_graph, onnx_int8

        weights = onnx_graph.SharedWeights()
        graph = onnx_graph.build(architecture, weights, batch=self.batch, resolution=resolution)
        if self.precision == "int8":
            onnx_int8.quantize(graph)
        arrays, options = weights.arrays(graph), self._options()
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(each) for each in arrays.values()]
        options.add_external_initializers(list(arrays), values)
        with self._ready(graph.SerializeToString(), options, resolution, profiled=profiled) as running:
            yield running

    @contextmanager
    def _exported(self, network: TimmNetwork, resolution: int) -> Iterator[Running]:
        """A network of timm's as torch exports it, with random weights."""
        import torch

        from evaluators.graphs import timm_onnx

        torch.set_num_threads(1)  # another network may be measured meanwhile
        graph = timm_onnx.build(network, batch=self.batch, resolution=resolution)
        profiled = self.provider == "cpu" and timm_onnx.has_parts(graph)
        with self._ready(graph.SerializeToString(), self._options(), resolution, profiled=profiled) as running:
            running.details["built_by"] = timm_onnx.versions()
            yield running

    @contextmanager
    def _opened(self, path: Path, resolution: int) -> Iterator[Running]:
        with self._ready(str(path), self._options(), resolution, profiled=False) as running:
            yield running

    @contextmanager
    def _ready(self, model: str | bytes, options: Any, resolution: int, *, profiled: bool) -> Iterator[Running]:
        """A model in memory or in a file, after its first run; where it is profiled, with the time of each part."""
        import numpy as np
        import onnxruntime

        with tempfile.TemporaryDirectory(prefix="ort-", dir=scratch.folder()) as folder:
            options.enable_profiling, options.profile_file_prefix = profiled, f"{folder}/profile"
            session = onnxruntime.InferenceSession(model, options, providers=[self._provider()])
            provider = PROVIDERS[self.provider][0]
            if session.get_providers()[0] != provider:
                raise MeasurementFailed(f"{provider} did not take the graph", f"{session.get_providers()} did")
            shape = (self.batch, 3, resolution, resolution)
            inputs = {"images": np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
            (logits,) = session.run(None, inputs)
            if not np.isfinite(logits).all():
                raise MeasurementFailed("the network's output is not finite", f"{shape}")
            operators = by_stage.operators(session, inputs) if profiled else []
        yield Running(
            once=lambda: session.run(None, inputs),
            cpu=time.thread_time if self.threads == 1 and self.provider == "cpu" else None,
            secondary=by_stage.shares(operators) if operators else {},
            details=self._int8(operators) if profiled else {},
        )

    def _int8(self, operators: list[dict[str, Any]]) -> dict[str, Any]:
        from evaluators.graphs import onnx_int8

        return onnx_int8.check([each["args"]["op_name"] for each in operators]) if self.precision == "int8" else {}

    def _provider(self) -> tuple[str, dict[str, str]]:
        """The provider and its own options: not all of them heed the session's threads."""
        return PROVIDERS[self.provider][0], {
            "num_of_threads": str(self.threads),
            "precision": "FP32",
        } if self.provider == "openvino" else {}

    def _options(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(self.spinning)))
        if self.provider != "cpu":  # without this, what the provider cannot run goes to the CPU in silence
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        options.log_severity_level = 3
        return options
