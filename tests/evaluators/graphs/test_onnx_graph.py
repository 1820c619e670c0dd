"""The graph that is measured is the network: equal outputs, and equal operators after the run-time's optimisation."""

import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from evaluators.counts.formula import located, work
from evaluators.graphs import onnx_graph, onnx_weights
from search_spaces import PAPER, Architecture
from tests.networks import EVERY, built, random_networks, small

OTHERS = ("2", "3", "4", "5")  # random networks, which are large: compared with -m slow alone
NETWORKS = {**EVERY, "next-vit-s": PAPER["next-vit-s"]} | {
    f"random {index} of {space}": architecture
    for space, count in (("nhs", 6), ("nhs-plus", 6))
    for index, architecture in enumerate(random_networks(count, space, seed=5))
}


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(network, id=name, marks=pytest.mark.slow if name[7:].partition(" ")[0] in OTHERS else ())
        for name, network in NETWORKS.items()
    ],
)
@pytest.mark.parametrize("side", [64, 90])
def test_its_outputs_are_the_torch_networks(architecture: Architecture, side: int) -> None:
    network = built(architecture)
    weights = onnx_graph.given_weights(onnx_weights.folded(network))
    graph = onnx_graph.build(architecture, weights, batch=2, resolution=side, num_classes=10)
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        expected = network(images).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("pooling", ["rows", "squares"])
def test_rows_and_squares_larger_than_the_map_give_one_key(pooling: str) -> None:
    """At 20 px stage 1 has 5 positions a side, and its squares 8."""
    network = replace(small(("T", "C", "C", "C")), attention_pooling=pooling)
    (block, side), *_ = located(network, 20)
    assert work(block, side).attention == 2 * 96 * 5 * 5
    test_its_outputs_are_the_torch_networks(network, 20)


def operators(model: Path) -> Counter[str]:
    """What ONNX Runtime really runs: the operators left after all of its optimisations."""
    optimised = model.with_suffix(".optimised.onnx")
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(optimised)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(optimised, load_external_data=False).graph.node)


@pytest.mark.parametrize(
    "name", ["next-vit-s", "attention alone", "no attention", "random 0 of nhs", "random 1 of nhs-plus"]
)
def test_its_operators_are_those_of_an_exported_network(name: str, tmp_path: Path) -> None:
    architecture = NETWORKS[name]
    weights = onnx_graph.SharedWeights()
    (tmp_path / "direct.onnx").write_bytes(onnx_graph.build(architecture, weights).SerializeToString())
    (tmp_path / onnx_graph.WEIGHTS_FILE).write_bytes(weights.block())
    network = built(architecture, num_classes=1000).reparameterize()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is deprecated, and the only one without a dependency of its own
        image = (torch.zeros(1, 3, 224, 224),)
        torch.onnx.export(network, image, tmp_path / "exported.onnx", opset_version=17, dynamo=False)
    assert operators(tmp_path / "direct.onnx") == operators(tmp_path / "exported.onnx")


def test_a_graph_with_shared_weights_is_valid_small_and_finite(tmp_path: Path) -> None:
    weights = onnx_graph.SharedWeights()
    graph = onnx_graph.build(PAPER["next-vit-l"], weights, resolution=64)
    path = tmp_path / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    (tmp_path / onnx_graph.WEIGHTS_FILE).write_bytes(weights.block())
    onnx.checker.check_model(str(path), full_check=True)
    assert path.stat().st_size < 200_000
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": np.ones((1, 3, 64, 64), dtype=np.float32)})
    assert np.isfinite(logits).all()
    assert np.abs(logits).max() > 1e-6, "neither zeros nor denormals"
