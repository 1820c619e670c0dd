"""What the figures of a mechanism share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.statistics.ranking import Interval
from results.colours import BLUE, GREY, VERMILION
from results.glyphs import ZOO

KINDS = {"C": ("convolution block", BLUE), "T": ("transformer block", VERMILION)}
PARTS = {"attention": VERMILION, "convolution": BLUE}


@dataclass(frozen=True, kw_only=True)
class Points:
    """Intervals by block."""

    blocks: tuple[str, ...]
    intervals: tuple[Interval, ...]


def kind_style(kind: str) -> tuple[str, str]:
    """The name and the colour of a kind of block."""
    return KINDS.get(kind) or (f"{kind} block", ZOO[kind])


def error(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Error bars from the intervals of points."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [each.high - each.value for each in intervals],
        "arrayminus": [each.value - each.low for each in intervals],
    }


def tick(symbol: str) -> dict[str, Any]:
    """The marker of what a point is compared with."""
    return {"symbol": symbol, "size": 14, "color": GREY, "line": {"width": 2, "color": GREY}}


def categories(names: Sequence[str]) -> dict[str, Any]:
    """A horizontal axis of blocks in their order, and a vertical one from 0."""
    return {"xaxis_type": "category", "xaxis_categoryarray": list(names), "yaxis_rangemode": "tozero"}
