"""The export formats: every file `to_NAME.py` of this folder is one, named by the rest of its name.

A format is a module with

- `FILES`: the names of the files that it writes, the main one first;
- `LOADING`: a language and the lines of code that load them, for the model card;
- `write(deliverable, folder)`;
- `answers(deliverable, folder, batches)`: the logits that the written files give for batches of images;
- optionally `HAS_PRECISION = True`: it is written in the requested precision; the others stay in fp32;
- optionally `PEERS = True`: it takes networks of other families, too, which timm built;
- optionally `loading(deliverable)`: in place of `LOADING` where the lines depend on the network;
- optionally `RUN_TIME`: the evaluator that measures the latency of the main file;
- optionally `lacking(deliverable)`: why this machine cannot build or run all of it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from search_spaces.common import plugins
from search_spaces.common.errors import Unavailable, UnknownName

if TYPE_CHECKING:
    from results.exports.common.deliverable import Array, Deliverable

__all__ = ["Format", "get", "has_precision", "lacking", "loading", "names", "run_time", "takes_peers"]

PREFIX = "to_"  # a module never bears the name of a package that it imports


class Format(Protocol):
    """What every format offers."""

    FILES: tuple[str, ...]
    LOADING: tuple[str, str]

    def write(self, deliverable: "Deliverable", folder: Path) -> None:
        """Writes the files into a folder that exists.

        Raises:
            NegativeAnswer: this network cannot be written in this format.
        """

    def answers(self, deliverable: "Deliverable", folder: Path, batches: "Sequence[Array]") -> "list[Array]":
        """The logits (B, classes) that the written files give for batches of images (B, 3, H, W)."""


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


def lacking(name: str, deliverable: "Deliverable") -> Unavailable | None:
    """Why this machine cannot build or run all of a format, and what to do about it; None where it can."""
    reason: Unavailable | None = getattr(get(name), "lacking", lambda _: None)(deliverable)
    return reason


def has_precision(name: str) -> bool:
    """Whether a format is written in the requested precision; the others stay in fp32."""
    return bool(getattr(get(name), "HAS_PRECISION", False))


def takes_peers(name: str) -> bool:
    """Whether a format takes networks of other families, too."""
    return bool(getattr(get(name), "PEERS", False))


def loading(name: str, deliverable: "Deliverable") -> tuple[str, str]:
    """A language and the lines of code that load what was written of a network."""
    module = get(name)
    lines: tuple[str, str] = getattr(module, "loading", lambda _: module.LOADING)(deliverable)
    return lines


def run_time(name: str) -> str:
    """The evaluator that measures the latency of a format's main file; empty where none does."""
    return str(getattr(get(name), "RUN_TIME", ""))
