"""A folder of images, a sub-folder for each class; or of such folders, one to train on and one to validate on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evaluators.common.data import TRAIN, VALID, Found, Pixels, scaled
from search_spaces.common.errors import UsageError

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
SMALLEST = 8  # pixels on the shorter side
NAMED = 3  # bad images that are named; all are counted
MOST_BAD = 0.5  # of all images, before a folder is refused


def files(root: Path) -> Iterator[tuple[Path, str, bool | None]]:
    """Every image of a folder in a fixed order: its path, its class, and whether it is for validation (None: not said).

    Raises:
        UsageError: the folder holds no image in any class.
    """
    sides = [(_child(root, names), is_valid) for names, is_valid in ((TRAIN, False), (VALID, True))]
    places = [(place, is_valid) for place, is_valid in sides if place] if all(s[0] for s in sides) else [(root, None)]
    empty = True
    for place, is_valid in places:
        assert place
        for folder in sorted(each for each in place.iterdir() if each.is_dir()):
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in ENDINGS:
                    empty = False
                    yield path, folder.name, is_valid
    if empty:
        raise UsageError(
            f"'{root}' holds no images in sub-folders",
            f"put the images of each class into a sub-folder of its name ({', '.join(sorted(ENDINGS))})",
        )


def _child(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def checked(root: Path) -> tuple[list[tuple[Path, str, bool | None]], list[str]]:
    """The images and the classes of a folder, without reading any image.

    Raises:
        UsageError: no images, one class alone, or classes that are only validated.
    """
    listed = list(files(root))
    classes = sorted({name for _, name, is_valid in listed if not is_valid})
    if len(classes) < 2:
        raise UsageError(f"'{root}' has one class, '{classes[0]}'", "there is nothing to tell apart: add another class")
    if unknown := sorted({name for _, name, _ in listed} - set(classes)):
        raise UsageError(f"'{root}' validates classes that it never trains: {', '.join(unknown)}", "mend the folders")
    return listed, classes


def read(root: Path, resolution: int) -> Found:
    """All images that can be read, at a resolution; those that cannot are counted and the first of them named.

    Raises:
        UsageError: as `checked`, or more than half of the images unreadable.
    """
    listed, classes = checked(root)
    pixels, labels, valid, bad = [], [], [], []
    for path, name, is_valid in listed:
        found = _decoded(path, resolution)
        if isinstance(found, str):
            bad.append(f"{path.relative_to(root)} ({found})")
            continue
        pixels.append(found)
        labels.append(classes.index(name))
        valid.append(bool(is_valid))
    if len(bad) > MOST_BAD * len(listed):
        raise UsageError(f"{len(bad)} of {len(listed)} images of '{root}' cannot be used: {_named(bad)}", "mend them")
    return Found(
        pixels=np.stack(pixels),
        labels=np.array(labels, dtype=np.int64),
        classes=tuple(classes),
        valid=np.array(valid) if listed[0][2] is not None else None,
        remarks=(f"{len(bad)} of {len(listed)} images are left out: {_named(bad)}",) if bad else (),
    )


def _decoded(path: Path, resolution: int) -> Pixels | str:
    """The pixels, or why there are none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if min(image.size) < SMALLEST:
                return f"{image.size[0]} x {image.size[1]} pixels"
            return scaled(image, resolution)
    except Exception as error:  # a broken file may raise anything in a decoder
        return type(error).__name__


def _named(bad: list[str]) -> str:
    rest = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return ", ".join(bad[:NAMED]) + rest
