"""Collections of images, and one split of a data set as torch's loaders read it."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import SMALLEST, Pixels, Unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

Labels = NDArray[np.int64]
NO_LABEL = -1  # of an image that could not be read


class Collection(Protocol):
    """Images by number. Must be picklable: it is sent to the processes that read."""

    @property
    def sizes(self) -> Sequence[int]:
        """The stored size of each image in bytes."""

    def __getitem__(self, index: int) -> "Image":
        """An image in RGB; may raise any error of a decoder."""

    def content(self, index: int, last: int = 0) -> bytes:
        """The stored bytes of an image: all of them, or the last `last`."""

    def name(self, index: int) -> str:
        """The name of an image, for people."""


@dataclass(frozen=True)
class ArrayImages:
    """Images in memory, as bytes (N, H, W, 3)."""

    pixels: Pixels

    @property
    def sizes(self) -> Sequence[int]:
        """The size of each image in bytes: equal for all."""
        return [int(self.pixels[0].nbytes)] * len(self.pixels)

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        return Image.fromarray(self.pixels[index])

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of an image: all of them, or the last `last`."""
        return bytes(self.pixels[index].tobytes()[-last:])

    def name(self, index: int) -> str:
        """The number of the image, for people."""
        return f"image {index}"


class Pictures:
    """One split of a data set, in the form that torch's loaders read; timm's loader sets `transform`.

    `numbers` and `labels` list its images. An unreadable image is marked in `bad`, in memory shared by all reading
    processes. If `replaces`, as in training, the next readable image replaces it, so that every batch is full;
    otherwise its label is NO_LABEL.
    """

    def __init__(self, images: Collection, numbers: Sequence[int], labels: Sequence[int], *, replaces: bool) -> None:
        import torch

        self.images, self.numbers, self.labels, self.replaces = images, numbers, labels, replaces
        self.bad = torch.zeros(len(numbers), dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]
        self.transform: Callable[[Image], Any] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        assert self.transform
        for candidate in range(index, index + len(self) if self.replaces else index + 1):
            number = candidate % len(self)
            if self.bad[number]:
                continue
            image = self.read(number)
            if not isinstance(image, str):
                return self.transform(image), self.labels[number]
        return self.transform(Image.new("RGB", (SMALLEST, SMALLEST))), NO_LABEL

    def read(self, number: int) -> "Image | str":
        """The image at a position of the split; or, if it cannot be read, the reason, and the image is marked."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about palettes, metadata and large images
                return self.images[self.numbers[number]]
        except Exception as error:  # a broken file may raise any error in a decoder
            self.bad[number] = 1
            return str(error) if isinstance(error, Unreadable) else type(error).__name__

    def every(self, first: int, step: int) -> "Pictures":
        """Every `step`-th image from `first` on: the share of one process, disjoint from those of the others."""
        return Pictures(self.images, self.numbers[first::step], self.labels[first::step], replaces=self.replaces)

    def name(self, number: int) -> str:
        """The name of an image, for people."""
        return self.images.name(self.numbers[number])

    def named(self, count: int) -> list[str]:
        """The names of the first `count` unreadable images."""
        return [self.name(number) for number in self.bad.nonzero().flatten().tolist()[:count]]
