"""An open data set: its images, its split into training and validation, and its task.

Short trainings, which hold images in memory, and full trainings, which read them on demand, use the same split.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluators.datasets import data
from evaluators.datasets.data import HUGGING_FACE
from evaluators.datasets.folder import listed
from evaluators.datasets.images import Head, Pixels, Task, scaled
from evaluators.datasets.pictures import ArrayImages, Pictures
from evaluators.datasets.split import Listing, Sides, split
from search_spaces.common.texts import is_folder

SYNTHETIC_TRAIN, SYNTHETIC_VALID = 10_000, 5_000


@dataclass(frozen=True, kw_only=True)
class Source(Task):
    """An open data set: its training and validation images and its task. Its identity is `data.identity`."""

    train: Pictures
    valid: Pictures
    mirrors: bool = True  # whether an image and its mirror image have the same label
    is_sized: bool = False  # the images are in memory, at the requested resolution
    remarks: tuple[str, ...] = ()


def opened(name: str, resolution: int, limit: int = 0, say: Callable[[str], None] = lambda message: None) -> Source:
    """Opens a data set by its name.

    Built-in sets are drawn at `resolution`, the procedural one with `limit` training images (0: the default).

    Raises:
        Unavailable: there is no such data set.
        UsageError: it cannot be trained on; the message says why.
    """
    if reason := data.missing(name):
        raise reason
    if name in data.BUILT_IN:
        listing = _built_in(name, resolution, limit)
        return _source(name, listing, split(name, listing))
    return _source(name, *_kept(str(Path(name).resolve()) if is_folder(name) else name, say))


def _kept(name: str, say: Callable[[str], None]) -> tuple[Listing, Sides]:
    """A set that is not built in: listed and split once in a process, for all resolutions."""
    if name not in _opened:
        listing = _rows(name, say) if name.startswith(HUGGING_FACE) else _files(name)
        _opened[name] = listing, split(name, listing)
    return _opened[name]


def _source(name: str, listing: Listing, sides: Sides) -> Source:
    labels = listing.labels
    chance = float(np.bincount(labels[sides.valid]).max() / len(sides.valid))
    head = Head(name="class", first=0, classes=len(listing.classes), chance=chance)
    train, valid = (
        Pictures(listing.images, side.tolist(), labels[side].tolist(), replaces=replaces)
        for side, replaces in ((sides.train, True), (sides.valid, False))
    )
    return Source(
        name=name,
        identity=data.identity(name),
        heads=listing.heads or (head,),
        train=train,
        valid=valid,
        mirrors=listing.mirrors,
        is_sized=listing.is_sized,
        remarks=sides.remarks,
    )


_opened: dict[str, tuple[Listing, Sides]] = {}  # by name


def _built_in(name: str, resolution: int, limit: int) -> Listing:
    return _digits(resolution) if name == "digits" else _synthetic(resolution, limit or SYNTHETIC_TRAIN)


def _digits(resolution: int) -> Listing:
    """1797 handwritten digits, 8 x 8 pixels, enlarged."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Listing(
        images=ArrayImages(_enlarged((digits.images * (255 / 16)).round().astype(np.uint8), resolution)),
        labels=digits.target.astype(np.int64),
        classes=tuple(str(name) for name in digits.target_names),
        mirrors=False,
        is_sized=True,
    )


def _synthetic(resolution: int, count: int) -> Listing:
    from evaluators.datasets import synthetic

    heads: list[Head] = []
    for head in synthetic.HEADS:
        first = sum(earlier.classes for earlier in heads)
        heads.append(Head(name=head.name, first=first, classes=head.classes, chance=1 / head.classes))
    drawn = [synthetic.draw(number, seed) for seed, number in enumerate((count, SYNTHETIC_VALID))]
    pixels, labels = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    return Listing(
        images=ArrayImages(pixels if resolution == synthetic.SIDE else _enlarged(pixels, resolution)),
        labels=labels,
        classes=tuple(f"{head.name} {answer}" for head in heads for answer in range(head.classes)),
        valid=np.arange(len(labels)) >= count,
        heads=tuple(heads),
        mirrors=False,
        is_sized=True,
    )


def _enlarged(pixels: Pixels, resolution: int) -> Pixels:
    from PIL import Image

    return np.stack([scaled(Image.fromarray(image), resolution) for image in pixels])


def _files(name: str) -> Listing:
    folder = listed(Path(name))
    valid = None if folder.valid is None else np.array(folder.valid)
    return Listing(images=folder, labels=np.array(folder.labels, dtype=np.int64), classes=folder.classes, valid=valid)


def _rows(name: str, say: Callable[[str], None]) -> Listing:
    from evaluators.datasets.hugging_face import opened_rows

    rows = opened_rows(name.removeprefix(HUGGING_FACE), say)
    has_split = rows.trained < len(rows.labels)
    valid = np.arange(len(rows.labels)) >= rows.trained if has_split else None
    return Listing(images=rows, labels=rows.labels, classes=rows.classes, valid=valid)
