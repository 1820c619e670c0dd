"""What we know: the store of runs and measurements, their front, its figures and pages, and exports.

In a notebook: `run = results.load("nhs-1")`, then `results.frame(run)` and `figures.pareto(run)`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from results.store.record import Run

__all__ = ["DEFAULT_STORE", "frame", "load"]

DEFAULT_STORE = "sqlite:///runs/nas.db"


def load(name: str | None = None, store: str = DEFAULT_STORE) -> "Run":
    """A run with all its trials, by name, or the newest; the database is only read.

    Raises:
        StoreError: there is no database, no run in it, or what it holds is damaged.
        UsageError: no run can have that name.
        UnknownName: no such run; offers the nearest name.
    """
    from results.store import names
    from results.store.store import Store

    if name is not None:
        names.check(name)
    opened = Store(store)
    try:
        return opened.run(opened.named(name))
    finally:
        opened.close()


def frame(run: "Run") -> "pd.DataFrame":
    """A row for every trial of a run, a column for every value and for both ends of its interval."""
    from results import tables

    return tables.frame(run)
