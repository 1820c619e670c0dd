"""Variants of ONNX Runtime: each is a device of its own, and does what it says or fails."""

import pytest

import evaluators
from evaluators.graphs import onnx_graph, onnx_int8
from search_spaces import PAPER
from search_spaces.common.errors import MeasurementFailed, UsageError
from tests.networks import CORNERS, WHOLE

VARIANTS = ("ort", "ort:threads=2", "ort:threads=2,spinning=true", "ort:precision=int8", "ort:provider=openvino")


def test_variants_share_neither_device_nor_key() -> None:
    found = [evaluators.get(spec) for spec in VARIANTS]
    assert len({each.device().id for each in found}) == len(VARIANTS)
    assert len({each.context() for each in found}) == len(VARIANTS)
    assert "threads 2, spinning true" in found[2].device().label


@pytest.mark.parametrize("name", WHOLE)
def test_int8_reaches_every_convolution(name: str) -> None:
    found = evaluators.get("ort:precision=int8,resolution=64").measure(WHOLE[name])
    graph = onnx_graph.build(WHOLE[name], onnx_graph.SharedWeights(), resolution=64)
    convolutions = sum(node.op_type == "Conv" for node in graph.graph.node)
    assert found.details["int8_convolutions"] == convolutions
    assert found.value > 0


def test_attention_stays_float() -> None:
    graph = onnx_graph.build(PAPER["next-vit-s"], onnx_graph.SharedWeights())
    onnx_int8.quantize(graph)
    made = {name: node for node in graph.graph.node for name in node.output}
    products = [node for node in graph.graph.node if node.op_type == "MatMul"]
    dequantized = [[made[name].op_type == "DequantizeLinear" for name in node.input] for node in products]
    assert sum(all(inputs) for inputs in dequantized) == 16, "q, k, v and projection of four blocks"
    assert sum(not any(inputs) for inputs in dequantized) == 8, "the products of activations"


def test_a_convolution_that_stayed_in_fp32_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_int8, "quantize", lambda graph: None)
    with pytest.raises(MeasurementFailed, match=r"of .* convolutions stayed in fp32"):
        evaluators.get("ort:precision=int8,resolution=64").measure(CORNERS["all convolution"])


def test_a_provider_that_is_not_installed_says_where_it_is() -> None:
    reason = evaluators.get("ort:provider=xnnpack").missing()
    assert reason
    assert "has no XnnpackExecutionProvider" in reason.message
    assert "ort:provider=xnnpack,python=" in reason.hint


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ort:precision=fp16", "precision expects one of fp32, int8, got 'fp16'"),
        ("ort:provider=cuda", "provider expects one of cpu, openvino"),
        ("ort:precision=int8,provider=openvino", "int8 is built for the CPU provider"),
    ],
)
def test_what_would_not_be_what_it_says_is_refused(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)
