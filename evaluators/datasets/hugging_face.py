"""An image set of the Hugging Face hub, or a copy of one on disk, through the package `datasets`.

The hub is asked first, with a time limit. If it does not answer, the copy in this machine's cache is used. The package
downloads a set that is not in its cache, and reports that itself.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import VALID, decoded
from search_spaces.common.errors import Unavailable, UsageError
from search_spaces.common.texts import is_folder

if TYPE_CHECKING:
    from PIL.Image import Image

SECONDS = int(os.environ.get("HF_HUB_ETAG_TIMEOUT", "10"))  # time limit for the hub's first answer
NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(?<![.-])", re.ASCII)
UNKNOWN = -1  # label of an image whose class was not published

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The images of a set: first those of its training split, then those of its validation split, if it has one."""

    rows: Any
    column: str
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    trained: int  # rows of the training split

    def __getitem__(self, index: int) -> "Image":
        return decoded(self.rows[index][self.column])

    @cached_property
    def raw(self) -> Any:
        """The same rows without decoding the images."""
        import datasets

        return self.rows.cast_column(self.column, datasets.Image(decode=False))

    @property
    def sizes(self) -> list[int]:
        """The size of each image in bytes; -1 if it is missing."""
        import pyarrow.compute as pc

        sizes: list[int] = []
        for batch in self.raw.with_format("arrow").iter(10_000):
            images = batch[self.column].combine_chunks()
            stored = pc.binary_length(pc.struct_field(images, "bytes")).to_pylist()
            paths = pc.struct_field(images, "path").to_pylist()
            sizes += [_size(path) if size is None else size for size, path in zip(stored, paths, strict=True)]
        return sizes

    def content(self, index: int, last: int = 0) -> bytes:
        """The bytes of an image: all of them, or the last `last`."""
        image = self.raw[index][self.column]
        content = image["bytes"] if image["bytes"] is not None else Path(image["path"]).read_bytes()
        return bytes(content[-last:])

    def name(self, index: int) -> str:
        """The number of the row, for people."""
        return f"row {index}"


def _size(path: str | None) -> int:
    return Path(path).stat().st_size if path and Path(path).is_file() else -1


def check_name(name: str) -> None:
    """Checks the name of a set.

    Raises:
        UsageError: it is neither a folder nor OWNER/NAME.
    """
    if not (NAME.fullmatch(name) or is_folder(name)):
        raise UsageError(
            f"'hf:{name}' names no set of the Hugging Face hub, and no folder",
            "for example hf:ylecun/mnist: an owner and a name, of letters, digits, '-', '_' and '.'",
        )


def opened_rows(name: str, say: Say) -> Rows:
    """Opens a set: its images, labels and classes.

    Raises:
        Unavailable: it is not available.
        UsageError: not a possible name, or a set without a column of images or of class labels.
    """
    import datasets

    check_name(name)
    train, valid = _parts(name, say)
    image, label = _columns(name, train.features)
    rows = train if valid is None else datasets.concatenate_datasets([train, valid])
    labels = [UNKNOWN if value is None else value for value in rows[label]]
    return Rows(
        rows=rows.select_columns([image]),
        column=image,
        labels=np.array(labels, dtype=np.int64),
        classes=tuple(train.features[label].names),
        trained=len(train),
    )


def _parts(name: str, say: Say) -> tuple[Any, Any | None]:
    """The training split of a set, and its validation split if it has one."""
    import datasets

    try:
        if is_folder(name) and (Path(name) / "dataset_dict.json").exists():
            parts = datasets.load_from_disk(name)
        else:
            with _online(name, say):
                parts = datasets.load_dataset(name)
    except Unavailable:
        raise
    except Exception as error:  # no such set, no network, a broken cache: the package raises many types
        reason = (str(error).splitlines() or [""])[0]
        raise Unavailable(
            f"the set '{name}' is not available: {reason:.200}", "check its name and the network"
        ) from None
    if not hasattr(parts, "items"):
        raise Unavailable(f"'{name}' is one split of a set, not a set", "save a DatasetDict with a split named train")
    train = parts.get("train") or next(iter(parts.values()))
    return train, next((parts[split] for split in VALID if split in parts and parts[split] is not train), None)


@contextmanager
def _online(name: str, say: Say) -> Iterator[None]:
    """Asks the hub whether it has a set. If it does not answer, the `with` statement runs offline."""
    import datasets.config
    import huggingface_hub.constants

    modules: tuple[Any, ...] = (datasets.config, huggingface_hub.constants)
    before = [module.HF_HUB_OFFLINE for module in modules]
    if not is_folder(name) and not any(before):
        say(f"asking huggingface.co for '{name}', for at most {SECONDS} s")
        if reason := _no_answer(name):
            say(f"it does not answer ({reason}): using this machine's copy of the set")
            for module in modules:
                module.HF_HUB_OFFLINE = True
        else:
            say(f"'{name}' is there; missing parts are downloaded now")
    try:
        yield
    finally:
        for module, value in zip(modules, before, strict=True):
            module.HF_HUB_OFFLINE = value


def _no_answer(name: str) -> str:
    """Why the hub does not answer; empty if it does and has the set.

    Raises:
        Unavailable: the hub answers that it has no such set.
    """
    answers: list[Exception | None] = []

    def ask() -> None:
        from huggingface_hub import HfApi

        try:
            HfApi().dataset_info(name, timeout=SECONDS)
            answers.append(None)
        except Exception as error:  # of the network, the hub or the package
            answers.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # a DNS lookup has no time limit: the thread is abandoned
    asking.start()
    asking.join(SECONDS)
    if not answers:
        return f"no answer within {SECONDS} s"
    (error,) = answers
    if getattr(error, "response", None) is not None:  # the hub itself refuses
        reason = (str(error).splitlines() or [""])[0]
        raise Unavailable(
            f"huggingface.co has no set '{name}' for you: {reason:.160}",
            "check its name; if it is not public, log in first: hf auth login",
        )
    return type(error).__name__ if error else ""


def _columns(name: str, features: Any) -> tuple[str, str]:
    """The names of the columns with the images and with their classes."""
    import datasets

    images = [key for key, feature in features.items() if isinstance(feature, datasets.Image)]
    labels = [key for key, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    if not images or not labels:
        raise UsageError(
            f"the set '{name}' has the columns {', '.join(features)}: no images, or no class labels among them",
            "name a set for image classification",
        )
    return images[0], labels[0]
