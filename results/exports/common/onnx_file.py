"""A network with its weights as an ONNX file, for ONNX Runtime and for TensorRT."""

from collections.abc import Sequence
from pathlib import Path

import onnx

from evaluators.graphs import onnx_graph
from evaluators.graphs.onnx_weights import folded
from results.exports.common.deliverable import Array, Deliverable


def write(deliverable: Deliverable, path: Path) -> None:
    """Writes the file, with batch norms merged, the precision in the graph, and metadata about the network."""
    graph = onnx_graph.build(
        deliverable.architecture,
        onnx_graph.given_weights(folded(deliverable.network), deliverable.precision),
        batch=deliverable.batch,
        resolution=deliverable.resolution,
        num_classes=deliverable.num_classes,
        precision=deliverable.precision,
    )
    onnx.helper.set_model_props(graph, deliverable.metadata())
    graph.producer_name = str(deliverable.provenance.get("tool", "nas"))
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def answers(path: Path, batches: Sequence[Array]) -> list[Array]:
    """The file under ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [session.run(None, {"images": images})[0] for images in batches]
