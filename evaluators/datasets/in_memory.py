"""A data set held in memory: every image decoded once and scaled to the resolution of the training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import Images, Pixels, scaled
from evaluators.datasets.sources import Labels, Pictures, Source, check_sides, opened
from search_spaces.common.errors import UsageError

NAMED = 3  # bad images that are named; all are counted
MOST_BAD = 0.5  # of all images, before a set is refused


@dataclass(frozen=True, kw_only=True)
class Side:
    """The images of a side that could be read, and those that could not: which, and why."""

    pixels: Pixels
    labels: Labels
    bad: list[str]


@lru_cache(maxsize=2)
def load(name: str, resolution: int, limit: int = 0) -> Images:
    """The images of a data set at a resolution; `limit` bounds those to train on (0: all of them).

    Raises:
        Unavailable: there is no such data set here.
        UsageError: nothing can be learnt from it; says what is wrong with it.
    """
    source = opened(name, resolution, limit)
    train, valid = _read(source.train, resolution, limit), _read(source.valid, resolution, 0)
    bad = [*train.bad, *valid.bad]
    total = len(train.labels) + len(valid.labels) + len(bad)
    if len(bad) > MOST_BAD * total:
        raise UsageError(f"{len(bad)} of {total} images of '{name}' cannot be used: {_named(bad)}", "mend them")
    check_sides(name, train.labels, len(valid.labels))
    remark = [f"{len(bad)} of {total} images are left out: {_named(bad)}"] if bad else []
    return _images(source, train, valid, (*remark, *source.remarks))


def _read(pictures: Pictures, resolution: int, limit: int) -> Side:
    """The first so many of a side that can be read; all of them for 0."""
    wanted = min(limit or len(pictures), len(pictures))
    pixels = np.empty((wanted, resolution, resolution, 3), np.uint8)
    chosen: list[int] = []
    bad: list[str] = []
    for number in range(len(pictures)):
        if len(chosen) == wanted:
            break
        image = pictures.read(number)
        if isinstance(image, str):
            bad.append(f"{pictures.name(number)} ({image})")
            continue
        pixels[len(chosen)] = scaled(image, resolution)
        chosen.append(number)
    labels = np.array(pictures.labels, dtype=np.int64)[chosen]
    return Side(pixels=pixels[: len(chosen)], labels=labels, bad=bad)


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
