"""Texts from outside: parsed strictly, shortened in messages, and made harmless for a terminal."""

import json
import math
import os
import re
import reprlib
import unicodedata
from typing import Any

LONGEST_INTEGER = 1000  # digits; Python itself refuses more than 4300
LONGEST_WORD = 400  # letters; of a longer word a message shows the two ends
TURNING = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # break or reverse lines


def from_json(text: str | bytes) -> object:
    """The value of a JSON text by RFC 8259: no NaN, no number beyond a double, no duplicate name in an object.

    Raises:
        ValueError: it is not JSON; the message says why.
    """
    try:
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {shown_word(digits)} is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {shown(twice)} occurs twice in one object")
    return values


class _Brief(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 4
        self.maxstring = self.maxother = 60

    def repr_int(self, x: int, level: int) -> str:
        digits = int(x.bit_length() * math.log10(2)) + 1  # of a large one; Python refuses to write more than 4300
        return repr(x) if digits <= self.maxlong else f"an integer of about {digits} digits"


def shown(value: object) -> str:
    """A value for a message: short, however long, deep or large the value is."""
    return _Brief().repr(value)


def shown_word(word: str, longest: int = 60) -> str:
    """A word for a message: only its two ends where it is longer than `longest`."""
    if len(word) <= longest:
        return word
    return f"{word[: longest // 2]}...{word[-longest // 4 :]} ({len(word):,} letters)"


def unprintable(text: str) -> bool:
    """Whether a text holds control characters, or invalid bytes (which Python keeps as lone surrogates)."""
    return any(_is_unprintable(letter) for letter in text)


def _is_unprintable(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in TURNING


def without_passwords(text: str) -> str:
    """A text in which the passwords of URLs are replaced by asterisks."""
    return re.sub(r"(\w+://[^\s:/@]*):[^\s@]*@|([?&]password=)[^\s&']*", _hidden, text)


def _hidden(found: "re.Match[str]") -> str:
    return f"{found[1]}:***@" if found[1] else f"{found[2]}***"


def printable(text: str) -> str:
    """A text for a terminal: no passwords of URLs, no control characters except line feeds, no endless words."""
    text = without_passwords(text)
    escaped = "".join(
        letter.encode("unicode_escape").decode() if letter != "\n" and _is_unprintable(letter) else letter
        for letter in text
    )
    return re.sub(rf"\S{{{LONGEST_WORD},}}", lambda word: shown_word(word[0], LONGEST_WORD // 2), escaped)


def is_file(name: "str | os.PathLike[str]") -> bool:
    """Whether a regular file has that name. False for an impossible name, for which `Path.is_file` raises."""
    return os.path.isfile(name)  # noqa: PTH113


def is_folder(name: "str | os.PathLike[str]") -> bool:
    """Whether a folder has that name. False for an impossible name."""
    return os.path.isdir(name)  # noqa: PTH112
