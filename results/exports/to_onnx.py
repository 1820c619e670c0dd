"""An ONNX file with the batch norms merged: the graph whose latency was measured, with the network's own weights."""

from collections.abc import Sequence
from pathlib import Path

from results.exports.common import onnx_file
from results.exports.common.deliverable import Array, Deliverable

FILES = ("model.onnx",)
HAS_PRECISION = True
PEERS = True
LOADING = (
    "python",
    """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
logits = session.run(None, {"images": images})[0]""",
)
RUN_TIME = "ort"  # the evaluator that can time the file


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the file, checked by ONNX's own checker."""
    onnx_file.write(deliverable, folder / FILES[0])


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """ONNX Runtime on the CPU."""
    return onnx_file.answers(folder / FILES[0], batches)
