"""Published training curves: at which epoch of one long schedule does the order of networks become the final one?"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = {"size", "epoch", "acc1"}
PARTS = 6


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
    try:
        with path.open() as file:
            return set(file.readline().strip().split(",")) >= COLUMNS
    except (OSError, UnicodeDecodeError):
        return False


def read(path: Path) -> Curves:
    """The order of the networks of a file of curves, epoch by epoch."""
    import pandas as pd

    table = pd.read_csv(path).pivot(index="epoch", columns="size", values="acc1").dropna()
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
