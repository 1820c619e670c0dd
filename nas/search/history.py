"""What a sampler is told of a run: it depends on the trials alone, and not on how many are evaluated at once."""

import math
from copy import copy
from typing import TYPE_CHECKING

from evaluators import Measurement
from evaluators.stopwatch.calibration import ratio_of
from results.store.record import Run

if TYPE_CHECKING:
    import optuna

AHEAD = 4  # results that a proposal does not wait for: enough to ask, build and measure different candidates at once


def told(run: Run, trials: "list[optuna.trial.FrozenTrial]") -> "list[optuna.trial.FrozenTrial]":
    """The trials from which the next one is proposed: of the last `AHEAD` only that they are being evaluated.

    That holds for finished ones, too. Therefore one candidate after another, several at once, and a resumed run lead to
    the same proposals. Accuracies are the latest predictions, and latencies are ratios: the device's constant changes
    during a run and a ratio does not.
    """
    names = [metric.name for metric in run.objectives]
    latest = {t.number: [_comparable(t.measurements[name]) for name in names] for t in run.succeeded()}
    known = [copy(trial) for trial in trials[:-AHEAD]]
    for trial in known:
        if trial.number in latest:
            trial.values = latest[trial.number]
    return known + [_pending(trial) for trial in trials[-AHEAD:]]


def _pending(trial: "optuna.trial.FrozenTrial") -> "optuna.trial.FrozenTrial":
    """The trial as it was when it was asked for."""
    import optuna

    outcome = "constraints"  # Optuna's name for them among what the sampler stored
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs={key: value for key, value in trial.system_attrs.items() if not key.startswith(outcome)},
    )


def _comparable(measurement: Measurement) -> float:
    """The value for a sampler: of a latency its first ratio, which no repeat and no constant of the device changes."""
    ratio = ratio_of(measurement)
    return math.exp(measurement.details.get("first_log_ratio", ratio.log)) if ratio else measurement.value
