"""What a data set asks, how one of its images is decoded, and images that are held in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Pixels = NDArray[np.uint8]  # (N, H, W, 3), or (H, W, 3) of one image
TRAIN, VALID = ("train", "training"), ("validation", "valid", "val", "test")  # what sources call their two sides
SMALLEST = 8  # pixels on the shorter side
DEEP = ("I", "I;16", "I;16B", "I;16L")  # modes of grey images with 16 bits, which Pillow would turn white


class Unreadable(Exception):
    """An image from which nothing can be learnt; says why in a few words."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One question that images ask: its name, its first label, and how many answers it knows."""

    name: str
    first: int
    classes: int
    chance: float  # the share of right answers of who always gives the most common one


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a data set asks. Results on equal identities may be compared."""

    name: str
    identity: str
    heads: tuple[Answers, ...]

    @property
    def classes(self) -> int:
        """Outputs that a network needs."""
        return sum(head.classes for head in self.heads)

    def skill(self, accuracies: Mapping[str, float]) -> float:
        """The mean over heads of (accuracy - chance) / (1 - chance): 0 is guessing, 1 is perfect."""
        shares = [(accuracies[head.name] - head.chance) / (1 - head.chance) for head in self.heads]
        return sum(shares) / len(shares)


@dataclass(frozen=True, kw_only=True)
class Images(Asked):
    """A data set in memory at one resolution. Pixels are bytes (N, 3, H, W); labels (N,) count through all heads.

    `identity` is equal for equal pixels, labels and split.
    """

    train_pixels: "Tensor"
    train_labels: "Tensor"
    valid_pixels: "Tensor"
    valid_labels: "Tensor"
    mirrors: bool  # whether an image and its mirror image have the same label
    remarks: tuple[str, ...] = ()  # what was found and left out, in sentences


def decoded(image: "Image") -> "Image":
    """An opened image as colours; of an animated one, the first frame.

    Raises:
        Unreadable: it is too small, or its pixels are no colours. A broken file raises what it likes.
    """
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise Unreadable(f"{width} x {height} pixels")
    if image.mode == "F":
        raise Unreadable("pixels are fractions, not colours")
    return (_shallow(image) if image.mode in DEEP else image).convert("RGB")


def _shallow(image: "Image") -> "Image":
    """The upper 8 of 16 bits."""
    from PIL import Image

    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int64) // 256, 0, 255).astype(np.uint8))


def scaled(image: "Image", resolution: int) -> Pixels:
    """The middle square of an image, as bytes (resolution, resolution, 3)."""
    from PIL import Image, ImageOps

    size = (resolution, resolution)
    return np.asarray(ImageOps.fit(image.convert("RGB"), size, method=Image.Resampling.BICUBIC))
