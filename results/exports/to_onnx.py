"""An ONNX file with every norm merged: what the latency was measured on, now with the network's own weights."""

from collections.abc import Sequence
from pathlib import Path

from results.exports.common import onnx_file
from results.exports.common.deliverable import Array, Deliverable

FILES = ("model.onnx",)
HAS_PRECISION = True
LOADING = (
    "python",
    """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
logits = session.run(None, {"images": images})[0]""",
)
RUN_TIME = "ort"  # the evaluator that can time the file


def write(what: Deliverable, folder: Path) -> None:
    """Writes the file, checked by ONNX's own checker."""
    onnx_file.write(what, folder / FILES[0])


def answers(what: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """ONNX Runtime on the CPU."""
    return onnx_file.answers(folder / FILES[0], batches)
