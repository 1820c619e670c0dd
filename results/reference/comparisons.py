"""Comparisons of published numbers: differences, rank correlations and fronts, with intervals where there can be one.

Intervals are 95 %: of a difference in accuracy from the number of validation images, of a rank correlation by a
bootstrap over families, whose networks resemble each other.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics import ranking
from evaluators.statistics.intervals import normal, share_error
from evaluators.statistics.ranking import Interval
from results.front import non_dominated
from results.reference.facts import settings
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


def of_families(name: str, models: Sequence[str], statistic: Callable[[Rows], float]) -> Number:
    """A statistic of rows, with its interval over families: whole families are drawn."""
    names = [family(model) for model in models]
    rows = [np.flatnonzero(np.array(names) == each) for each in dict.fromkeys(names)]
    found = ranking.bootstrap(lambda drawn: statistic(np.concatenate([rows[each] for each in drawn])), len(rows))
    return _number(name, found, len(models))


def _number(name: str, interval: Interval, n: int) -> Number:
    return Number(name=name, value=interval.value, low=interval.low, high=interval.high, n=n)


def family(model: str) -> str:
    """The letters before the first digit, underscore or dot: `convnext` of `convnext_tiny`."""
    return re.split(r"[\d_.]", model.removeprefix("tf_"))[0]


def spearman(name: str, models: Sequence[str], x: Vector, y: Vector) -> Number:
    """Spearman's rank correlation of two columns."""
    return of_families(name, models, lambda rows: ranking.rho(x[rows], y[rows]))


def gain_in_spearman(name: str, models: Sequence[str], first: Vector, second: Vector, truth: Vector) -> Number:
    """By how much the first column ranks the truth better than the second."""
    return of_families(
        name, models, lambda rows: ranking.rho(first[rows], truth[rows]) - ranking.rho(second[rows], truth[rows])
    )


def correlation(table: Networks, first: str, second: str) -> Number:
    """Spearman's rank correlation of the times in two settings, over the networks that have both."""
    table = chosen(table, np.isfinite(table.times[first]) & np.isfinite(table.times[second]))
    name = f"Spearman of {settings()[first].label} and {settings()[second].label}"
    return spearman(name, table.model, table.times[first], table.times[second])


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
