"""The ONNX graph of timm's networks gives their logits, says which part a node belongs to, and names what it cannot."""

import numpy as np
import onnxruntime
import pytest
import torch

from evaluators.graphs import timm_onnx
from search_spaces import TimmNetwork
from search_spaces.common.errors import MeasurementFailed
from search_spaces.nextvit.architecture import PARTS
from search_spaces.peers import timm_models
from tests.networks import lively

SIDE = 64
RUNS = [("test_maxvit", "fp32", 1e-5), ("fastvit_t8", "fp32", 1e-4), ("test_coatnet", "fp16", 2e-2)]


@pytest.mark.parametrize(("model", "precision", "tolerance"), RUNS)
def test_the_graph_gives_the_logits_of_the_network(model: str, precision: str, tolerance: float) -> None:
    network = TimmNetwork(model=model)
    module = timm_models.build(network, classes=10, resolution=SIDE)
    lively(module)
    images = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        expected = module(images).numpy()
    graph = timm_onnx.export(network, module, batch=2, resolution=SIDE, precision=precision)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images.numpy()})
    assert logits.dtype == np.float32
    assert np.abs(logits - expected).max() <= tolerance * np.abs(expected).max()
    if model == "fastvit_t8":
        kinds = [node.op_type for node in graph.graph.node]
        assert kinds.count("BatchNormalization") < 10, "deployed: branches and norms are merged"
        parts = [node.name.partition("/")[0] for node in graph.graph.node]
        assert parts == sorted(parts, key=PARTS.index) and timm_onnx.has_parts(graph)


def test_the_graph_is_the_same_every_time() -> None:
    first, second = (timm_onnx.build(TimmNetwork(model="test_coatnet"), resolution=SIDE) for _ in range(2))
    assert first.SerializeToString() == second.SerializeToString()
    assert b"site-packages" not in first.SerializeToString()


def test_an_operator_without_a_counterpart_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.linalg.svdvals(images).flatten(1)

    with pytest.raises(MeasurementFailed, match=r"timm:resnet18 does not convert to ONNX: the operator aten.*svd"):
        timm_onnx.export(TimmNetwork(model="resnet18"), Odd(), batch=1, resolution=8)
