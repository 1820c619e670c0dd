"""The one rule that splits a data set into training and validation.

It is decided from the listing before any image is read, so an unreadable image does not change the split of the others.
Training leaves out exact copies of validation images.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import Head
from evaluators.datasets.pictures import NO_LABEL, Collection, Labels
from search_spaces.common.errors import UsageError

SPLIT = 2  # revision of the rule of the split
VALIDATION = 5  # one image in five validates, if a data set has no validation split of its own
FEWEST_VALID = 10  # validation images
TAIL = 4096  # bytes at the end of a file, in which most files of one size differ


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
