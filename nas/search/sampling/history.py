"""What a sampler is told of a run: it depends on the trials alone, and not on how many are evaluated at once."""

from collections.abc import Sequence
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING

from nas.search.sampling.comparable import comparable
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import optuna

    from nas.search.sampling.known_trials import KnownTrial, Told

AHEAD = 4  # results that a proposal does not wait for: enough to ask, build and measure different candidates at once
MOST_AHEAD = 63  # beyond, what a sampler is told lags too far behind


class History:
    """The trials as a sampler sees them, made anew only from the first one on that has changed."""

    def __init__(self, ahead: int = AHEAD) -> None:
        self.ahead = ahead
        self._settled = 0  # trials that were told with their outcomes
        self._seen: tuple[Sequence[object], Sequence[object]] = (), ()
        self._told: Told | None = None

    def told(self, run: Run, trials: "Sequence[optuna.trial.FrozenTrial]") -> "Told":
        """The trials from which the next one is proposed: of the last `ahead` only that they are being evaluated.

        That holds for finished ones, too. Therefore one candidate after another, several at once, and a resumed run
        lead to the same proposals. Accuracies are the latest predictions, and latencies are ratios: the device's
        constant changes during a run and a ratio does not. What is returned changes with the next call.
        """
        from nas.search.sampling.known_trials import Told  # imports Optuna

        told = self._told = Told() if self._told is None else self._told
        settled, now = max(0, len(trials) - self.ahead), (run.trials, tuple(trials))
        same = min(settled, self._settled, *map(_same, self._seen, now))
        self._settled, self._seen = settled, now
        told.keep(same)
        judged = {trial.number: trial for trial in run.trials[same:] if trial.succeeded}
        for frozen in trials[same:settled]:
            told.tell(_judged(run, frozen, judged.get(frozen.number)))
        for frozen in trials[settled:]:
            told.tell(_pending(frozen))
        return told


def _same(one: Sequence[object], other: Sequence[object]) -> int:
    """How many of the first elements are the same objects in both."""
    return next(compress(count(), map(is_not, one, other)), min(len(one), len(other)))


def _judged(run: Run, frozen: "optuna.trial.FrozenTrial", judged: Trial | None) -> "KnownTrial":
    """A finished trial with the values as they are known now."""
    from nas.search.sampling.known_trials import KnownTrial  # imports Optuna

    known = KnownTrial.of(frozen)
    if judged:
        known.values = [comparable(judged.measurements[metric.name]) for metric in run.objectives]
    return known


def told_trials(run: Run, number: int) -> list[Trial]:
    """The trials whose outcome is known where the trial of that number is asked for, with all objectives."""
    return [trial for trial in run.succeeded() if trial.number < number - run.config.get("ahead", AHEAD)]


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
