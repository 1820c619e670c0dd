"""The task that a data set poses, the decoding of its images, and a data set in memory."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Pixels = NDArray[np.uint8]  # (N, H, W, 3), or (H, W, 3) of one image
TRAIN, VALID = ("train", "training"), ("validation", "valid", "val", "test")  # usual names of the two splits
SMALLEST = 8  # pixels on the shorter side
DEEP = ("I", "I;16", "I;16B", "I;16L")  # modes of 16-bit grey images, which Pillow would convert to white


class Unreadable(Exception):
    """An image that cannot be used; the message says why in a few words."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """One question of a task, with the labels from `first` to `first + classes - 1`."""

    name: str
    first: int
    classes: int
    chance: float  # accuracy of always giving the most common answer, from 0 to 1


@dataclass(frozen=True, kw_only=True)
class Task:
    """The task of a data set: its heads. Only results with equal identities are comparable."""

    name: str
    identity: str
    heads: tuple[Head, ...]

    @property
    def classes(self) -> int:
        """The number of outputs that a network needs."""
        return sum(head.classes for head in self.heads)

    def skill(self, accuracies: Mapping[str, float]) -> float:
        """The mean over heads of (accuracy - chance) / (1 - chance): 0 is chance, 1 is perfect."""
        shares = [(accuracies[head.name] - head.chance) / (1 - head.chance) for head in self.heads]
        return sum(shares) / len(shares)


@dataclass(frozen=True, kw_only=True)
class Images(Task):
    """A data set in memory at one resolution. Pixels are bytes (N, 3, H, W), labels (N,) run through all heads.

    `identity` is a digest of pixels, labels and split.
    """

    train_pixels: "Tensor"
    train_labels: "Tensor"
    valid_pixels: "Tensor"
    valid_labels: "Tensor"
    mirrors: bool  # whether an image and its mirror image have the same label
    remarks: tuple[str, ...] = ()  # sentences about images that are left out


def decoded(image: "Image") -> "Image":
    """An image in RGB; of an animated image, the first frame.

    Raises:
        Unreadable: it is too small, or its pixels are not colours. A broken file may raise any error.
    """
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise Unreadable(f"{width} x {height} pixels")
    if image.mode == "F":
        raise Unreadable("pixels are fractions, not colours")
    return (_shallow(image) if image.mode in DEEP else image).convert("RGB")


def _shallow(image: "Image") -> "Image":
    """The upper 8 bits of a 16-bit image."""
    from PIL import Image

    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int64) // 256, 0, 255).astype(np.uint8))


def scaled(image: "Image", resolution: int) -> Pixels:
    """The central square of an image, scaled to bytes (resolution, resolution, 3)."""
    from PIL import Image, ImageOps

    size = (resolution, resolution)
    return np.asarray(ImageOps.fit(image.convert("RGB"), size, method=Image.Resampling.BICUBIC))


def content_digest(arrays: Sequence[NDArray[np.generic]]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of some arrays."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]
