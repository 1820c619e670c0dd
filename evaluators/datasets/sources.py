"""An open data set: its images, its split into training and validation, and its task.

Short trainings, which hold images in memory, and full trainings, which read them on demand, use the same split. It is
decided from the listing before any image is read, so an unreadable image does not change the split of the others.
Training leaves out exact copies of validation images.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets import data
from evaluators.datasets.data import HUGGING_FACE
from evaluators.datasets.folder import listed
from evaluators.datasets.images import SMALLEST, Head, Pixels, Task, Unreadable, scaled
from search_spaces.common.errors import UsageError
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from PIL.Image import Image

Labels = NDArray[np.int64]
SPLIT = 2  # revision of the rule of the split
VALIDATION = 5  # one image in five validates, if a data set has no validation split of its own
FEWEST_VALID = 10  # validation images
SYNTHETIC_TRAIN, SYNTHETIC_VALID = 10_000, 5_000
NO_LABEL = -1  # of an image that could not be read
TAIL = 4096  # bytes at the end of a file, in which most files of one size differ


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


@dataclass(frozen=True, kw_only=True)
class Source(Task):
    """An open data set: its training and validation images and its task. Its identity is `data.identity`."""

    train: Pictures
    valid: Pictures
    mirrors: bool = True  # whether an image and its mirror image have the same label
    is_sized: bool = False  # the images are in memory, at the requested resolution
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The listing of a data set: images with labels, and its own validation split, if it has one."""

    images: Collection
    labels: Labels
    classes: tuple[str, ...]
    valid: NDArray[np.bool_] | None = None
    heads: tuple[Head, ...] = ()  # empty: one head for all classes
    mirrors: bool = True
    is_sized: bool = False


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The numbers of the images in each split, in random order, so that any first part is a fair sample."""

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
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

# Listings


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


# The split


def split(name: str, listing: Listing) -> Sides:
    """Splits a listing: as the set itself does, or else every fifth image of a class validates.

    Raises:
        UsageError: a label beyond the classes, fewer than two classes, or too few validation images.
    """
    labels, remarks = listing.labels, []
    if labels.max(initial=0) >= len(listing.classes):
        raise UsageError(
            f"'{name}' has labels up to {labels.max()} for {len(listing.classes)} classes", "correct its labels"
        )
    known = labels >= 0
    if not known.all():
        remarks.append(f"{(~known).sum()} of {len(known)} images have no label: left out")
    order = np.random.default_rng(0).permutation(len(labels))
    valid = listing.valid
    if valid is not None and not (valid & known).any():
        remarks.append("no image of its validation split has a label: every fifth of the others validates")
        valid = None
    valid = every_fifth(np.where(known, labels, NO_LABEL), order) if valid is None else valid & known
    copies, contradictions = _copies(listing.images, labels, valid)
    if len(copies):
        remarks.append(f"{len(copies)} images to train on are copies of validation images: left out")
    if contradictions:
        remarks.append(f"{contradictions} images occur in several classes: the best possible accuracy is below 100 %")
    leaking = np.isin(np.arange(len(labels)), copies)
    train = order[(~valid & known & ~leaking)[order]]
    check_sides(name, labels[train], int(valid.sum()))
    return Sides(train=train, valid=order[valid[order]], remarks=(*remarks, *_scarce(labels[known], listing.classes)))


def check_sides(name: str, trained: Labels, validated: int) -> None:
    """Checks that a set has enough to train on, given its training labels, and to validate on.

    Raises:
        UsageError: fewer than two classes, or too few validation images.
    """
    classes = len(set(trained.tolist()))
    if classes < 2 or validated < FEWEST_VALID:
        raise UsageError(
            f"'{name}' has {len(trained)} images of {classes} classes to train on and {validated} to validate on",
            f"two classes and {FEWEST_VALID} validation images are the least",
        )


def every_fifth(labels: Labels, order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The validation images: of each class, in the given order, the first and then every fifth; a single one trains."""
    valid = np.zeros(len(labels), dtype=bool)
    for value in np.unique(labels[labels >= 0]):
        members = order[labels[order] == value]
        valid[members[::VALIDATION]] = len(members) > 1
    return valid


def _scarce(labels: Labels, classes: Sequence[str]) -> list[str]:
    """A remark on classes with too few images for a meaningful validation."""
    counts = np.bincount(labels, minlength=len(classes))
    few = [f"{name} ({count})" for name, count in zip(classes, counts.tolist(), strict=True) if count < VALIDATION]
    rest = f" and {len(few) - 3} more" if len(few) > 3 else ""
    return [f"classes with fewer than {VALIDATION} images: {', '.join(few[:3])}{rest}"] if few else []


def _copies(images: Collection, labels: Labels, valid: NDArray[np.bool_]) -> tuple[list[int], int]:
    """The training images that are exact copies of validation images, and how many images have several labels.

    Only images of equal size are read, and their ends first: of a large set, hardly any image is read whole.
    """
    copies: list[int] = []
    contradictions = 0
    for same in _equal(images):
        copies += [number for number in same if not valid[number]] if valid[same].any() else []
        contradictions += len({int(labels[number]) for number in same} - {NO_LABEL}) > 1
    return sorted(copies), contradictions


def _equal(images: Collection) -> list[list[int]]:
    """Groups of images with equal bytes."""
    sizes = images.sizes
    kept = [number for number, size in enumerate(sizes) if size > 0]
    groups = _grouped(kept, [sizes[number] for number in kept])
    for last in (TAIL, 0):
        groups = [part for group in groups for part in _grouped(group, [_digest(images, n, last) for n in group])]
    return groups


def _grouped(numbers: Sequence[int], keys: Sequence[object]) -> list[list[int]]:
    """Groups of two or more numbers with equal keys."""
    groups: dict[object, list[int]] = {}
    for number, key in zip(numbers, keys, strict=True):
        groups.setdefault(key, []).append(number)
    return [group for group in groups.values() if len(group) > 1]


def _digest(images: Collection, number: int, last: int) -> bytes:
    try:
        return hashlib.sha256(images.content(number, last)).digest()
    except OSError:
        return str(number).encode()  # an unreadable image equals no other
