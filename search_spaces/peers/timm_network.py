"""A network that timm builds: the name of one of its models, and what differs from it. Standard library only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.common.texts import shown
from search_spaces.nextvit.checks import checked_keys

SCHEMA = "nas.timm/1"
PREFIX = "timm:"
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
OPTION = re.compile(r"[a-z][a-z0-9_]{0,39}")
WORD = re.compile(r"[A-Za-z0-9_]{1,40}")
DEEPEST, LONGEST, LARGEST = 2, 64, 100_000  # lists in lists, items of a list, and the size of a number
NOT_OURS = ("pretrained", "num_classes", "img_size", "in_chans", "checkpoint_path")  # nas itself says these to timm

Value = bool | int | float | str | tuple["Value", ...]


@dataclass(frozen=True, kw_only=True)
class TimmNetwork(Network):
    """One network of another family, as `timm.create_model` takes it; without weights.

    `model` is the name of a model of timm without a tag (`fastvit_sa24`), `options` are the keywords in which the
    network differs from it (`depths`, `embed_dim`, ...), by name: plain values, and tuples of them. The resolution and
    the number of classes are those of whatever uses it. Whether timm has that model is not checked here, because that
    takes seconds: `peers/timm_models.py` does.

    Raises:
        InvalidArchitecture: no name of a model, or an option that is none; names the field.
    """

    model: str
    options: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not NAME.fullmatch(self.model):
            raise InvalidArchitecture("model", f"{shown(self.model)} is no name of a model of timm", "fastvit_sa24")
        given: Any = self.options.items() if isinstance(self.options, Mapping) else self.options
        options = {name: _checked(name, value) for name, value in given}
        object.__setattr__(self, "options", tuple(sorted(options.items())))

    def __str__(self) -> str:
        options = ",".join(f"{name}={_written(value)}" for name, value in self.options)
        return f"{PREFIX}{self.model}" + (f":{options}" if options else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version of the schema; no options where the network is timm's own model."""
        options = {name: _plain(value) for name, value in self.options}
        return {"schema": SCHEMA, "model": self.model, **({"options": options} if options else {})}

    @classmethod
    def from_dict(cls, data: object) -> "TimmNetwork":
        """The inverse of `to_dict`. An unknown field is an error, never dropped; `provenance` may hold anything.

        Raises:
            InvalidArchitecture: it describes no such network.
        """
        values = checked_keys("network", data, {"schema", "provenance", "model", "options"}, {"model"})
        if values.get("schema") != SCHEMA:
            raise InvalidArchitecture("schema", f"expected '{SCHEMA}', got {shown(values.get('schema'))}", SCHEMA)
        options = values.get("options", {})
        if not isinstance(options, dict):
            raise InvalidArchitecture("options", f"expected a JSON object, got {shown(options)}")
        return cls(model=values["model"], options=tuple(options.items()))


def _checked(name: object, value: object, depth: int = 0) -> Value:
    """A plain value, with tuples in place of lists."""
    if not isinstance(name, str) or not OPTION.fullmatch(name) or name in NOT_OURS:
        raise InvalidArchitecture("options", f"{shown(name)} is no option of a network")
    if isinstance(value, list | tuple) and depth < DEEPEST and 0 < len(value) <= LONGEST:
        return tuple(_checked(name, item, depth + 1) for item in value)
    if isinstance(value, bool) or (isinstance(value, str) and WORD.fullmatch(value)):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST:
        return value
    raise InvalidArchitecture(f"options.{name}", f"{shown(value)} is no number, word or list of these")


def _plain(value: Value) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _written(value: Value) -> str:
    """Short: lists of letters as a word, others with hyphens."""
    if not isinstance(value, tuple):
        return str(value).lower() if isinstance(value, bool) else str(value)
    words = [_written(item) for item in value]
    return ("" if all(len(word) == 1 and word.isalpha() for word in words) else "-").join(words)
