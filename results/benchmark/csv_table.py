"""Reads CSV files that users give, checks their numbers, and reports what is wrong."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search_spaces.common.errors import UsageError
from search_spaces.common.texts import is_file, shown

if TYPE_CHECKING:
    import pandas as pd

Vector = NDArray[np.float64]
BEYOND = 1e100  # no quantity is as large: sums of squares stay finite below it


def read(path: Path) -> "pd.DataFrame":
    """The table of a CSV file. `architecture` is text; columns of numbers have a numeric type.

    Raises:
        UsageError: no such file, or not a table.
    """
    import pandas as pd

    if not is_file(path):
        raise UsageError(f"there is no file '{path}'", "give a CSV file, or 'store' for the networks trained here")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas warns where a row is longer than the head, and cuts it off
            return pd.read_csv(path, dtype={"architecture": str}, thousands=",", low_memory=False, index_col=False)
    except (OSError, ValueError, OverflowError, Warning) as error:  # its own errors are ValueErrors
        reason = " ".join(str(error).split())
        raise UsageError(f"'{path}' cannot be read as CSV: {reason:.200}", "see nas validate --help") from None


def is_numeric(column: "pd.Series[float]") -> bool:
    """Whether a column holds numbers, and at least one."""
    return bool(np.isfinite(numbers(column)).any())


def numbers(column: "pd.Series[float]") -> Vector:
    """The numbers of a column, (n,); NaN where a cell is empty, a text or beyond every quantity."""
    if column.dtype.kind not in "iufb":
        return np.full(len(column), np.nan)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < BEYOND, values, np.nan)


def _number(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def percentages(column: "pd.Series[float]") -> Vector:
    """Accuracies in percent, (n,); NaN where a cell is empty.

    Raises:
        UsageError: a cell holds something else; names the first.
    """
    values = np.array([_number(cell) for cell in column])
    for row in np.flatnonzero(column.notna().to_numpy() & ~(np.abs(values) <= 100)):
        raise UsageError(
            f"row {row + 1} has {shown(column.iloc[row])} as {column.name}, which is no accuracy in percent",
            "give a number up to 100, or leave the cell empty",
        )
    return values
