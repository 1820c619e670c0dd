"""A network with its weights as an ONNX file, for ONNX Runtime and for TensorRT."""

from collections.abc import Sequence
from pathlib import Path

import onnx

from evaluators.graphs import onnx_graph
from evaluators.graphs.onnx_weights import folded
from results.exports.common.deliverable import Array, Deliverable
from search_spaces import TimmNetwork


def write(deliverable: Deliverable, path: Path) -> None:
    """Writes the file, with batch norms merged, the precision in the graph, and metadata about the network."""
    graph = _of_peer(deliverable, deliverable.peer) if deliverable.peer else _own(deliverable)
    onnx.helper.set_model_props(graph, deliverable.metadata())
    graph.producer_name = str(deliverable.provenance.get("tool", "nas"))
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def _own(deliverable: Deliverable) -> onnx.ModelProto:
    """The graph of a network of the Next-ViT family."""
    return onnx_graph.build(
        deliverable.own.architecture,
        onnx_graph.given_weights(folded(deliverable.own), deliverable.precision),
        batch=deliverable.batch,
        resolution=deliverable.resolution,
        num_classes=deliverable.num_classes,
        precision=deliverable.precision,
    )


def _of_peer(deliverable: Deliverable, peer: TimmNetwork) -> onnx.ModelProto:
    """The graph of a network that timm built, as torch exports it."""
    from evaluators.graphs import timm_onnx

    return timm_onnx.export(
        peer,
        deliverable.network,
        batch=deliverable.batch,
        resolution=deliverable.resolution,
        precision=deliverable.precision,
    )


def answers(path: Path, batches: Sequence[Array]) -> list[Array]:
    """The file under ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [session.run(None, {"images": images})[0] for images in batches]
