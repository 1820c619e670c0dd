"""Published training curves: at which epoch of one long schedule does the order of networks become the final one?"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from results.benchmark import csv_table
from search_spaces.common.errors import UsageError
from search_spaces.common.texts import is_file

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {"size", "epoch", "acc1"}
PARTS = 6
LONGEST_HEAD = 65_536  # letters


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some consecutive epochs: how often the networks stood in their final order."""

    first: int
    last: int
    right: float  # share of epochs


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What a schedule that is cut off would have said."""

    truth: str
    networks: tuple[str, ...]  # in their final order, the worst first
    final: tuple[float, ...]
    settled: int | None  # the epoch from which the order never changed again
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """In words."""
        settled = f"for good only from epoch {self.settled} on" if self.settled is not None else "never for good"
        return f"the final order {' < '.join(self.networks)} stood {settled}: cutting a long schedule off misleads"


def is_curves(path: Path) -> bool:
    """Whether a CSV file holds curves rather than networks with one accuracy each."""
    if not is_file(path):
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            return set(file.readline(LONGEST_HEAD).strip().split(",")) >= COLUMNS
    except (OSError, ValueError):
        return False


def _epochs(column: "pd.Series[float]") -> "pd.Series[int]":
    if (len(column) and column.dtype.kind not in "iuf") or not ((column >= 0) & (column < 1e9)).all():
        raise UsageError("the column epoch holds something else than numbers", "number the epochs from 0")
    return column.astype(int)


def read(path: Path) -> Curves:
    """The order of the networks of a file of curves, epoch by epoch.

    Raises:
        UsageError: too few epochs or networks, a network twice in an epoch, or accuracies that are none.
    """
    rows = csv_table.read(path)
    rows["acc1"] = csv_table.percentages(rows["acc1"])
    rows["epoch"] = _epochs(rows["epoch"])
    if rows.duplicated(["size", "epoch"]).any():
        raise UsageError(f"'{path}' has a network twice in one epoch", "leave one row for each size and epoch")
    table = rows.pivot(index="epoch", columns="size", values="acc1").dropna()
    if len(table) < PARTS or len(table.columns) < 2:
        raise UsageError(
            f"'{path}' has {len(table)} epochs of all its {len(table.columns)} networks",
            f"{PARTS} epochs and two networks are the least",
        )
    final = table.iloc[-1].sort_values()
    values = table[list(final.index)].to_numpy()
    right = np.asarray((np.diff(values, axis=1) > 0).all(axis=1))
    wrong = np.flatnonzero(~right)
    settled = int(table.index[wrong[-1] + 1]) if len(wrong) and wrong[-1] + 1 < len(right) else None
    parts = [
        Part(first=int(epochs[0]), last=int(epochs[-1]), right=float(share.mean()))
        for epochs, share in zip(
            np.array_split(table.index.to_numpy(), PARTS), np.array_split(right, PARTS), strict=True
        )
    ]
    return Curves(
        truth=path.stem,
        networks=tuple(map(str, final.index)),
        final=tuple(float(value) for value in final),
        settled=0 if not len(wrong) else settled,
        parts=tuple(parts),
    )
