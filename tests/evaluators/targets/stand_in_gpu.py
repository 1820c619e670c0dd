"""A stand-in for an NVIDIA GPU: its driver (NVML), the CUDA runtime and TensorRT. It measures nothing.

It holds the order of our calls to what those libraries demand; that the names exist is held by the real bindings.
"""

import json
import sys
import types
from typing import Any

import numpy as np
import pytest

MILLISECONDS = 5.0
LAYERS = [
    {"Name": "conv", "LayerType": "CaskConvolution", "Outputs": [{"Name": "a", "Format/Datatype": "Half"}]},
    {"Name": "attention", "LayerType": "kgen", "Outputs": [{"Name": "b", "Format/Datatype": "Half"}]},
    {"Name": "head", "LayerType": "gemm", "Outputs": [{"Name": "c", "Datatype": "Half", "Format": "Row major"}]},
    {"Name": "cast", "LayerType": "Reformat", "Outputs": [{"Name": "d", "Format/Datatype": "Float"}]},
]


class Nvml(types.ModuleType):
    """The driver's module, for one GPU."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVMLError = RuntimeError
    reasons, processes, capability = 0, 1, (9, 0)

    def __getattr__(self, name: str) -> Any:
        answers = {
            "nvmlInit": None,
            "nvmlDeviceGetHandleByIndex": "gpu 0",
            "nvmlDeviceGetName": b"stand-in for a GPU",
            "nvmlDeviceGetMemoryInfo": types.SimpleNamespace(total=16 << 30),
            "nvmlDeviceGetCudaComputeCapability": self.capability,
            "nvmlSystemGetDriverVersion": "0.0",
            "nvmlDeviceGetUUID": "GPU-0",
            "nvmlDeviceGetCurrentClocksEventReasons": self.reasons,
            "nvmlDeviceGetClockInfo": 1500,
            "nvmlDeviceGetTemperature": 50,
            "nvmlDeviceGetPowerUsage": 70_000,
            "nvmlDeviceGetComputeRunningProcesses": list(range(self.processes)),
        }
        if name not in answers:
            raise AttributeError(name)
        return lambda *arguments: answers[name]


class Cuda(types.ModuleType):
    """What `evaluators/targets/cudart.py` offers."""

    capture_fails = False

    class CudaError(RuntimeError):
        pass

    started = False

    def start(self) -> None:
        self.started = True

    def Stream(self) -> Any:  # noqa: N802, a class over there
        assert self.started
        cuda = self

        class Stream:
            handle, work = 7, 0.0

            def synchronize(self) -> None:
                pass

            def captured(self, launch: Any) -> Any:
                if cuda.capture_fails:
                    raise cuda.CudaError("cudaStreamEndCapture: cudaErrorStreamCaptureUnsupported")
                launch()
                return launch

        return Stream()

    class Event:
        clock = 0.0

        def __init__(self, stream: Any) -> None:
            self.at = -1.0

        def record(self) -> None:
            type(self).clock += MILLISECONDS / 2  # between the two marks of a run lies its time
            self.at = type(self).clock + MILLISECONDS / 2

        def synchronize(self) -> None:
            assert self.at >= 0, "recorded before it is waited for"

        def milliseconds_since(self, earlier: Any) -> float:
            return 2 * (self.at - earlier.at)

    class Memory:
        def __init__(self, array: np.ndarray) -> None:
            self.array, self.address, self.freed = array, id(array), False

        def upload(self) -> None:
            pass

        def download(self) -> np.ndarray:
            return self.array

        def free(self) -> None:
            assert not self.freed
            self.freed = True


class Flags(types.SimpleNamespace):
    EXPLICIT_BATCH, STRONGLY_TYPED = 0, 1


class TensorRT(types.ModuleType):
    """The module of TensorRT 10, or of 8 without strong types."""

    __version__ = "10.16.1.11"
    layers = LAYERS
    errors: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        trt = self
        self.flags: list[str] = []
        self.caches: list[bytes] = []
        self.Logger = type("Logger", (), {"WARNING": 2, "__init__": lambda self, level: None})
        self.NetworkDefinitionCreationFlag = Flags
        self.BuilderFlag = types.SimpleNamespace(TF32="TF32", FP16="FP16", BF16="BF16")
        self.DataType = types.SimpleNamespace(BF16=1)
        self.MemoryPoolType = types.SimpleNamespace(WORKSPACE=0)
        self.ProfilingVerbosity = types.SimpleNamespace(DETAILED=2)
        self.LayerInformationFormat = types.SimpleNamespace(JSON=1)
        self.INetworkDefinition = self.IBuilderConfig = self.ITimingCache = self.IExecutionContext = object
        self.ICudaEngine = self.EngineInspector = object

        class Config:
            def set_memory_pool_limit(self, pool: int, size: int) -> None:
                assert size > 1 << 30

            def set_flag(self, flag: str) -> None:
                trt.flags.append(f"+{flag}")

            def clear_flag(self, flag: str) -> None:
                trt.flags.append(f"-{flag}")

            def create_timing_cache(self, blob: bytes) -> bytes:
                trt.caches.append(blob)
                return blob

            def set_timing_cache(self, cache: bytes, ignore_mismatch: bool) -> None:
                assert ignore_mismatch is False

            def get_timing_cache(self) -> Any:
                return types.SimpleNamespace(serialize=lambda: b"tactics")

        class Builder:
            def __init__(self, logger: Any) -> None:
                pass

            def create_network(self, flags: int) -> str:
                trt.flags.append(f"network {flags}")
                return "network"

            def create_builder_config(self) -> Config:
                return Config()

            def build_serialized_network(self, network: str, config: Config) -> bytes:
                assert config.builder_optimization_level == 3
                assert config.avg_timing_iterations == 8
                assert config.profiling_verbosity == 2
                return b"plan"

        class Parser:
            def __init__(self, network: str, logger: Any) -> None:
                self.num_errors = len(trt.errors)

            def parse_from_file(self, path: str) -> bool:
                import onnx

                onnx.load(path)  # with its weights, which lie beside it
                return not trt.errors

            def get_error(self, index: int) -> str:
                return trt.errors[index]

        class Engine:
            num_io_tensors = 2

            def get_tensor_name(self, index: int) -> str:
                return ("images", "logits")[index]

            def get_tensor_shape(self, name: str) -> list[int]:
                return [1, 3, 64, 64] if name == "images" else [1, 1000]

            def create_engine_inspector(self) -> Any:
                return types.SimpleNamespace(get_engine_information=lambda form: json.dumps({"Layers": trt.layers}))

            def create_execution_context(self) -> Any:
                bound: dict[str, int] = {}

                def execute_async_v3(stream: int) -> bool:
                    return stream == 7 and set(bound) == {"images", "logits"}

                return types.SimpleNamespace(set_tensor_address=bound.__setitem__, execute_async_v3=execute_async_v3)

        class Runtime:
            def __init__(self, logger: Any) -> None:
                pass

            def deserialize_cuda_engine(self, plan: bytes) -> Engine:
                assert plan == b"plan"
                return Engine()

        self.Builder, self.OnnxParser, self.Runtime = Builder, Parser, Runtime


def install(monkeypatch: pytest.MonkeyPatch) -> tuple[Nvml, Cuda, TensorRT]:
    """Puts the stand-ins where the real modules would be."""
    import evaluators.targets
    from evaluators.targets import gpu

    nvml, cuda, trt = Nvml("pynvml"), Cuda("cudart"), TensorRT("tensorrt")
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    monkeypatch.setitem(sys.modules, "evaluators.targets.cudart", cuda)
    monkeypatch.setattr(evaluators.targets, "cudart", cuda, raising=False)
    monkeypatch.delitem(sys.modules, "evaluators.targets.trt_engine", raising=False)
    monkeypatch.delattr(evaluators.targets, "trt_engine", raising=False)
    gpu._handle.cache_clear()
    gpu._facts.cache_clear()
    return nvml, cuda, trt
