"""`--fix NAME=VALUES`: which values remain of the parameters of a space.

VALUES are a value (`stage3.t=1`), a range (`stage3.L=2..6`) or several of both (`stage2.mix_block_ratio=0,0.5..1`).
NAME may be a pattern that names several parameters (`stage*.t=1`); `--free NAME` takes parameters out again.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from search_spaces.common.errors import UnknownName, UsageError
from search_spaces.common.texts import shown_word

NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
CLOSE = 1e-9  # relative: numbers of a grid are sums, and 0.1 + 0.2 is not 0.3
EXAMPLE = "for example --fix stage3.t=1, --fix stage3.L=2..6 or --fix stage2.mix_block_ratio=0.5,0.75"


@dataclass(frozen=True)
class Interval:
    """The values of a parameter without steps."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


Values = Sequence[Any] | Interval  # of a parameter, in their order


def remaining(known: Mapping[str, Values], fixes: Sequence[str], frees: Sequence[str] = ()) -> dict[str, Values]:
    """What remains of the parameters that are narrowed, in the order of the space.

    Raises:
        UsageError: a text is malformed, a value is not one of its parameter's, or a parameter is fixed twice.
        UnknownName: there is no such parameter; offers the nearest name.
    """
    left: dict[str, Values] = {}
    by: dict[str, str] = {}
    for text in fixes:
        pattern, values = (part.strip() for part in text.partition("=")[::2])
        if not pattern or not values:
            raise UsageError(f"--fix '{text}' names no parameter with its values", EXAMPLE)
        narrowed = {name: _narrowed(name, known[name], values) for name in _matching(known, pattern)}
        if twice := next((name for name in narrowed if name in left), ""):
            raise UsageError(
                f"{twice} is fixed twice: by --fix '{by[twice]}' and by --fix '{text}'",
                "keep one of them; a pattern can leave a stage out: --fix 'stage[134].t=1'",
            )
        if all(_is_whole(values, known[name]) for name, values in narrowed.items()):
            raise UsageError(f"--fix '{text}' leaves every value of {pattern}", "leave it out, or name fewer values")
        left |= narrowed
        by |= dict.fromkeys(narrowed, text)
    for pattern in frees:
        freed = [name for name in _matching(known, pattern) if name in left]
        if not freed:
            raise UsageError(f"--free {pattern}: no --fix fixes it", f"fixed: {', '.join(left) or 'nothing'}")
        left = {name: values for name, values in left.items() if name not in freed}
    return {name: left[name] for name in known if name in left and not _is_whole(left[name], known[name])}


def written(left: Values, known: Values) -> str:
    """The values that remain, as `--fix` takes them."""
    if isinstance(left, Interval):
        return f"{_text(left.low)}..{_text(left.high)}"
    places = [] if isinstance(known, Interval) or not _is_numeric(known) else [known.index(value) for value in left]
    if len(places) > 2 and places == list(range(places[0], places[-1] + 1)):
        return f"{_text(left[0])}..{_text(left[-1])}"
    return ",".join(map(_text, left))


def described(known: Values) -> str:
    """All values of a parameter, for a message."""
    if isinstance(known, Interval):
        return written(known, known)
    if not _is_numeric(known) or len(known) < 3:
        return ", ".join(map(_text, known))
    steps = {round(after - before, 9) for before, after in pairwise(known)}
    if len(steps) > 1:
        return ", ".join(map(_text, known))
    (step,) = steps
    return f"{_text(known[0])}..{_text(known[-1])}" + ("" if step == 1 else f" in steps of {_text(step)}")


def holds(values: Values, value: Any) -> bool:
    """Whether a value is among those of a parameter."""
    if value in values or isinstance(values, Interval) or not _is_number(value):
        return value in values
    return any(_is_number(each) and math.isclose(each, value, rel_tol=CLOSE) for each in values)


def _matching(known: Mapping[str, Values], pattern: str) -> list[str]:
    names = [name for name in known if name == pattern] or [name for name in known if fnmatchcase(name, pattern)]
    if not names:
        raise UnknownName("parameter of the space", pattern, known)
    return names


def _narrowed(name: str, known: Values, text: str) -> Values:
    """The values of a parameter that a text leaves."""
    if isinstance(known, Interval):
        return _within(name, known, text)
    if not _is_numeric(known):
        return _chosen(name, known, text)
    places: set[int] = set()
    for part in text.split(","):
        low, dots, high = part.partition("..")
        first = _place(name, known, low)
        last = _place(name, known, high) if dots else first
        _check_order(name, part, last - first)
        places |= set(range(first, last + 1))
    return tuple(known[place] for place in sorted(places))


def _place(name: str, known: Sequence[Any], text: str) -> int:
    """The index of a number among the values of a parameter."""
    number = _number(name, text)
    place = min(range(len(known)), key=lambda index: abs(known[index] - number))
    if not math.isclose(known[place], number, rel_tol=CLOSE):
        outside = number < min(known) or number > max(known)
        problem = "is outside its values" if outside else "is not one of its values"
        raise UsageError(f"{name}: {text} {problem}, {described(known)}", f"nearest: {_text(known[place])}")
    return place


def _within(name: str, known: Interval, text: str) -> Values:
    """A range of a parameter without steps, or single values of it."""
    parts = [part.partition("..") for part in text.split(",")]
    ends = [(_number(name, low), _number(name, high) if dots else None) for low, dots, high in parts]
    for end in (end for pair in ends for end in pair if end is not None):
        if end not in known:
            nearest = min(max(end, known.low), known.high)
            raise UsageError(f"{name}: {end:g} is outside {described(known)}", f"nearest: {_text(nearest)}")
    (low, high), *others = ends
    if high is not None and not others:
        _check_order(name, text, high - low)
        return Interval(low, high) if low < high else (low,)
    if any(high is not None for _, high in ends):
        raise UsageError(f"{name}: of a parameter without steps '{text}' is too much", "give one range, or values")
    return tuple(sorted({low for low, _ in ends}))


def _chosen(name: str, known: Sequence[Any], text: str) -> Values:
    """Those values of a parameter of words that a text names."""
    by_word = {str(value): value for value in known}
    words = {text} if text in by_word else set(text.split(","))
    for word in sorted(words - by_word.keys()):
        near = difflib.get_close_matches(word, by_word, n=1, cutoff=0)
        raise UsageError(f"{name}: '{word}' is not one of its values, {', '.join(by_word)}", f"nearest: {near[0]}")
    return tuple(value for word, value in by_word.items() if word in words)


def _check_order(name: str, text: str, length: float) -> None:
    if length < 0:
        low, _, high = text.partition("..")
        raise UsageError(f"{name}: the range {text} runs backwards", f"write {high}..{low}")


def _number(name: str, text: str) -> float:
    number = float(text) if NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(number):
        raise UsageError(f"{name}: expected a number, got '{shown_word(text)}'", EXAMPLE)
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numeric(known: Sequence[Any]) -> bool:
    return all(map(_is_number, known))


def _is_whole(left: Values, known: Values) -> bool:
    """Whether all values of a parameter remain."""
    if isinstance(left, Interval) or isinstance(known, Interval):
        return left == known
    return len(left) == len(known)


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
