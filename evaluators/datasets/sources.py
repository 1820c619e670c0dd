"""A data set, opened: its images, which of them train and which validate, and what they ask.

There is one rule, for a short training that holds its images in memory and for a full one that reads them when it
needs them. Sides are decided by what is listed, before any image is read: those that cannot be read are then missing
from their side, and no other image changes sides. Copies of validation images, byte for byte, are left out of training.
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
from evaluators.datasets.images import SMALLEST, Answers, Asked, Pixels, Unreadable, scaled
from search_spaces.common.errors import UsageError
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from PIL.Image import Image

Labels = NDArray[np.int64]
SPLIT = 2  # revision of the rule
VALIDATION = 5  # one image of so many is kept for validation, where a data set has no validation images of its own
FEWEST_VALID = 10
SYNTHETIC_TRAIN, SYNTHETIC_VALID = 10_000, 5_000
NO_LABEL = -1  # of an image that could not be read
TAIL = 4096  # bytes at the end of a file, by which most files of one size differ


class Collection(Protocol):
    """Images by number. It travels to the processes that read."""

    @property
    def sizes(self) -> Sequence[int]:
        """Bytes of each image, as it is kept."""

    def __getitem__(self, index: int) -> "Image":
        """An image as colours; may raise whatever a decoder raises."""

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of an image, as it is kept: all, or the last so many."""

    def name(self, index: int) -> str:
        """What people call it."""


@dataclass(frozen=True)
class Held:
    """Images in memory, (N, H, W, 3) in bytes."""

    pixels: Pixels

    @property
    def sizes(self) -> Sequence[int]:
        """Bytes of each image: the same for all."""
        return [int(self.pixels[0].nbytes)] * len(self.pixels)

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        return Image.fromarray(self.pixels[index])

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of an image: all, or the last so many."""
        return bytes(self.pixels[index].tobytes()[-last:])

    def name(self, index: int) -> str:
        """The number of the image."""
        return f"image {index}"


class Pictures:
    """One side of a data set, as torch's loaders read it; `transform` is set by timm's.

    An image that cannot be read is marked, in memory that all reading processes share. In training the next readable
    one takes its place, so that every batch is full; in validation its label is NO_LABEL.
    """

    def __init__(self, images: Collection, chosen: Sequence[int], labels: Sequence[int], *, replaces: bool) -> None:
        import torch

        self.images, self.chosen, self.labels, self.replaces = images, chosen, labels, replaces
        self.bad = torch.zeros(len(chosen), dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]
        self.transform: Callable[[Image], Any] | None = None

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        assert self.transform
        for at in range(index, index + len(self) if self.replaces else index + 1):
            number = at % len(self)
            if self.bad[number]:
                continue
            image = self.read(number)
            if not isinstance(image, str):
                return self.transform(image), self.labels[number]
        return self.transform(Image.new("RGB", (SMALLEST, SMALLEST))), NO_LABEL

    def read(self, number: int) -> "Image | str":
        """An image; or why it cannot be read, and from then on it is marked."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of palettes, of metadata, and of images that are merely large
                return self.images[self.chosen[number]]
        except Exception as error:  # a broken file may raise anything in a decoder
            self.bad[number] = 1
            return str(error) if isinstance(error, Unreadable) else type(error).__name__

    def every(self, first: int, step: int) -> "Pictures":
        """The share of one process among several: no image twice, none left out."""
        return Pictures(self.images, self.chosen[first::step], self.labels[first::step], replaces=self.replaces)

    def name(self, number: int) -> str:
        """What people call an image."""
        return self.images.name(self.chosen[number])

    def named(self, count: int) -> list[str]:
        """The first so many that could not be read."""
        return [self.name(number) for number in self.bad.nonzero().flatten().tolist()[:count]]


@dataclass(frozen=True, kw_only=True)
class Source(Asked):
    """A data set, opened: what to train on, what to validate on, and what is asked. Its identity is `data.identity`."""

    train: Pictures
    valid: Pictures
    mirrors: bool = True  # whether an image and its mirror image have the same label
    is_sized: bool = False  # the images are in memory, at the resolution that was asked for
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a data set lists: images with their labels, and which are for validation, if it says so itself."""

    images: Collection
    labels: Labels
    classes: tuple[str, ...]
    valid: NDArray[np.bool_] | None = None
    heads: tuple[Answers, ...] = ()  # none: one, of all classes
    mirrors: bool = True
    is_sized: bool = False


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The numbers of the images that train and that validate, in an order in which any first part is a fair sample."""

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    remarks: tuple[str, ...] = ()


def opened(name: str, resolution: int, limit: int = 0, say: Callable[[str], None] = lambda words: None) -> Source:
    """The data set of a name. Built-in sets are drawn at a resolution, the procedural one with `limit` to train on.

    Raises:
        Unavailable: there is no such data set here.
        UsageError: nothing can be learnt from it; says what is wrong with it.
    """
    if reason := data.missing(name):
        raise reason
    if name in data.BUILT_IN:
        listing = _built_in(name, resolution, limit)
        return _source(name, listing, split(name, listing))
    return _source(name, *_kept(str(Path(name).resolve()) if is_folder(name) else name, say))


def _kept(name: str, say: Callable[[str], None]) -> tuple[Listing, Sides]:
    """A set that is not built in: listed and compared once in a process, whatever the resolution."""
    if name not in _opened:
        listing = _rows(name, say) if name.startswith(HUGGING_FACE) else _files(name)
        _opened[name] = listing, split(name, listing)
    return _opened[name]


def _source(name: str, listing: Listing, sides: Sides) -> Source:
    labels = listing.labels
    chance = float(np.bincount(labels[sides.valid]).max() / len(sides.valid))
    head = Answers(name="class", first=0, classes=len(listing.classes), chance=chance)
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

# What sets list


def _built_in(name: str, resolution: int, limit: int) -> Listing:
    return _digits(resolution) if name == "digits" else _synthetic(resolution, limit or SYNTHETIC_TRAIN)


def _digits(resolution: int) -> Listing:
    """1797 handwritten digits, 8 x 8 pixels, enlarged."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Listing(
        images=Held(_enlarged((found.images * (255 / 16)).round().astype(np.uint8), resolution)),
        labels=found.target.astype(np.int64),
        classes=tuple(str(each) for each in found.target_names),
        mirrors=False,
        is_sized=True,
    )


def _synthetic(resolution: int, count: int) -> Listing:
    from evaluators.datasets import synthetic

    heads: list[Answers] = []
    for head in synthetic.HEADS:
        first = sum(each.classes for each in heads)
        heads.append(Answers(name=head.name, first=first, classes=head.classes, chance=1 / head.classes))
    drawn = [synthetic.draw(number, seed) for seed, number in enumerate((count, SYNTHETIC_VALID))]
    pixels, labels = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    return Listing(
        images=Held(pixels if resolution == synthetic.SIDE else _enlarged(pixels, resolution)),
        labels=labels,
        classes=tuple(f"{head.name} {answer}" for head in heads for answer in range(head.classes)),
        valid=np.arange(len(labels)) >= count,
        heads=tuple(heads),
        mirrors=False,
        is_sized=True,
    )


def _enlarged(pixels: Pixels, resolution: int) -> Pixels:
    from PIL import Image

    return np.stack([scaled(Image.fromarray(each), resolution) for each in pixels])


def _files(name: str) -> Listing:
    found = listed(Path(name))
    valid = None if found.valid is None else np.array(found.valid)
    return Listing(images=found, labels=np.array(found.labels, dtype=np.int64), classes=found.classes, valid=valid)


def _rows(name: str, say: Callable[[str], None]) -> Listing:
    from evaluators.datasets.hugging_face import opened_rows

    found = opened_rows(name.removeprefix(HUGGING_FACE), say)
    own = found.trained < len(found.labels)
    valid = np.arange(len(found.labels)) >= found.trained if own else None
    return Listing(images=found, labels=found.labels, classes=found.classes, valid=valid)


# The one rule


def split(name: str, listing: Listing) -> Sides:
    """Which images train and which validate; without the set's own choice, every fifth of each class validates.

    Raises:
        UsageError: a label beyond the classes, fewer than two classes, or too few images to validate on.
    """
    labels, remarks = listing.labels, []
    if labels.max(initial=0) >= len(listing.classes):
        raise UsageError(f"'{name}' has labels up to {labels.max()} for {len(listing.classes)} classes", "mend the set")
    known = labels >= 0
    if not known.all():
        remarks.append(f"{(~known).sum()} of {len(known)} images have no label: left out")
    order = np.random.default_rng(0).permutation(len(labels))
    valid = listing.valid
    if valid is not None and not (valid & known).any():
        remarks.append("no image of its validation part has a label: every fifth of the others validates")
        valid = None
    valid = every_fifth(np.where(known, labels, NO_LABEL), order) if valid is None else valid & known
    copies, contradictions = _copies(listing.images, labels, valid)
    if len(copies):
        remarks.append(f"{len(copies)} images to train on are copies of validation images: left out")
    if contradictions:
        remarks.append(f"{contradictions} images stand in several classes: the best possible accuracy is below 100 %")
    leaking = np.isin(np.arange(len(labels)), copies)
    train = order[(~valid & known & ~leaking)[order]]
    check_sides(name, labels[train], int(valid.sum()))
    return Sides(train=train, valid=order[valid[order]], remarks=(*remarks, *_scarce(labels[known], listing.classes)))


def check_sides(name: str, trained: Labels, validated: int) -> None:
    """Refuses a set with too little to train on, of those labels, or with too few images to validate on.

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
    """Which images validate: of each class, in that order, the first and then every fifth; a single image trains."""
    valid = np.zeros(len(labels), dtype=bool)
    for value in np.unique(labels[labels >= 0]):
        mine = order[labels[order] == value]
        valid[mine[::VALIDATION]] = len(mine) > 1
    return valid


def _scarce(labels: Labels, classes: Sequence[str]) -> list[str]:
    """What is to be said of classes with so few images that hardly one of them validates."""
    counts = np.bincount(labels, minlength=len(classes))
    few = [f"{name} ({count})" for name, count in zip(classes, counts.tolist(), strict=True) if count < VALIDATION]
    rest = f" and {len(few) - 3} more" if len(few) > 3 else ""
    return [f"classes with fewer than {VALIDATION} images: {', '.join(few[:3])}{rest}"] if few else []


def _copies(images: Collection, labels: Labels, valid: NDArray[np.bool_]) -> tuple[list[int], int]:
    """The images to train on that are validation images, byte for byte; and how many images have several labels.

    Only images of one size are read, their ends first: of a large set, hardly any is read whole.
    """
    copies: list[int] = []
    contradictions = 0
    for same in _equal(images):
        copies += [number for number in same if not valid[number]] if valid[same].any() else []
        contradictions += len({int(labels[number]) for number in same} - {NO_LABEL}) > 1
    return sorted(copies), contradictions


def _equal(images: Collection) -> list[list[int]]:
    """Groups of images that are equal, byte for byte."""
    sizes = images.sizes
    kept = [number for number, size in enumerate(sizes) if size > 0]
    groups = _grouped(kept, [sizes[number] for number in kept])
    for last in (TAIL, 0):
        groups = [part for group in groups for part in _grouped(group, [_digest(images, n, last) for n in group])]
    return groups


def _grouped(numbers: Sequence[int], keys: Sequence[object]) -> list[list[int]]:
    """The numbers with equal keys, where there are several."""
    groups: dict[object, list[int]] = {}
    for number, key in zip(numbers, keys, strict=True):
        groups.setdefault(key, []).append(number)
    return [group for group in groups.values() if len(group) > 1]


def _digest(images: Collection, number: int, last: int) -> bytes:
    try:
        return hashlib.sha256(images.content(number, last)).digest()
    except OSError:
        return str(number).encode()  # it cannot be read: nothing is equal to it
