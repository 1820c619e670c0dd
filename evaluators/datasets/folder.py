"""A folder of images with a subfolder for each class, or two such folders: one to train on and one to validate on.

Listing a folder reads no image, and happens once in a process: a large folder takes minutes.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.datasets.images import TRAIN, VALID, Unreadable, decoded
from search_spaces.common.errors import NegativeAnswer, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The images of a folder in a fixed order. `valid` marks those for validation, or is None if no folder says so."""

    root: Path
    paths: tuple[Path, ...]
    sizes: tuple[int, ...]  # bytes; -1 for a broken link
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    valid: tuple[bool, ...] | None

    @cached_property
    def identity(self) -> str:
        """A digest of the names and sizes of the files, independent of the folder's path."""
        listing = "\n".join(f"{self.name(number)} {size}" for number, size in enumerate(self.sizes))
        return "folder:" + hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()[:16]

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        path = self.paths[index]
        if not path.is_file():  # a pipe would block its reader
            raise Unreadable("no file")
        with Image.open(path) as image:
            return decoded(image)

    def name(self, index: int) -> str:
        """The path of an image within the folder."""
        return str(self.paths[index].relative_to(self.root))

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of an image's file: all of them, or the last `last`."""
        if not self.paths[index].is_file():
            return b""
        with self.paths[index].open("rb") as file:
            file.seek(max(0, self.sizes[index] - last) if last else 0)
            return file.read()


def listed(root: Path) -> Folder:
    """Lists the images of a folder.

    Raises:
        UsageError: no images, only one class, or classes with validation images alone.
        NegativeAnswer: a part of it cannot be read.
    """
    return _listed(root.resolve())


@lru_cache(maxsize=16)
def _listed(root: Path) -> Folder:
    try:
        images = list(_files(root))
        sizes = tuple(path.stat().st_size if path.exists() else -1 for path, _, _ in images)
    except OSError as error:
        raise NegativeAnswer(
            f"'{error.filename}' cannot be read: {error.strerror}", "correct its permissions"
        ) from None
    classes = sorted({name for _, name, is_valid in images if not is_valid})
    _check(root, classes, {name for _, name, _ in images})
    numbers = {name: number for number, name in enumerate(classes)}
    return Folder(
        root=root,
        paths=tuple(path for path, _, _ in images),
        sizes=sizes,
        labels=tuple(numbers[name] for _, name, _ in images),
        classes=tuple(classes),
        valid=None if images[0][2] is None else tuple(bool(is_valid) for _, _, is_valid in images),
    )


def _check(root: Path, classes: list[str], every: set[str]) -> None:
    if not every:
        raise UsageError(
            f"'{root}' holds no images in sub-folders",
            f"put the images of each class into a sub-folder with its name ({', '.join(sorted(ENDINGS))})",
        )
    if not classes:
        raise UsageError(f"'{root}' holds images to validate on, but none to train on", "add training images")
    if len(classes) < 2:
        raise UsageError(f"'{root}' has one class, '{classes[0]}'", "add another class to distinguish")
    if unknown := sorted(every - set(classes)):
        raise UsageError(
            f"'{root}' validates classes that it never trains: {', '.join(unknown)}",
            "add training images, or remove them",
        )


def _files(root: Path) -> Iterator[tuple[Path, str, bool | None]]:
    """Every image in a fixed order: its path, its class, and whether it is for validation (None: undecided)."""
    train, valid = _child(root, TRAIN), _child(root, VALID)
    sides: list[tuple[Path, bool | None]] = [(train, False), (valid, True)] if train and valid else [(root, None)]
    for side, is_valid in sides:
        for folder in sorted(child for child in side.iterdir() if child.is_dir()):
            for path in sorted(_within(folder)):
                if path.suffix.lower() in ENDINGS:
                    yield path, folder.name, is_valid


def _within(folder: Path) -> Iterator[Path]:
    """Every file of a folder and its subfolders; an unreadable subfolder is an error."""

    def stop(error: OSError) -> None:
        raise error

    for parent, _, names in os.walk(folder, onerror=stop):
        yield from (Path(parent) / name for name in names)


def _child(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)
