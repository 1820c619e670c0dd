"""GPUs: what can be tested without one is tested as it is; the rest in the order that the libraries demand."""

import ast
import sys
from pathlib import Path

import onnx
import pytest
import torch

import evaluators
from evaluators.graphs import onnx_graph
from evaluators.targets import gpu
from search_spaces import PAPER
from search_spaces.common.errors import MeasurementFailed, UsageError
from tests.evaluators.targets import stand_in_gpu
from tests.nas.test_cli import Program
from tests.networks import CORNERS

S = PAPER["next-vit-s"]
SMALL = CORNERS["half"]
TRT = "trt:batch=1,resolution=64"


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    installed = stand_in_gpu.install(monkeypatch)
    yield installed
    gpu._handle.cache_clear()
    gpu._facts.cache_clear()
    sys.modules.pop("evaluators.targets.trt_engine", None)


def test_an_engine_is_built_checked_and_timed(stand_ins) -> None:
    _, _, trt = stand_ins
    found = evaluators.get(TRT).measure(SMALL)
    assert found.value == pytest.approx(stand_in_gpu.MILLISECONDS)
    assert found.metric.name == "trt:resolution=64,batch=1"
    assert found.device.facts["model"] == "stand-in for a GPU"
    assert (found.details["typing"], found.details["heavy_layers"]) == ("strong", 2)
    assert found.details["sm_clock_mhz"] == 1500
    assert found.quality == "clean"
    assert not found.warnings
    assert trt.flags[:2] == ["network 3", "-TF32"], "strongly typed, and no precision flag"
    assert trt.caches == [b"", b"tactics", b"tactics"], "an engine starts from the tactics of those before"


def test_before_strong_types_a_flag_allows_the_precision(stand_ins, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, trt = stand_ins
    flags = type("Flags8", (), {"EXPLICIT_BATCH": 0})
    monkeypatch.setattr(trt, "NetworkDefinitionCreationFlag", flags)
    monkeypatch.setattr(
        trt, "layers", [*trt.layers, {"Name": "kept", "LayerType": "conv", "Outputs": [{"Datatype": "Float"}]}]
    )
    found = evaluators.get(TRT).measure(SMALL)
    assert trt.flags[:3] == ["network 1", "-TF32", "+FP16"]
    assert found.details["typing"] == "weak"
    assert any("kept 1 of 3 heavy layers in another precision" in warning for warning in found.warnings)


def test_an_engine_that_left_its_precision_is_a_failure(stand_ins) -> None:
    _, _, trt = stand_ins
    trt.layers = [
        {"Name": "conv", "LayerType": "CaskConvolution", "Outputs": [{"Format/Datatype": "Row major linear FP32"}]}
    ]
    with pytest.raises(MeasurementFailed, match="1 of 1 heavy layers do not run in fp16"):
        evaluators.get(TRT).measure(SMALL)


def test_the_parsers_errors_are_listed(stand_ins) -> None:
    stand_ins[2].errors = ("no importer for Conv", "bad weights")
    with pytest.raises(MeasurementFailed, match=r"graph \(2 errors\)\n  no importer for Conv\nbad weights"):
        evaluators.get(TRT).measure(SMALL)


def test_without_a_cuda_graph_launches_are_part_of_the_number(stand_ins) -> None:
    stand_ins[1].capture_fails = True
    found = evaluators.get(TRT).measure(SMALL)
    assert any("no CUDA graph could be captured" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("reasons", "processes", "words"), [(0x40, 1, "slowed down by heat"), (0, 2, "other processes used the GPU")]
)
def test_a_gpu_that_is_not_calm_is_reported(stand_ins, reasons: int, processes: int, words: str) -> None:
    nvml = stand_ins[0]
    nvml.reasons, nvml.processes = reasons, processes
    assert any(words in warning for warning in evaluators.get(TRT).measure(SMALL).warnings)


def test_bf16_needs_a_gpu_that_has_it(stand_ins) -> None:
    assert evaluators.get("trt:precision=bf16").missing() is None
    gpu._facts.cache_clear()
    stand_ins[0].capability = (7, 5)  # a T4
    reason = evaluators.get("trt:precision=bf16").missing()
    assert reason and "no bf16" in reason.message


def test_an_old_tensorrt_is_named(stand_ins) -> None:
    stand_ins[2].__version__ = "8.5.3.1"
    reason = evaluators.get("trt").missing()
    assert reason and "8.5.3.1 is older than 8.6" in reason.message


@pytest.mark.parametrize(
    ("module", "file", "name", "fewest"),
    [("cuda.bindings.runtime", "cudart.py", "cudart", 15), ("pynvml", "gpu.py", "pynvml", 10)],
)
def test_every_name_in_use_exists_in_the_real_module(module: str, file: str, name: str, fewest: int) -> None:
    real = pytest.importorskip(module)
    source = (Path(evaluators.__file__).parent / "targets" / file).read_text()
    attributes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == name}
    assert len(used) > fewest
    assert not {attribute for attribute in used if not hasattr(real, attribute)}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
@pytest.mark.parametrize("latency", ["trt", "trt:batch=8", "cuda", "cuda:batch=8,precision=bf16"])
def test_without_a_gpu_a_run_says_what_is_missing_and_starts_nothing(nas: Program, latency: str) -> None:
    ended = nas("run", "--budget", "4", "--latency", latency)
    assert ended.code == 1, ended.err
    assert ("tensorrt cannot be imported" if latency.startswith("trt") else "no NVIDIA GPU") in ended.err
    assert list(nas.folder.iterdir()) == []
    report = nas("doctor", "--quick", "--json", "--latency", latency).json["evaluators"][-1]
    assert report["evaluator"] == evaluators.get(latency).spec
    assert not report["ready"] and report["to enable"]


def test_the_batch_is_always_part_of_the_name() -> None:
    assert evaluators.get("trt").metric.name == "trt:batch=1"
    assert evaluators.get("cuda:batch=8").metric.name == "cuda:batch=8"
    with pytest.raises(UsageError, match="precision expects one of fp16, bf16, fp32, got 'int4'"):
        evaluators.get("trt:precision=int4")


class Marks:
    """Events of a GPU that works through its queue: each launch takes its time, whenever it was queued."""

    def __init__(self, times: list[float]) -> None:
        self.times, self.clock, self.queued = iter(times), 0.0, 0

    def launch(self) -> None:
        self.clock += next(self.times)
        self.queued += 1

    def event(self):
        marks = self

        class Mark:
            def record(self) -> None:
                self.at = marks.clock

            def synchronize(self) -> None:
                assert hasattr(self, "at")

            def milliseconds_since(self, earlier) -> float:
                return self.at - earlier.at

        return Mark()


def test_the_pipeline_keeps_two_launches_in_flight_and_times_each_by_itself() -> None:
    marks = Marks([5.0, 7.0, 9.0, 11.0])
    pipeline = gpu.Pipeline(marks.launch, marks.event)
    seen = []
    for _ in range(3):
        pipeline.once()
        seen.append((marks.queued, pipeline.reported()))
    assert seen == [(2, 0.005), (3, 0.007), (4, 0.009)]


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_the_precision_is_in_the_graph(precision: str, tmp_path: Path) -> None:
    path, graph = onnx_graph.save(SMALL, tmp_path / "model", batch=2, resolution=64, precision=precision)
    onnx.checker.check_model(str(path))
    inferred = onnx.shape_inference.infer_shapes(graph, strict_mode=True)
    kinds = {each.name: each.type.tensor_type.elem_type for each in inferred.graph.value_info}
    heavy = [node.output[0] for node in graph.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    assert {kinds[name] for name in heavy} == {onnx_graph.TYPES[precision]}
    ends = [*graph.graph.input, *graph.graph.output]
    assert {each.type.tensor_type.elem_type for each in ends} == {onnx.TensorProto.FLOAT}


def test_half_precision_computes_nearly_the_same(tmp_path: Path) -> None:
    import numpy as np
    import onnxruntime

    images = np.random.default_rng(0).standard_normal((1, 3, 64, 64), dtype=np.float32)
    outputs = {}
    for precision in ("fp32", "fp16"):
        path, _ = onnx_graph.save(SMALL, tmp_path / precision, batch=1, resolution=64, precision=precision)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (outputs[precision],) = session.run(None, {"images": images})
    assert np.allclose(outputs["fp32"], outputs["fp16"], atol=0.01 * np.abs(outputs["fp32"]).max())
