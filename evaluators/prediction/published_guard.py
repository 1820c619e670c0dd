"""Is a network like something that was ever published? A search that exploits a score ends in networks that are not.

Compared are where its MACs are spent, how deep each stage is, and how wide, with published networks of similar size
that have all four stages. A network beyond the range of nearly all in one of these is unlike them, as one published
network in twenty is unlike the others. It may still be good: nobody has published that it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import exp

import numpy as np

from evaluators.prediction.published_features import SHORT, SIZE, layout
from evaluators.prediction.published_table import Table, table
from search_spaces import Network

UNLIKE = "unlike anything published"
QUANTILE = 0.003  # of published networks that a range leaves out at each end
TOLERANCE = 0.01  # of a range's ends: the table has three digits
SMALLEST, LARGEST = 1e9, 30e9  # MACs of the networks that are compared with: the sizes of published hybrids
PARALLEL = ("hrnet", "coat_tiny", "coat_mini", "coat_small")  # work at several strides side by side, not in stages
STRIDES = {name: name.replace("s", "stride ") for name in SHORT[1:]}
WORDS = (
    {f"macs_{name}": f" % of its MACs are at {stride}" for name, stride in STRIDES.items()}
    | {f"mixers_{name}": f" spatial layers at {stride}" for name, stride in STRIDES.items()}
    | {"mixers": " spatial layers", "width_late": " channels in its widest layer beyond stride 8"}
    | {f"width_{name}": f" channels on average at {STRIDES[name]}" for name in ("s4", "s8")}
)


@dataclass(frozen=True)
class Range:
    """What published networks have of one quantity."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low * (1 - TOLERANCE) <= value <= self.high * (1 + TOLERANCE)


def unlike(network: Network, resolution: int = SIZE) -> list[str]:
    """In what a network is unlike published ones of similar size, as sentences; empty if it is like them.

    Raises:
        Unavailable: the table is damaged.
    """
    values = quantities(layout(network, resolution))
    published = ranges()
    return [_sentence(name, value, published[name]) for name, value in values.items() if value not in published[name]]


def _sentence(name: str, value: float, published: Range) -> str:
    unit = " %" if WORDS[name].startswith(" %") else ""
    return f"{value:.0f}{WORDS[name]} (published networks: {published.low:.0f} to {published.high:.0f}{unit})"


def quantities(features: Mapping[str, float]) -> dict[str, float]:
    """What networks are compared by: shares of MACs in percent, counts of spatial layers, and widths in channels."""
    shares = {f"macs_{name}": 100 * features[f"macs_{name}"] ** 2 for name in STRIDES}
    mixers = {f"mixers_{name}": exp(features[f"mixers_{name}"]) - 1 for name in STRIDES}
    widths = {name: exp(features[name]) for name in ("width_s4", "width_s8", "width_late")}
    return {**shares, **mixers, "mixers": sum(mixers.values()), **widths}


@cache
def ranges() -> dict[str, Range]:
    """The ranges of published networks, by quantity."""
    rows = compared(table())
    limits = (QUANTILE, 1 - QUANTILE)
    return {name: Range(*np.quantile([row[name] for row in rows], limits).tolist()) for name in rows[0]}


def compared(results: Table) -> list[dict[str, float]]:
    """The quantities of the networks to compare with: each architecture once, of similar size, with four stages."""
    chosen = [row for row in results.best() if not results.model[row].startswith(PARALLEL)]
    rows = [dict(zip(results.names, values, strict=True)) for values in results.features[chosen].tolist()]
    return [
        quantities(row)
        for row in rows
        if SMALLEST <= exp(row["log_macs"]) <= LARGEST and all(row[f"layers_{name}"] for name in STRIDES)
    ]
