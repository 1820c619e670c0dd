"""A TensorRT engine from an ONNX graph: TensorRT 8.6 to 11 by one path, because the precision is in the graph.

From 9 on networks are strongly typed: every tensor has the type that the graph gives it. TensorRT 8 knows weak types
alone: there a flag allows fp16, and the engine may keep layers in fp32. What the engine really does is read back from
its inspector.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorrt as trt

from evaluators.core.locks import Lock
from search_spaces.common.errors import MeasurementFailed

OPTIMIZATION_LEVEL = 3  # TensorRT's default; 0 would not use the timing cache
TIMING_ITERATIONS = 8  # of each tactic, as trtexec does; the API's own default is 1
WORKSPACE_BYTES = 4 << 30
HEAVY = ("conv", "gemm", "matmul", "matrix", "fusion", "mha")  # in an inspector's LayerType: where the time goes
NAMES = {"fp32": ("Float", "FP32"), "fp16": ("Half", "FP16"), "bf16": ("BFloat16", "BF16")}  # an inspector's types


@dataclass(frozen=True, kw_only=True)
class Built:
    """A serialised engine, whether its types were strong, and what its inspector says of its heavy layers."""

    plan: bytes
    typing: str  # strong | weak
    heavy_layers: int
    other_precision: tuple[str, ...]  # heavy layers that run in another precision than was asked


def build(graph: Path, precision: str, device: str) -> Built:
    """Builds the engine of an ONNX file. `device` names GPU and driver: tactics are remembered for each.

    Raises:
        MeasurementFailed: TensorRT cannot parse or build it, or a strongly typed engine left the asked precision.
    """
    logger: trt.Logger = trt.Logger(trt.Logger.WARNING)
    builder: trt.Builder = trt.Builder(logger)
    strong = hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    network: trt.INetworkDefinition = builder.create_network(_network_flags(strong))
    parser: trt.OnnxParser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):  # from a file: weights beside it are found by their relative path
        errors = [str(parser.get_error(index)) for index in range(parser.num_errors)]
        raise MeasurementFailed(f"TensorRT cannot parse the graph ({len(errors)} errors)", "\n".join(errors))
    config: trt.IBuilderConfig = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    config.builder_optimization_level = OPTIMIZATION_LEVEL
    config.avg_timing_iterations = TIMING_ITERATIONS
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means fp32
    if not strong and precision != "fp32":
        config.set_flag(getattr(trt.BuilderFlag, precision.upper()))  # gone in 11, where types are always strong
    plan = _with_timing_cache(builder, network, config, device)
    layers = _layers(logger, plan)
    heavy, others = judge(layers, precision)
    if strong and others:
        raise MeasurementFailed(f"{len(others)} of {heavy} heavy layers do not run in {precision}", "\n".join(others))
    return Built(plan=plan, typing="strong" if strong else "weak", heavy_layers=heavy, other_precision=tuple(others))


def _network_flags(strong: bool) -> int:
    flags = trt.NetworkDefinitionCreationFlag
    # Before 10 a batch dimension had to be asked for; in 10 the flag does nothing, in 11 it is gone.
    batch = 1 << int(flags.EXPLICIT_BATCH) if hasattr(flags, "EXPLICIT_BATCH") else 0
    return batch | (1 << int(flags.STRONGLY_TYPED) if strong else 0)


def _with_timing_cache(
    builder: "trt.Builder", network: "trt.INetworkDefinition", config: "trt.IBuilderConfig", device: str
) -> bytes:
    """Builds with the tactics that were timed before: quicker, and the same choices for every candidate."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "nas"
    name = "".join(letter if letter.isalnum() else "-" for letter in f"trt-{trt.__version__}-{device}")
    path = folder / f"{name}.timing"
    folder.mkdir(parents=True, exist_ok=True)
    with Lock(path.with_suffix(".lock")).held():
        known = path.read_bytes() if path.exists() else b""
        cache: trt.ITimingCache = config.create_timing_cache(known)
        config.set_timing_cache(cache, False)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise MeasurementFailed("TensorRT could not build an engine", "its own words are above")
        kept: trt.ITimingCache = config.get_timing_cache()
        partial = path.with_suffix(".partial")
        partial.write_bytes(bytes(kept.serialize()))
        partial.replace(path)
    return bytes(plan)


def _layers(logger: "trt.Logger", plan: bytes) -> list[dict[str, Any]]:
    runtime: trt.Runtime = trt.Runtime(logger)
    engine: trt.ICudaEngine = runtime.deserialize_cuda_engine(plan)
    inspector: trt.EngineInspector = engine.create_engine_inspector()
    layers: list[dict[str, Any]] = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))[
        "Layers"
    ]
    return layers


def judge(layers: list[dict[str, Any]], precision: str) -> tuple[int, list[str]]:
    """How many heavy layers an inspector lists, and those of them whose output has another type than was asked.

    TensorRT up to 10 writes `Format/Datatype`, 11 writes `Datatype` and `Format` apart.
    """
    heavy = [each for each in layers if any(sign in each.get("LayerType", "").lower() for sign in HEAVY)]
    others = []
    for layer in heavy:
        kinds = [str(out.get("Datatype") or out.get("Format/Datatype", "")) for out in layer.get("Outputs", [])]
        if not any(name in kind for kind in kinds for name in NAMES[precision]):
            others.append(f"{layer.get('Name', '?')}: {', '.join(kinds) or 'no type'}")
    return len(heavy), others


class Engine:
    """An engine that is ready to run on a stream: `enqueue` puts one inference into it."""

    def __init__(self, plan: bytes) -> None:
        self.logger: trt.Logger = trt.Logger(trt.Logger.WARNING)
        self.runtime: trt.Runtime = trt.Runtime(self.logger)
        self.engine: trt.ICudaEngine = self.runtime.deserialize_cuda_engine(plan)
        self.context: trt.IExecutionContext = self.engine.create_execution_context()

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The shapes of inputs and outputs, by name; all of them are fp32."""
        engine: trt.ICudaEngine = self.engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        return {name: tuple(engine.get_tensor_shape(name)) for name in names}

    def bind(self, name: str, address: int) -> None:
        """Tells where in device memory a tensor lies."""
        context: trt.IExecutionContext = self.context
        context.set_tensor_address(name, address)

    def enqueue(self, stream: int) -> None:
        """One inference.

        Raises:
            MeasurementFailed: TensorRT refuses.
        """
        context: trt.IExecutionContext = self.context
        if not context.execute_async_v3(stream):
            raise MeasurementFailed("TensorRT did not take the inference", "its own words are above")
