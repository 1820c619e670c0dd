"""Whether an exported file gives the network's own logits: on random images, and on photographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from results.exports.common.deliverable import Array, Deliverable
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.preparation import MEAN, STD

TOLERANCES = {"fp32": 1e-4, "fp16": 1e-2}  # of the largest logit
BUG = "nothing was written; please report it as a bug"
RANDOM = 2  # images; there are two photographs, too


@dataclass(frozen=True, kw_only=True)
class Check:
    """The largest difference of logits, as a share of the largest logit, and how much is allowed."""

    difference: float
    tolerance: float

    def __str__(self) -> str:
        how = (
            f"within {self.difference:.1e} of the largest ({self.tolerance:g} is allowed)"
            if self.difference
            else "exactly"
        )
        return f"the network's logits on {RANDOM} random images and 2 photographs, {how}"


class Reference:
    """The logits of the torch network, computed once for all formats."""

    def __init__(self, deliverable: Deliverable) -> None:
        import torch

        self.images = batches(deliverable)
        with torch.no_grad():
            self.logits = [deliverable.network(torch.from_numpy(images)).numpy() for images in self.images]

    def check(self, name: str, answers: Sequence[Array], precision: str) -> Check:
        """Compares the logits of an exported file with them.

        Raises:
            NegativeAnswer: they differ by more than the tolerance.
        """
        difference, tolerance = 0.0, TOLERANCES[precision]
        for given, expected in zip(answers, self.logits, strict=True):
            if given.shape != expected.shape or not np.isfinite(given).all():
                raise NegativeAnswer(f"{name} gives {given.shape} logits, or values that are not finite", BUG)
            difference = max(difference, float(np.abs(given - expected).max() / np.abs(expected).max()))
        if difference > tolerance:
            raise NegativeAnswer(
                f"{name} differs from the network by {difference:.1e} of the largest logit; {tolerance:g} is allowed",
                BUG if precision == "fp32" else "nothing was written; export it in fp32",
            )
        return Check(difference=difference, tolerance=tolerance)


def batches(deliverable: Deliverable) -> list[Array]:
    """Four images in batches of the size that the network is exported for; of two sizes where it takes any."""
    images = np.concatenate([_random(deliverable.resolution), _photographs(deliverable.resolution)])
    if not deliverable.batch:
        return [images[:1], images[1:]]
    repeated = images[np.arange(-(-len(images) // deliverable.batch) * deliverable.batch) % len(images)]
    return list(repeated.reshape(-1, deliverable.batch, *images.shape[1:]))


def _random(resolution: int) -> Array:
    return np.random.default_rng(0).standard_normal((RANDOM, 3, resolution, resolution), dtype=np.float32)


@cache
def _photographs(resolution: int) -> Array:
    """Two photographs that scikit-learn contains, prepared as the network's input."""
    from PIL import Image

    # Read as files: importing scikit-learn takes longer than all the rest of an export.
    package = find_spec("sklearn")
    assert package and package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "images"
    pictures = [Image.open(folder / f"{name}.jpg").resize((resolution, resolution)) for name in ("china", "flower")]
    pixels = np.stack([np.asarray(picture, dtype=np.float32) for picture in pictures]) / 255
    normalised = (pixels - np.array(MEAN, dtype=np.float32)) / np.array(STD, dtype=np.float32)
    return np.ascontiguousarray(normalised.transpose(0, 3, 1, 2))
