"""A Core ML package: takes tensors, or images with the normalisation built in; with labels it is a classifier."""

import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from results.exports.common.deliverable import Array, Deliverable
from search_spaces.common.errors import NegativeAnswer, Unavailable, UsageError
from search_spaces.nextvit.preparation import MEAN, STD

FILES = ("model.mlpackage",)
HAS_PRECISION = True
LOADING = (
    "python",
    """import coremltools

model = coremltools.models.MLModel("model.mlpackage")
answer = model.predict({"images": images})""",
)


def write(what: Deliverable, folder: Path) -> None:
    """Writes the package.

    Raises:
        UsageError: a batch of any size, which the Neural Engine does not take.
        NegativeAnswer: coremltools cannot write it.
    """
    if not what.batch:
        raise UsageError("Core ML takes a batch of a fixed size here", "--batch 1, or export the others apart")
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bars, and warnings of every system but a Mac
        try:
            model = _converted(what)
        except RuntimeError as error:  # what its writer says of a full disk
            raise NegativeAnswer(f"coremltools could not write the package: {error}", "is the disk full?") from None
    model.short_description = f"{what.architecture}, a network of the Next-ViT family"
    model.user_defined_metadata.update(what.metadata())
    model.save(str(folder / FILES[0]))


def _converted(what: Deliverable) -> Any:
    from evaluators.graphs import mil_graph
    from evaluators.graphs.onnx_weights import folded

    values = folded(what.network)
    return mil_graph.convert(
        what.architecture,
        lambda name, _: values[name],
        batch=what.batch,
        resolution=what.resolution,
        num_classes=what.num_classes,
        precision=what.precision,
        pixels=mil_graph.Pixels(MEAN, STD) if what.image_input else None,
        labels=what.labels,
    )


def lacking(what: Deliverable) -> Unavailable | None:
    """Core ML answers on a Mac alone, and there with labels and probabilities rather than with logits."""
    if sys.platform == "darwin" and not what.labels and not what.image_input:
        return None
    return Unavailable(
        "its operators were run with torch, one by one, not by Core ML itself", "open it on a Mac before you ship it"
    )


def answers(what: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """Core ML itself on a Mac; elsewhere the package's operators, one by one, with torch."""
    package = folder / FILES[0]
    if not lacking(what):
        return _predicted(package, batches)
    from results.exports.common import mil_interpreter

    interpreter = mil_interpreter.Interpreter(package)
    return [interpreter(_pixels(images) if what.image_input else images) for images in batches]


def _predicted(package: Path, batches: Sequence[Array]) -> list[Array]:
    import coremltools

    model = coremltools.models.MLModel(str(package))
    return [np.asarray(model.predict({"images": images})["logits"], dtype=np.float32) for images in batches]


def _pixels(images: Array) -> Array:
    """Colours from 0 to 255 whose normalisation gives those images."""
    mean, std = (np.array(each, dtype=np.float32).reshape(1, 3, 1, 1) for each in (MEAN, STD))
    return np.asarray((images * std + mean) * 255, dtype=np.float32)
