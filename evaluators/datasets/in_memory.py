"""A data set in memory: every image is decoded once and scaled to the resolution of the training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import Images, Pixels, scaled
from evaluators.datasets.pictures import Labels, Pictures
from evaluators.datasets.sources import Source, opened
from evaluators.datasets.split import check_sides
from search_spaces.common.errors import UsageError

NAMED = 3  # unreadable images named in a message; all are counted
MOST_BAD = 0.5  # share of unreadable images above which a set is refused


@dataclass(frozen=True, kw_only=True)
class Side:
    """The readable images of a split, and for each unreadable one its name and the reason."""

    pixels: Pixels
    labels: Labels
    bad: list[str]


@lru_cache(maxsize=2)
def load(name: str, resolution: int, limit: int = 0) -> Images:
    """Loads a data set at a resolution; `limit` bounds the number of training images (0: all).

    Raises:
        Unavailable: there is no such data set.
        UsageError: it cannot be trained on; the message says why.
    """
    source = opened(name, resolution, limit)
    train, valid = _read(source.train, resolution, limit), _read(source.valid, resolution, 0)
    bad = [*train.bad, *valid.bad]
    total = len(train.labels) + len(valid.labels) + len(bad)
    if len(bad) > MOST_BAD * total:
        raise UsageError(
            f"{len(bad)} of {total} images of '{name}' cannot be used: {_named(bad)}", "repair or remove them"
        )
    check_sides(name, train.labels, len(valid.labels))
    remark = [f"{len(bad)} of {total} images are left out: {_named(bad)}"] if bad else []
    return _images(source, train, valid, (*remark, *source.remarks))


def _read(pictures: Pictures, resolution: int, limit: int) -> Side:
    """The first `limit` readable images of a split; all for 0."""
    wanted = min(limit or len(pictures), len(pictures))
    pixels = np.empty((wanted, resolution, resolution, 3), np.uint8)
    read: list[int] = []
    bad: list[str] = []
    for number in range(len(pictures)):
        if len(read) == wanted:
            break
        image = pictures.read(number)
        if isinstance(image, str):
            bad.append(f"{pictures.name(number)} ({image})")
            continue
        pixels[len(read)] = scaled(image, resolution)
        read.append(number)
    labels = np.array(pictures.labels, dtype=np.int64)[read]
    return Side(pixels=pixels[: len(read)], labels=labels, bad=bad)


def _images(source: Source, train: Side, valid: Side, remarks: tuple[str, ...]) -> Images:
    import torch

    pixels = [torch.from_numpy(np.ascontiguousarray(side.pixels.transpose(0, 3, 1, 2))) for side in (train, valid)]
    return Images(
        name=source.name,
        identity=_digest((train.pixels, train.labels, valid.pixels, valid.labels)),
        heads=source.heads,
        train_pixels=pixels[0],
        train_labels=torch.from_numpy(train.labels),
        valid_pixels=pixels[1],
        valid_labels=torch.from_numpy(valid.labels),
        mirrors=source.mirrors,
        remarks=remarks,
    )


def _digest(arrays: Sequence[NDArray[np.generic]]) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def _named(bad: list[str]) -> str:
    rest = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return ", ".join(bad[:NAMED]) + rest
