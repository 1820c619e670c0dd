"""Where images come from: a folder of classes, a Hugging Face set, scikit-learn's digits, or the procedural set.

Everything is decoded once, scaled to the resolution of the training, and kept in memory. What is wrong with a data set
is said before anything is trained on it, with counts and names.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluators.common.images import Answers, Images
from search_spaces.common.errors import Unavailable, UsageError

Pixels = NDArray[np.uint8]  # (N, H, W, 3)
Labels = NDArray[np.int64]
HUGGING_FACE = "hf:"
BUILT_IN = ("digits", "synthetic")
TRAIN, VALID = ("train", "training"), ("validation", "valid", "val", "test")  # what sources call their two sides
VALIDATION = 5  # one image of so many is kept for validation, where a data set has no validation images of its own
SYNTHETIC_TRAIN, SYNTHETIC_VALID = 10_000, 5_000
FEWEST_VALID = 10


@dataclass(frozen=True, kw_only=True)
class Found:
    """Images as a source gives them. `valid` marks those that the source itself keeps for validation, if it does."""

    pixels: Pixels
    labels: Labels
    classes: tuple[str, ...]
    valid: NDArray[np.bool_] | None = None
    mirrors: bool = True
    remarks: tuple[str, ...] = ()


def missing(name: str) -> Unavailable | None:
    """Why there is no such data set, as far as can be told without reading it; None where it is there."""
    if name in BUILT_IN or Path(name).is_dir():
        return None
    if name.startswith(HUGGING_FACE):
        try:
            import datasets  # noqa: F401
        except ImportError:
            return Unavailable("Hugging Face's sets need the package datasets", "pip install datasets")
        return None
    return Unavailable(
        f"there is no data '{name}'",
        f"name a folder with a sub-folder of images for each class, {HUGGING_FACE}OWNER/NAME, or {', '.join(BUILT_IN)}",
    )


def identity(name: str) -> str:
    """The same text for the same data: numbers are compared only where it is equal. Reads no image.

    Raises:
        UsageError: it is a folder from which nothing can be learnt.
    """
    if not Path(name).is_dir() or name in BUILT_IN:
        return name
    from evaluators.common.folder import checked

    listing = "\n".join(f"{path.relative_to(name)} {path.stat().st_size}" for path, _, _ in checked(Path(name))[0])
    return "folder:" + hashlib.sha256(listing.encode()).hexdigest()[:16]


@lru_cache(maxsize=2)
def load(name: str, resolution: int, limit: int = 0) -> Images:
    """The images of a data set at a resolution; `limit` bounds those to train on (0: all of them).

    Raises:
        Unavailable: there is no such data set here.
        UsageError: nothing can be learnt from it; says what is wrong with it.
    """
    if reason := missing(name):
        raise reason
    if name == "synthetic":
        return _synthetic(resolution, limit or SYNTHETIC_TRAIN)
    if name == "digits":
        return split(name, _digits(resolution), limit)
    if name.startswith(HUGGING_FACE):
        from evaluators.common import hugging_face

        return split(name, hugging_face.read(name.removeprefix(HUGGING_FACE), resolution), limit)
    from evaluators.common import folder

    return split(name, folder.read(Path(name), resolution), limit)


def _digits(resolution: int) -> Found:
    """1797 handwritten digits, 8 x 8 pixels, enlarged."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = (found.images * (255 / 16)).round().astype(np.uint8)
    pixels = np.stack([scaled(Image.fromarray(each), resolution) for each in grey])
    classes = tuple(str(each) for each in found.target_names)
    return Found(pixels=pixels, labels=found.target.astype(np.int64), classes=classes, mirrors=False)


def _synthetic(resolution: int, count: int) -> Images:
    from PIL import Image

    from evaluators.common import synthetic

    heads, first = [], 0
    for head in synthetic.HEADS:
        heads.append(Answers(name=head.name, first=first, classes=head.classes, chance=1 / head.classes))
        first += head.classes
    parts = []
    for seed, number in enumerate((count, SYNTHETIC_VALID)):
        pixels, labels = synthetic.draw(number, seed)
        if resolution != synthetic.SIDE:
            pixels = np.stack([scaled(Image.fromarray(each), resolution) for each in pixels])
        parts.append((pixels, labels))
    return _images("synthetic", tuple(heads), parts[0], parts[1], mirrors=False)


def split(name: str, found: Found, limit: int) -> Images:
    """Training and validation images; without the source's own, every fifth of each class validates, for any limit.

    Exact copies never stand on both sides: those of validation images are left out of training.

    Raises:
        UsageError: fewer than two classes, or too few images to validate on.
    """
    order = np.random.default_rng(0).permutation(len(found.labels))
    valid = found.valid if found.valid is not None else every_fifth(found.labels, order)
    keys = np.array([hashlib.sha256(each.tobytes()).hexdigest() for each in found.pixels], dtype=object)
    leaking = ~valid & np.isin(keys, np.unique(keys[valid].astype(str)))
    remarks = list(found.remarks)
    if leaking.any():
        remarks.append(f"{leaking.sum()} images to train on are copies of validation images: left out")
    if contradicting := _contradictions(keys, found.labels):
        remarks.append(f"{contradicting} images stand in several classes: the best possible accuracy is below 100 %")
    train = order[~valid[order] & ~leaking[order]][: limit or None]
    chosen = order[valid[order]]
    check_sides(name, found.labels[train], len(chosen))
    counts = np.bincount(found.labels[chosen], minlength=len(found.classes))
    head = Answers(name="class", first=0, classes=len(found.classes), chance=float(counts.max() / counts.sum()))
    sides = [(found.pixels[side], found.labels[side]) for side in (train, chosen)]
    return _images(name, (head,), sides[0], sides[1], mirrors=found.mirrors, remarks=tuple(remarks))


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
    """Which images validate: of each class, in that order, the first and then every fifth."""
    valid = np.zeros(len(labels), dtype=bool)
    for value in np.unique(labels):
        valid[order[labels[order] == value][::VALIDATION]] = True
    return valid


def _contradictions(keys: NDArray[np.object_], labels: Labels) -> int:
    known: dict[str, set[int]] = {}
    for key, label in zip(keys.tolist(), labels.tolist(), strict=True):
        known.setdefault(key, set()).add(label)
    return sum(len(each) > 1 for each in known.values())


def _images(
    name: str,
    heads: tuple[Answers, ...],
    train: tuple[Pixels, Labels],
    valid: tuple[Pixels, Labels],
    *,
    mirrors: bool,
    remarks: tuple[str, ...] = (),
) -> Images:
    import torch

    pixels = [torch.from_numpy(np.ascontiguousarray(each.transpose(0, 3, 1, 2))) for each in (train[0], valid[0])]
    return Images(
        name=name,
        identity=_digest((*train, *valid)),
        heads=heads,
        train_pixels=pixels[0],
        train_labels=torch.from_numpy(train[1]),
        valid_pixels=pixels[1],
        valid_labels=torch.from_numpy(valid[1]),
        mirrors=mirrors,
        remarks=remarks,
    )


def _digest(arrays: Sequence[NDArray[np.generic]]) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def scaled(image: "object", resolution: int) -> Pixels:
    """The middle square of an image, as colours in bytes (resolution, resolution, 3)."""
    from PIL import Image, ImageOps

    assert isinstance(image, Image.Image)
    size = (resolution, resolution)
    return np.asarray(ImageOps.fit(image.convert("RGB"), size, method=Image.Resampling.BICUBIC))
