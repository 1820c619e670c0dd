"""A network with its weights as an ONNX file, for ONNX Runtime and for TensorRT."""

from collections.abc import Sequence
from pathlib import Path

import onnx

from evaluators.graphs import onnx_graph
from evaluators.graphs.onnx_weights import folded
from results.exports.common.deliverable import Array, Deliverable


def write(what: Deliverable, path: Path) -> None:
    """Writes the file: norms merged, precision in the graph, and what the network is in its metadata."""
    graph = onnx_graph.build(
        what.architecture,
        onnx_graph.given_weights(folded(what.network), what.precision),
        batch=what.batch,
        resolution=what.resolution,
        num_classes=what.num_classes,
        precision=what.precision,
    )
    onnx.helper.set_model_props(graph, what.metadata())
    graph.producer_name = str(what.provenance.get("tool", "nas"))
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def answers(path: Path, batches: Sequence[Array]) -> list[Array]:
    """The file under ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [session.run(None, {"images": images})[0] for images in batches]
