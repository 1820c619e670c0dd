"""A run as data for other tools: dictionaries for JSON, and a pandas DataFrame."""

from typing import TYPE_CHECKING, Any

from results import novelty
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import pandas as pd


def trial_dict(trial: Trial) -> dict[str, Any]:
    """A trial as plain data, for JSON."""
    return {
        "trial": trial.number,
        "state": trial.state,
        "id": trial.architecture.id,
        "notation": str(trial.architecture),
        "anchor": trial.anchor or None,
        "measurements": {name: measurement.to_dict() for name, measurement in trial.measurements.items()},
        "constraints": trial.constraints,
        "cause": trial.cause or None,
        "unlike_published": list(novelty.reasons(trial.architecture)),
        "seconds": trial.seconds,
    }


def frame(run: Run) -> "pd.DataFrame":
    """The trials of a run as a pandas DataFrame, with columns for values and for the ends of their intervals."""
    import pandas as pd

    rows = [_row(trial) for trial in run.trials]
    return pd.DataFrame(rows, columns=None if rows else ["trial", "state", "anchor", "notation", "id", "cause"])


def _row(trial: Trial) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": trial.number,
        "state": trial.state,
        "anchor": trial.anchor or None,
        "notation": str(trial.architecture),
        "id": trial.architecture.id,
    }
    for name, measurement in trial.measurements.items():
        column = f"{name} [{measurement.unit}]"
        row |= {column: measurement.value, f"{column} low": measurement.low, f"{column} high": measurement.high}
        row |= {f"{name} {further}": value for further, value in measurement.secondary.items()}
    return row | {"cause": trial.cause or None}
