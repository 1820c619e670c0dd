"""A Core ML package: it takes tensors, or images with the normalisation built in; with labels it is a classifier."""

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


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the package.

    Raises:
        UsageError: a batch of any size, which the Neural Engine does not take.
        NegativeAnswer: coremltools cannot write it.
    """
    if not deliverable.batch:
        raise UsageError(
            "Core ML takes a batch of a fixed size here",
            "give --batch 1, or export the other formats in another command",
        )
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bars, and warnings of every system but a Mac
        try:
            model = _converted(deliverable)
        except RuntimeError as error:  # its writer raises this for a full disk
            raise NegativeAnswer(f"coremltools could not write the package: {error}", "is the disk full?") from None
    model.short_description = f"{deliverable.architecture}, a network of the Next-ViT family"
    model.user_defined_metadata.update(deliverable.metadata())
    model.save(str(folder / FILES[0]))


def _converted(deliverable: Deliverable) -> Any:
    from evaluators.graphs import mil_graph
    from evaluators.graphs.onnx_weights import folded

    values = folded(deliverable.own)
    return mil_graph.convert(
        deliverable.own.architecture,
        lambda name, _: values[name],
        batch=deliverable.batch,
        resolution=deliverable.resolution,
        num_classes=deliverable.num_classes,
        precision=deliverable.precision,
        pixels=mil_graph.Pixels(MEAN, STD) if deliverable.image_input else None,
        labels=deliverable.labels,
    )


def lacking(deliverable: Deliverable) -> Unavailable | None:
    """Core ML runs on a Mac alone; with labels it returns probabilities, and its logits are out of reach."""
    if sys.platform == "darwin" and not deliverable.labels and not deliverable.image_input:
        return None
    return Unavailable(
        "its operators were run with torch, one by one, not by Core ML itself", "open it on a Mac before you ship it"
    )


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """Core ML itself on a Mac; elsewhere the package's operators, one by one, with torch."""
    package = folder / FILES[0]
    if not lacking(deliverable):
        return _predicted(package, batches)
    from results.exports.common import mil_interpreter

    interpreter = mil_interpreter.Interpreter(package)
    return [interpreter(_pixels(images) if deliverable.image_input else images) for images in batches]


def _predicted(package: Path, batches: Sequence[Array]) -> list[Array]:
    import coremltools

    model = coremltools.models.MLModel(str(package))
    return [np.asarray(model.predict({"images": images})["logits"], dtype=np.float32) for images in batches]


def _pixels(images: Array) -> Array:
    """The pixels, from 0 to 255, whose normalisation gives these images."""
    mean, std = (np.array(values, dtype=np.float32).reshape(1, 3, 1, 1) for values in (MEAN, STD))
    return np.asarray((images * std + mean) * 255, dtype=np.float32)
