"""Checks of the fields of an architecture: each returns the settled value, or names the nearest valid one."""

from collections.abc import Collection, Mapping
from typing import Any

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.texts import shown

CHANNEL_STEP = 32  # the paper's convolutions have 32 channels per group and its attention 32 per head
MAX_WIDTH = 4096  # far beyond the family; a bound, so that no file can exhaust memory


def whole_number(value: object) -> int | None:
    """A number as an integer, None if it is none: 2.0 is 2, as in JSON Schema, or one network would have two ids."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)


def checked_width(field: str, value: object) -> int:
    """The width of a block.

    Raises:
        InvalidArchitecture: not a multiple of 32 from 32 to 4096.
    """
    low, step = CHANNEL_STEP, CHANNEL_STEP
    width = whole_number(value)
    if width is not None and low <= width <= MAX_WIDTH and width % step == 0:
        return width
    nearest = round(min(MAX_WIDTH, max(low, value)) / step) * step if isinstance(value, int | float) else low
    raise InvalidArchitecture(
        field, f"expected a multiple of {step} from {low} to {MAX_WIDTH}, got {shown(value)}", nearest
    )


def checked_stem(widths: tuple[object, ...]) -> tuple[int, ...]:
    """The widths of the stem.

    Raises:
        InvalidArchitecture: not three widths from 1 to 4096.
    """
    if len(widths) != 3:
        raise InvalidArchitecture("stem", f"expected 3 widths, got {shown(widths)}", (64, 32, 64))
    integers = [whole_number(width) for width in widths]
    for given, width in zip(widths, integers, strict=True):
        if width is None or not 1 <= width <= MAX_WIDTH:
            raise InvalidArchitecture("stem", f"expected widths from 1 to {MAX_WIDTH}, got {shown(given)}", 64)
    return tuple(width for width in integers if width)


def checked_ratio(field: str, value: object, low: float, high: float, nearest: float) -> float:
    """A ratio from `low` to `high`.

    Raises:
        InvalidArchitecture: another value.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidArchitecture(field, f"expected a ratio from {low:g} to {high:g}, got {shown(value)}", nearest)
    return float(value)


def one_of(field: str, value: object, choices: tuple[str, ...] | tuple[int, ...]) -> str | int:
    """One of some integers, or of some names.

    Raises:
        InvalidArchitecture: another value.
    """
    settled = value if isinstance(value, str) else whole_number(value)
    if settled is not None and settled in choices:
        return settled
    numbers = [choice for choice in choices if isinstance(choice, int) and isinstance(value, int | float)]
    nearest = min(numbers, key=lambda choice: abs(choice - value), default=choices[0])
    raise InvalidArchitecture(field, f"expected one of {choices}, got {shown(value)}", nearest)


def checked_keys(place: str, data: object, known: Collection[str], required: Collection[str]) -> dict[str, Any]:
    """The fields of a JSON object.

    Raises:
        InvalidArchitecture: no object, an unknown field, or a missing one.
    """
    if not isinstance(data, Mapping):
        raise InvalidArchitecture(place, f"expected a JSON object, got {shown(data)}")
    for key in data:
        if not isinstance(key, str) or key not in known:
            raise InvalidArchitecture(place, f"unknown field {shown(key)}", ", ".join(sorted(known)))
    for key in sorted(set(required) - set(data)):
        raise InvalidArchitecture(place, f"the field '{key}' is missing")
    return dict(data)
