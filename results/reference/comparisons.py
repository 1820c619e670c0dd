"""Comparisons of published numbers: differences, rank correlations and fronts, with intervals where there can be one.

Intervals are 95 %: of a difference in accuracy from the number of validation images, of a rank correlation by a
bootstrap over families, whose networks resemble each other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics import ranking
from evaluators.statistics.intervals import normal, share_error
from evaluators.statistics.ranking import BOOTSTRAPS
from results.front import non_dominated
from results.reference.tables import Networks, Vector

Rows = NDArray[np.intp]
VALIDATION = 50_000  # images of ImageNet's validation set


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number that bears on a claim. `n` says of how many networks, epochs, images or measures it is made."""

    name: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    n: int = 1

    def __str__(self) -> str:
        interval = f" [{self.low:.3g}, {self.high:.3g}]" if self.low is not None and self.high is not None else ""
        count = f" (n = {self.n})" if self.n > 1 else ""
        return f"{self.name}: {self.value:.4g}{interval} {self.unit}".rstrip() + count


def difference(name: str, first: float, second: float) -> Number:
    """A difference of two top-1 accuracies; the interval leaves out that both saw the same images, and is too wide."""
    half = normal() * 100 * sqrt(sum(share_error(each / 100, VALIDATION) ** 2 for each in (first, second)))
    gain = first - second
    return Number(name=name, value=gain, unit="points", low=gain - half, high=gain + half, n=VALIDATION)


def family(model: str) -> str:
    """The letters before the first digit, underscore or dot: `convnext` of `convnext_tiny`."""
    return re.split(r"[\d_.]", model.removeprefix("tf_"))[0]


def over_families(models: Sequence[str]) -> Iterator[Rows]:
    """All rows first, and then those of each draw of a bootstrap: as many families as there are, drawn whole."""
    names = np.array([family(model) for model in models])
    families = [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]
    yield np.arange(len(models))
    random = np.random.default_rng(0)
    for _ in range(BOOTSTRAPS):
        yield np.concatenate([families[each] for each in random.integers(len(families), size=len(families))])


def number(name: str, values: Vector, n: int) -> Number:
    """The first of these values, with the interval of the others, (1 + draws,)."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Number(name=name, value=float(values[0]), low=float(low), high=float(high), n=n)


def correlations(models: Sequence[str], columns: Sequence[Vector]) -> Vector:
    """Spearman's rank correlation of every two columns (n,), of all rows and of each draw: (1 + draws, c, c)."""
    table = np.column_stack(columns)

    def matrix(rows: Rows) -> Vector:
        return np.asarray(np.corrcoef([ranking.ranks(column) for column in table[rows].T]))

    return np.array([matrix(rows) for rows in over_families(models)])


def chosen(table: Networks, rows: NDArray[Any]) -> Networks:
    """Some rows of a table, by a mask or by their numbers."""
    index = np.arange(len(table.model))[rows]
    return replace(
        table,
        model=tuple(table.model[row] for row in index),
        times={key: times[index] for key, times in table.times.items()},
        **{name: getattr(table, name)[index] for name in ("size", "top1", "macs", "activations", "labels_alone")},
    )


def distinct(table: Networks) -> Networks:
    """One row for each architecture and size, whose counts and times its weights share."""
    keys = [(model.partition(".")[0], size) for model, size in zip(table.model, table.size, strict=True)]
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    return chosen(table, np.sort(list(first.values())))


def on_front(table: Networks, setting: str) -> set[int]:
    """The rows that no other beats in top-1 and time."""
    return set(np.flatnonzero(non_dominated(np.column_stack([-table.top1, table.times[setting]]))))


def dominators(table: Networks, setting: str, row: int) -> int:
    """How many rows are as good as this one in top-1 and time, and better in one of them."""
    times, top1 = table.times[setting], table.top1
    as_good = (times <= times[row]) & (top1 >= top1[row])
    return int((as_good & ((times < times[row]) | (top1 > top1[row]))).sum())
