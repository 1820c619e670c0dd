"""What a network can be handed over as. Each `to_NAME.py` of this folder is a format, named by the rest of its name.

A format is a module with `FILES`, the names that it writes, the main one first; `LOADING`, the language and the lines
that load them; `write(what, folder)`; and `answers(what, folder, batches)`, the logits of what was written to batches
of images. It may have `HAS_PRECISION`, where it is written in the precision that was asked for and not in the
network's own; `RUN_TIME`, the evaluator that times the main file; and `lacking(what)`, what this machine cannot do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from search_spaces.common import plugins
from search_spaces.common.errors import Unavailable, UnknownName

if TYPE_CHECKING:
    from results.exports.common.deliverable import Array, Deliverable

__all__ = ["Format", "get", "has_precision", "lacking", "names", "run_time"]

PREFIX = "to_"  # a module never bears the name of a package that it imports


class Format(Protocol):
    """What every module of this folder offers."""

    FILES: tuple[str, ...]
    LOADING: tuple[str, str]

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


def has_precision(name: str) -> bool:
    """Whether a format is written in the precision that was asked for; the others keep fp32."""
    return bool(getattr(get(name), "HAS_PRECISION", False))


def run_time(name: str) -> str:
    """The evaluator that times what a format writes; nothing where none does."""
    return str(getattr(get(name), "RUN_TIME", ""))
