"""What a network can be handed over as. Each `to_NAME.py` of this folder is a format, named by the rest of its name.

A format is a module with `FILES`, the names that it writes, the main one first; `write(what, folder)`; and
`answers(what, folder, batches)`, the logits of what was written to batches of images. Where something cannot be had on
this machine, `lacking(what)` says so. `RUN_TIME` names the evaluator that can time the main file, where there is one.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from search_spaces.common import plugins
from search_spaces.common.errors import Unavailable, UnknownName

if TYPE_CHECKING:
    from results.exports.common.deliverable import Array, Deliverable

PREFIX = "to_"  # a module never bears the name of a package that it imports


class Format(Protocol):
    """What every module of this folder offers."""

    FILES: tuple[str, ...]

    def write(self, what: "Deliverable", folder: Path) -> None:
        """Writes the files into a folder that exists.

        Raises:
            NegativeAnswer: this network cannot be written so.
        """

    def answers(self, what: "Deliverable", folder: Path, batches: "Sequence[Array]") -> "list[Array]":
        """The logits (B, classes) of what was written, to batches of images (B, 3, H, W)."""


def names() -> list[str]:
    """The formats, in alphabetical order."""
    return [name.removeprefix(PREFIX) for name in plugins.names("results.exports")]


def get(name: str) -> Format:
    """The format of that name.

    Raises:
        UnknownName: there is none; offers the nearest name.
    """
    if name not in names():
        raise UnknownName("format", name, names())
    return cast(Format, plugins.load("results.exports", f"{PREFIX}{name}", "format"))


def lacking(name: str, what: "Deliverable") -> Unavailable | None:
    """What of a format cannot be had on this machine, and what to do about it."""
    found: Unavailable | None = getattr(get(name), "lacking", lambda _: None)(what)
    return found


def run_time(name: str) -> str:
    """The evaluator that times what a format writes; nothing where none does."""
    return str(getattr(get(name), "RUN_TIME", ""))


def summary(name: str) -> str:
    """What a format is for, in one line."""
    return plugins.summary(cast(ModuleType, get(name)))
