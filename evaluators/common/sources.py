"""The images of a data set, read one at a time when they are needed: a folder, a Hugging Face set, or a built-in one.

Sides and classes are those of `data.py`: what a short training validates on, a full one validates on, too.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators.common import data
from evaluators.common.data import HUGGING_FACE
from evaluators.common.folder import SMALLEST
from evaluators.common.images import Answers, Asked
from search_spaces.common.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

NO_LABEL = -1  # of an image that could not be read


class Pile(Protocol):
    """Images by number, and what people call them. It travels to the processes that read."""

    def __getitem__(self, index: int) -> "Image":
        """An image; may raise whatever a decoder raises."""

    def told(self, index: int) -> str:
        """Its name."""


@dataclass(frozen=True)
class Files:
    """Image files of a folder."""

    root: Path
    paths: Sequence[Path]

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        with Image.open(self.paths[index]) as image:
            return image.convert("RGB")

    def told(self, index: int) -> str:
        """The path within the folder."""
        return str(self.paths[index].relative_to(self.root))


@dataclass(frozen=True)
class Rows:
    """Rows of a Hugging Face set."""

    rows: Any
    column: str

    def __getitem__(self, index: int) -> "Image":
        image: Image = self.rows[index][self.column]
        return image.convert("RGB")

    def told(self, index: int) -> str:
        """The number of the row."""
        return f"row {index}"


@dataclass(frozen=True)
class Held:
    """Images in memory, (N, 3, H, W) in bytes."""

    pixels: "Tensor"

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        return Image.fromarray(self.pixels[index].permute(1, 2, 0).numpy())

    def told(self, index: int) -> str:
        """The number of the image."""
        return f"image {index}"


class Pictures:
    """Some images of a pile with their labels, as torch's loaders read them; `transform` is set by timm's.

    An image that cannot be read is marked, in memory that all reading processes share. In training the next readable
    one takes its place, so that every batch is full; in validation its label is NO_LABEL.
    """

    def __init__(self, pile: Pile, chosen: Sequence[int], labels: Sequence[int], *, replaces: bool) -> None:
        import torch

        self.pile, self.chosen, self.labels, self.replaces = pile, chosen, labels, replaces
        self.bad = torch.zeros(len(chosen), dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]
        self.transform: Callable[[Image], Any] | None = None

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        assert self.transform
        for at in range(index, index + len(self) if self.replaces else index + 1):
            number = at % len(self)
            if not self.bad[number] and (image := self._read(number)):
                return self.transform(image), self.labels[number]
        return self.transform(Image.new("RGB", (SMALLEST, SMALLEST))), NO_LABEL

    def _read(self, number: int) -> "Image | None":
        try:
            image = self.pile[self.chosen[number]]
        except Exception:  # a broken file may raise anything in a decoder
            image = None
        if image and min(image.size) >= SMALLEST:
            return image
        self.bad[number] = 1
        return None

    def every(self, first: int, step: int) -> "Pictures":
        """The share of one process among several: no image twice, none left out."""
        return Pictures(self.pile, self.chosen[first::step], self.labels[first::step], replaces=self.replaces)

    def named(self, count: int) -> list[str]:
        """The first so many that could not be read."""
        return [self.pile.told(self.chosen[number]) for number in self.bad.nonzero().flatten().tolist()[:count]]


@dataclass(frozen=True, kw_only=True)
class Source(Asked):
    """A data set, opened: what to train on, what to validate on, and what is asked. Its identity is `data.identity`."""

    train: Pictures
    valid: Pictures
    mirrors: bool = True
    is_sized: bool = False  # the images have the resolution of the training
    remarks: tuple[str, ...] = ()


def opened(name: str, resolution: int) -> Source:
    """The data set of a name, as `nas train --data` takes it.

    Raises:
        Unavailable: there is no such data set here.
        UsageError: nothing can be learnt from it; says what is wrong with it.
    """
    if reason := data.missing(name):
        raise reason
    if name in data.BUILT_IN:
        return _built_in(name, resolution)
    return _rows(name) if name.startswith(HUGGING_FACE) else _files(name)


def _built_in(name: str, resolution: int) -> Source:
    images = data.load(name, resolution)
    sides = ((images.train_pixels, images.train_labels, True), (images.valid_pixels, images.valid_labels, False))
    train, valid = (Pictures(Held(x), range(len(y)), y.tolist(), replaces=replaces) for x, y, replaces in sides)
    return Source(
        name=name,
        identity=data.identity(name),
        heads=images.heads,
        train=train,
        valid=valid,
        mirrors=images.mirrors,
        is_sized=True,
        remarks=images.remarks,
    )


def _files(name: str) -> Source:
    from evaluators.common.folder import checked

    listed, classes = checked(Path(name))
    paths = [path for path, _, _ in listed]
    labels = np.array([classes.index(each) for _, each, _ in listed])
    marks = None if listed[0][2] is None else np.array([bool(is_valid) for _, _, is_valid in listed])
    valid = _sides(labels, marks)
    copies = _copies(paths, valid)
    remark = f"{len(copies)} images to train on are copies of validation images: left out"
    train = np.setdiff1d(np.flatnonzero(~valid), copies)
    return _source(name, Files(Path(name), paths), labels, train, valid, len(classes), (remark,) if copies else ())


def _rows(name: str) -> Source:
    import datasets

    from evaluators.common.hugging_face import image_and_label, opened_set

    train, own = opened_set(name.removeprefix(HUGGING_FACE))
    image, label = image_and_label(name, train.features)
    rows = train if own is None else datasets.concatenate_datasets([train, own])
    labels = np.array(rows[label])
    marks = None if own is None else np.arange(len(labels)) >= len(train)
    known = labels >= 0  # the labels of some sets' test images are not published
    valid = _sides(labels, marks)
    pile = Rows(rows.select_columns([image]), image)
    return _source(
        name, pile, labels, np.flatnonzero(~valid & known), valid & known, len(train.features[label].names), ()
    )


def _sides(labels: NDArray[np.int64], marks: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Which images validate: those that the source says, or every fifth of each class."""
    return marks if marks is not None else data.every_fifth(labels, np.random.default_rng(0).permutation(len(labels)))


def _copies(paths: Sequence[Path], valid: NDArray[np.bool_]) -> list[int]:
    """The images to train on that are, byte for byte, images to validate on. Only files of one size are read."""
    sizes: Mapping[int, list[int]] = _grouped([path.stat().st_size for path in paths])
    suspects = [number for same in sizes.values() if 0 < valid[same].sum() < len(same) for number in same]
    keys = {number: hashlib.sha256(paths[number].read_bytes()).digest() for number in suspects}
    kept = {key for number, key in keys.items() if valid[number]}
    return [number for number, key in keys.items() if key in kept and not valid[number]]


def _grouped(values: Sequence[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for number, value in enumerate(values):
        groups.setdefault(value, []).append(number)
    return groups


def _source(
    name: str,
    pile: Pile,
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    valid: NDArray[np.bool_],
    classes: int,
    remarks: tuple[str, ...],
) -> Source:
    kept = np.flatnonzero(valid)
    data.check_sides(name, labels[train], len(kept))
    if labels.max() >= classes:
        raise UsageError(f"'{name}' has labels up to {labels.max()} and names {classes} classes", "mend the set")
    chance = float(np.bincount(labels[kept]).max() / len(kept))
    sides = [
        Pictures(pile, side.tolist(), labels[side].tolist(), replaces=replaces)
        for side, replaces in ((train, True), (kept, False))
    ]
    return Source(
        name=name,
        identity=data.identity(name),
        heads=(Answers(name="class", first=0, classes=classes, chance=chance),),
        train=sides[0],
        valid=sides[1],
        remarks=remarks,
    )
