"""The table of published ImageNet-1k results that ships with the package, and what is wrong with a damaged one.

`scripts/make_published_table.py` makes it from timm's published results and its own traces of timm's models.
"""

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.common.errors import Unavailable
from search_spaces.common.texts import shown

Vector = NDArray[np.float64]
PATH = Path(__file__).with_name("published.csv")
LABELS = ("model", "family", "recipe")
NUMBERS = ("legacy", "size", "top1")  # an old recipe or not; pixels; percent
FIRST = (*LABELS, *NUMBERS)
FEATURES = 42
REMEDY = "install nas again; in a checkout: git checkout evaluators/prediction/published.csv"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Published results, a row each: (n,) and, for the features, (n, p)."""

    model: list[str]
    family: list[str]
    recipe: list[str]
    legacy: Vector
    size: Vector
    top1: Vector
    features: Vector
    names: tuple[str, ...]  # of the features

    @cached_property
    def architecture(self) -> list[str]:
        """The model without its training: `resnet50` of `resnet50.a1_in1k`."""
        return [model.partition(".")[0] for model in self.model]

    def published(self, architecture: str) -> str:
        """The best result of an architecture, as a sentence without a full stop; empty where it has none."""
        rows = [row for row, name in enumerate(self.architecture) if name == architecture]
        if not rows:
            return ""
        best = max(rows, key=lambda row: float(self.top1[row]))
        return f"published: {self.top1[best]:.4g} % ({self.model[best]}, {self.size[best]:g} px)"

    @cached_property
    def families(self) -> dict[str, str]:
        """The family of each architecture."""
        return dict(zip(self.architecture, self.family, strict=True))

    def without(self, architecture: str) -> "Table":
        """The table without the results of an architecture; the whole one for an empty name."""
        return self.rows([row for row, name in enumerate(self.architecture) if name != architecture])

    def rows(self, kept: Sequence[int]) -> "Table":
        """The table of these rows alone."""
        labels: dict[str, Any] = {name: [getattr(self, name)[row] for row in kept] for name in LABELS}
        numbers: dict[str, Any] = {name: getattr(self, name)[kept] for name in (*NUMBERS, "features")}
        return Table(**labels, **numbers, names=self.names)

    def column(self, name: str) -> Vector:
        """One feature of all rows (n,)."""
        return np.asarray(self.features[:, self.names.index(name)])

    def best(self) -> list[int]:
        """The row of the best result of every architecture, in the order of the table."""
        rows: dict[str, int] = {}
        for row, name in enumerate(self.architecture):
            if name not in rows or self.top1[row] > self.top1[rows[name]]:
                rows[name] = row
        return sorted(rows.values())


@cache
def table() -> Table:
    """The table of the package.

    Raises:
        Unavailable: it is damaged.
    """
    return read(PATH)


@cache
def table_digest() -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the file; empty if it cannot be read."""
    try:
        return hashlib.sha256(PATH.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


def origin() -> str:
    """The release of timm whose results the table holds, such as `timm 1.0.31, November 2026`; empty if damaged."""
    try:
        found = re.search(r"with (timm [\d.]+, \w+ \d{4})", PATH.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return found[1] if found else ""


def read(path: Path) -> Table:
    """The table of a file, checked.

    Raises:
        Unavailable: the file cannot be read, or is not such a table; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        head, *rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    except (OSError, ValueError, csv.Error) as error:  # ValueError: no UTF-8, or no line at all
        raise _damaged(path, f"it cannot be read ({error})") from None
    if tuple(head[: len(FIRST)]) != FIRST or len(head) != len(FIRST) + FEATURES:
        raise _damaged(path, f"its {len(head)} columns are not the {len(FIRST) + FEATURES} expected ones")
    if not lines[0].startswith(f"# {len(rows)} "):
        raise _damaged(path, f"it holds {len(rows)} results, and its first line says otherwise")
    numbers = np.array([_numbers(path, row, len(head)) for row in rows])
    return _table(tuple(head[len(FIRST) :]), rows, numbers)


def _numbers(path: Path, row: list[str], columns: int) -> list[float]:
    """The numbers of a row, checked."""
    name = shown(row[0] if row else "")
    if len(row) != columns:
        raise _damaged(path, f"the row of {name} has {len(row)} of {columns} cells")
    try:
        values = [float(cell) for cell in row[len(LABELS) :]]
    except ValueError as error:
        raise _damaged(path, f"in the row of {name}, {error}") from None
    if not all(map(isfinite, values)) or not 0 < values[NUMBERS.index("top1")] < 100:
        raise _damaged(path, f"the row of {name} holds a number that is none, or an accuracy beyond 0 to 100 %")
    return values


def _table(names: tuple[str, ...], rows: Sequence[list[str]], numbers: Vector) -> Table:
    model, family, recipe = ([row[index] for row in rows] for index in range(len(LABELS)))
    legacy, size, top1 = numbers[:, : len(NUMBERS)].T
    return Table(
        model=model,
        family=family,
        recipe=recipe,
        legacy=legacy,
        size=size,
        top1=top1,
        features=numbers[:, len(NUMBERS) :],
        names=names,
    )


def _damaged(path: Path, problem: str) -> Unavailable:
    return Unavailable(f"the table of published networks '{path.name}' is damaged: {problem}", REMEDY)
