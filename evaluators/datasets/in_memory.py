"""A data set in memory: every image is decoded once and scaled to the resolution of the training.

Parallel trainings share the pixels of a folder: the first process writes them to a file among its driver's temporary
files, and the others map it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from evaluators.core import scratch
from evaluators.core.locks import Lock
from evaluators.core.measurement import digest
from evaluators.datasets.images import Images, Pixels, content_digest, scaled
from evaluators.datasets.pictures import Labels, Pictures
from evaluators.datasets.sources import Source, opened
from evaluators.datasets.split import check_sides
from search_spaces.common.errors import UsageError

NAMED = 3  # unreadable images named in a message; all are counted
TRIED, SIDE = 20, 64  # images that are read before a set is trained on, and the pixels to which they are scaled
MOST_BAD = 0.5  # share of unreadable images above which a set is refused


@dataclass(frozen=True, kw_only=True)
class Side:
    """The readable images of a split, and for each unreadable one its name and the reason."""

    pixels: Pixels  # (N, 3, H, W)
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
    if source.is_sized:  # it is in memory already
        return _checked(source, _read(source.train, resolution, limit), _read(source.valid, resolution, 0))
    key = digest([source.identity, resolution, limit])
    with Lock(scratch.mine().path / f"{key}.lock").held():
        sides = [
            _shared(f"{key}-{split}", partial(_read, pictures, resolution, count))
            for split, pictures, count in (("train", source.train, limit), ("valid", source.valid, 0))
        ]
    return _checked(source, *sides)


def tried(source: Source) -> float:
    """Reads some images as a training does, and returns the seconds for one; 0 for a set in memory.

    Raises:
        UsageError: none of them can be used.
    """
    if source.is_sized:
        return 0.0
    began, bad = time.perf_counter(), []
    numbers = range(min(TRIED, len(source.train)))
    for number in numbers:
        image = source.train.read(number)
        if isinstance(image, str):
            bad.append(f"{source.train.name(number)} ({image})")
        else:
            scaled(image, SIDE)
    if len(bad) == len(numbers):
        raise UsageError(
            f"none of {len(bad)} images of '{source.name}' that were tried can be used: {_named(bad)}",
            "repair or remove them",
        )
    return (time.perf_counter() - began) / len(numbers)


def _shared(key: str, read: Callable[[], Side]) -> Side:
    """A split that the first process of a driver decodes, and others map from its file."""
    file, facts = (scratch.mine().path / f"{key}.{ending}" for ending in ("npy", "json"))
    if not facts.exists():
        side = read()
        np.save(file, side.pixels)
        facts.write_text(json.dumps({"labels": side.labels.tolist(), "bad": side.bad}))
        return side
    known = json.loads(facts.read_text())
    pixels = np.load(file, mmap_mode="c")
    return Side(pixels=pixels, labels=np.array(known["labels"], dtype=np.int64), bad=known["bad"])


def _checked(source: Source, train: Side, valid: Side) -> Images:
    name = source.name
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
    pixels = np.empty((wanted, 3, resolution, resolution), np.uint8)
    read: list[int] = []
    bad: list[str] = []
    for number in range(len(pictures)):
        if len(read) == wanted:
            break
        image = pictures.read(number)
        if isinstance(image, str):
            bad.append(f"{pictures.name(number)} ({image})")
            continue
        pixels[len(read)] = scaled(image, resolution).transpose(2, 0, 1)
        read.append(number)
    labels = np.array(pictures.labels, dtype=np.int64)[read]
    return Side(pixels=pixels[: len(read)], labels=labels, bad=bad)


def _images(source: Source, train: Side, valid: Side, remarks: tuple[str, ...]) -> Images:
    import torch

    pixels = [torch.from_numpy(side.pixels) for side in (train, valid)]
    return Images(
        name=source.name,
        identity=content_digest((train.pixels, train.labels, valid.pixels, valid.labels)),
        heads=source.heads,
        train_pixels=pixels[0],
        train_labels=torch.from_numpy(train.labels),
        valid_pixels=pixels[1],
        valid_labels=torch.from_numpy(valid.labels),
        mirrors=source.mirrors,
        remarks=remarks,
    )


def _named(bad: list[str]) -> str:
    rest = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return ", ".join(bad[:NAMED]) + rest
