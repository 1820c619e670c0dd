"""A folder of images, a sub-folder for each class; or of such folders, one to train on and one to validate on.

Listing reads no image. It is done once for each folder in a process: a large one takes minutes to walk through.
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
    """The images of a folder in a fixed order: paths, sizes in bytes, labels, and which are for validation, if said."""

    root: Path
    paths: tuple[Path, ...]
    sizes: tuple[int, ...]  # -1 where there is nothing behind a link
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    valid: tuple[bool, ...] | None

    @cached_property
    def identity(self) -> str:
        """Equal for equal names and sizes of files, wherever the folder lies."""
        listing = "\n".join(f"{self.name(number)} {size}" for number, size in enumerate(self.sizes))
        return "folder:" + hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()[:16]

    def __getitem__(self, index: int) -> "Image":
        from PIL import Image

        path = self.paths[index]
        if not path.is_file():  # a pipe would keep its reader waiting
            raise Unreadable("no file")
        with Image.open(path) as image:
            return decoded(image)

    def name(self, index: int) -> str:
        """The path within the folder."""
        return str(self.paths[index].relative_to(self.root))

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of a file: all, or the last so many."""
        if not self.paths[index].is_file():
            return b""
        with self.paths[index].open("rb") as file:
            file.seek(max(0, self.sizes[index] - last) if last else 0)
            return file.read()


def listed(root: Path) -> Folder:
    """The images of a folder.

    Raises:
        UsageError: no images, one class alone, or classes that are only validated.
        NegativeAnswer: a part of it may not be read.
    """
    return _listed(root.resolve())


@lru_cache(maxsize=16)
def _listed(root: Path) -> Folder:
    try:
        found = list(_files(root))
        sizes = tuple(path.stat().st_size if path.exists() else -1 for path, _, _ in found)
    except OSError as error:
        raise NegativeAnswer(f"'{error.filename}' cannot be read: {error.strerror}", "mend its rights") from None
    classes = sorted({name for _, name, is_valid in found if not is_valid})
    _check(root, classes, {name for _, name, _ in found})
    numbers = {name: number for number, name in enumerate(classes)}
    return Folder(
        root=root,
        paths=tuple(path for path, _, _ in found),
        sizes=sizes,
        labels=tuple(numbers[name] for _, name, _ in found),
        classes=tuple(classes),
        valid=None if found[0][2] is None else tuple(bool(is_valid) for _, _, is_valid in found),
    )


def _check(root: Path, classes: list[str], every: set[str]) -> None:
    if not every:
        raise UsageError(
            f"'{root}' holds no images in sub-folders",
            f"put the images of each class into a sub-folder of its name ({', '.join(sorted(ENDINGS))})",
        )
    if not classes:
        raise UsageError(f"'{root}' holds images to validate on, and none to train on", "fill its folder to train on")
    if len(classes) < 2:
        raise UsageError(f"'{root}' has one class, '{classes[0]}'", "there is nothing to tell apart: add another class")
    if unknown := sorted(every - set(classes)):
        raise UsageError(f"'{root}' validates classes that it never trains: {', '.join(unknown)}", "mend the folders")


def _files(root: Path) -> Iterator[tuple[Path, str, bool | None]]:
    """Every image in a fixed order: its path, its class, and whether it is for validation (None: not said)."""
    sides = [(_child(root, names), is_valid) for names, is_valid in ((TRAIN, False), (VALID, True))]
    places = [(place, is_valid) for place, is_valid in sides if place] if all(s[0] for s in sides) else [(root, None)]
    for place, is_valid in places:
        assert place
        for folder in sorted(each for each in place.iterdir() if each.is_dir()):
            for path in sorted(_within(folder)):
                if path.suffix.lower() in ENDINGS:
                    yield path, folder.name, is_valid


def _within(folder: Path) -> Iterator[Path]:
    """Every file of a folder and of those below it; what may not be read is an error."""

    def stop(error: OSError) -> None:
        raise error

    for place, _, names in os.walk(folder, onerror=stop):
        yield from (Path(place) / name for name in names)


def _child(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)
