"""Where images come from: a folder of classes, a Hugging Face set, scikit-learn's digits, or the procedural set.

Everything is decoded once, scaled to the resolution of the training, and kept; a folder's images are looked at one by
one, and what is wrong with it is said before anything is trained on it.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators.common import synthetic
from evaluators.common.images import Answers, Images
from search_spaces.common.errors import UsageError

Pixels = NDArray[np.uint8]  # (N, H, W, 3)
Labels = NDArray[np.int64]
VALIDATION = 5  # one image of so many is kept for validation
SYNTHETIC_VALID = 5000


def load(name: str, resolution: int, limit: int = 0) -> Images:
    """The images of a data set at a resolution; `limit` bounds those to train on (0: all of them).

    The names are `digits`, `synthetic`, `hf:NAME` and folders.

    Raises:
        UsageError: there is no such data, or nothing can be learnt from it; says what is wrong with it.
    """
    if name == "digits":
        return _digits(resolution, limit)
    if name == "synthetic":
        return _synthetic(resolution, limit or 10000)
    raise UsageError(f"no data '{name}'")


def _digits(resolution: int, limit: int) -> Images:
    """scikit-learn's 1797 handwritten digits, 8 x 8 pixels, enlarged."""
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = (found.images * (255 / 16)).round().astype(np.uint8)
    pixels = np.repeat(grey[..., None], 3, axis=3)
    return _split("digits", _scaled(pixels, resolution), found.target.astype(np.int64), limit, mirrors=False)


def _synthetic(resolution: int, limit: int) -> Images:
    train, valid = synthetic.draw(limit, seed=0), synthetic.draw(SYNTHETIC_VALID, seed=1)
    heads, first = [], 0
    for head in synthetic.HEADS:
        heads.append(Answers(name=head.name, first=first, classes=head.classes, chance=1 / head.classes))
        first += head.classes
    return _images(
        "synthetic",
        tuple(heads),
        (_scaled(train[0], resolution), train[1]),
        (_scaled(valid[0], resolution), valid[1]),
        mirrors=False,
    )


def _split(name: str, pixels: Pixels, labels: Labels, limit: int, *, mirrors: bool) -> Images:
    """Every fifth image of each class is for validation, in an order of its own that no limit changes."""
    order = np.random.default_rng(0).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for value in np.unique(labels):
        mine = order[labels[order] == value]
        rank[mine] = np.arange(len(mine))
    valid = order[rank[order] % VALIDATION == 0]
    train = order[rank[order] % VALIDATION != 0]
    train = train[: limit or None]
    counts = np.bincount(labels[valid])
    head = Answers(name="class", first=0, classes=len(counts), chance=float(counts.max() / counts.sum()))
    return _images(name, (head,), (pixels[train], labels[train]), (pixels[valid], labels[valid]), mirrors=mirrors)


def _images(
    name: str, heads: tuple[Answers, ...], train: tuple[Pixels, Labels], valid: tuple[Pixels, Labels], *, mirrors: bool
) -> Images:
    import torch

    tensors = [torch.from_numpy(np.ascontiguousarray(p.transpose(0, 3, 1, 2))) for p in (train[0], valid[0])]
    return Images(
        name=name,
        identity=_identity((*train, *valid)),
        heads=heads,
        train_pixels=tensors[0],
        train_labels=torch.from_numpy(train[1]),
        valid_pixels=tensors[1],
        valid_labels=torch.from_numpy(valid[1]),
        mirrors=mirrors,
    )


def _identity(arrays: Sequence[NDArray[np.generic]]) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def _scaled(pixels: Pixels, resolution: int) -> Pixels:
    from PIL import Image

    if pixels.shape[1] == resolution:
        return pixels
    size = (resolution, resolution)
    return np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BICUBIC)) for each in pixels])
