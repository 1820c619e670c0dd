"""TensorRT: the ONNX file with the commands that build an engine, and the engine itself where this machine can."""

from collections.abc import Sequence
from pathlib import Path

import evaluators
from results.exports.common import onnx_file
from results.exports.common.deliverable import Array, Deliverable
from search_spaces.common.errors import Unavailable

FILES = ("tensorrt",)
HAS_PRECISION = True
PEERS = True
LOADING = ("sh", "sh tensorrt/build.sh 11  # or 10, or 8: the version of TensorRT")
GRAPH, COMMANDS, ENGINE = "model.onnx", "build.sh", "model.engine"

# Since TensorRT 11, trtexec is strongly typed and times as these flags ask; before, it needs the flags.
SCRIPT = """#!/bin/sh
# Builds and times {notation} in {precision}. The precision is in the graph; an engine runs on the GPU and the
# TensorRT that built it. Usage: sh build.sh [11 | 10 | 8], the version of TensorRT.
set -eu
cd "$(dirname "$0")"
command="trtexec --onnx={graph} --saveEngine={engine}{shapes}"
case "${{1:-11}}" in
    11*) $command ;;
    9* | 10*) $command --stronglyTyped --useSpinWait --useCudaGraph --noDataTransfers ;;
    8*) $command{flag} --useSpinWait --useCudaGraph --noDataTransfers ;;
    *) echo "TensorRT $1 is not known here" >&2; exit 2 ;;
esac
"""


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the graph and the commands, and the engine where one can be built."""
    place = folder / FILES[0]
    place.mkdir()
    onnx_file.write(deliverable, place / GRAPH)
    (place / COMMANDS).write_text(_script(deliverable), encoding="utf-8")
    if not lacking(deliverable):
        from evaluators.targets import trt_engine

        label = evaluators.get(f"trt:precision={deliverable.precision}").device().label
        (place / ENGINE).write_bytes(trt_engine.build(place / GRAPH, deliverable.precision, label).plan)


def lacking(deliverable: Deliverable) -> Unavailable | None:
    """Why no engine can be built here."""
    how = f"on its GPU: sh {FILES[0]}/{COMMANDS} VERSION"
    if not deliverable.batch:
        return Unavailable(
            "no engine was built: for any batch size it needs the sizes that matter to you", f"{how}, edited"
        )
    reason = evaluators.get(f"trt:precision={deliverable.precision}").missing()
    return Unavailable(f"no engine was built: {reason.message}", how) if reason else None


def _script(deliverable: Deliverable) -> str:
    size = f"x3x{deliverable.resolution}x{deliverable.resolution}"
    shapes = f" --minShapes=images:1{size} --optShapes=images:8{size} --maxShapes=images:32{size}"
    return SCRIPT.format(
        notation=deliverable.architecture,
        precision=deliverable.precision,
        graph=GRAPH,
        engine=ENGINE,
        shapes="" if deliverable.batch else shapes,
        flag=" --fp16" if deliverable.precision == "fp16" else "",
    )


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The engine on its GPU; without one the graph, under ONNX Runtime."""
    if lacking(deliverable):
        return onnx_file.answers(folder / FILES[0] / GRAPH, batches)
    import numpy as np

    from evaluators.targets import cudart, trt_engine

    cudart.start()
    stream, engine = cudart.Stream(), trt_engine.Engine((folder / FILES[0] / ENGINE).read_bytes())
    memory = {name: cudart.Memory(np.zeros(shape, dtype=np.float32)) for name, shape in engine.tensors().items()}
    for name, tensor in memory.items():
        engine.bind(name, tensor.address)

    def logits(images: Array) -> Array:
        memory["images"].array[...] = images
        memory["images"].upload()
        engine.enqueue(int(stream.handle))
        stream.synchronize()
        return memory["logits"].download().copy()

    return [logits(images) for images in batches]
