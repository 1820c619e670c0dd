"""What a sampler is told of a run: it depends on the trials alone, and not on how many are evaluated at once."""

from typing import TYPE_CHECKING

from nas.search.sampling.comparable import comparable
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import optuna

    from nas.search.sampling.known_trials import KnownTrial

AHEAD = 4  # results that a proposal does not wait for: enough to ask, build and measure different candidates at once
MOST_AHEAD = 63  # beyond, what a sampler is told lags too far behind


class History:
    """The trials as a sampler sees them, made anew only where something has changed."""

    def __init__(self, ahead: int = AHEAD) -> None:
        self.ahead = ahead
        self._known: dict[int, tuple[optuna.trial.FrozenTrial, Trial | None, KnownTrial]] = {}  # by number

    def told(self, run: Run, trials: "list[optuna.trial.FrozenTrial]") -> "list[optuna.trial.FrozenTrial]":
        """The trials from which the next one is proposed: of the last `ahead` only that they are being evaluated.

        That holds for finished ones, too. Therefore one candidate after another, several at once, and a resumed run
        lead to the same proposals. Accuracies are the latest predictions, and latencies are ratios: the device's
        constant changes during a run and a ratio does not.
        """
        judged = {trial.number: trial for trial in run.succeeded()}
        settled = max(0, len(trials) - self.ahead)
        known = [self._judged(run, frozen, judged.get(frozen.number)) for frozen in trials[:settled]]
        return [*known, *(_pending(trial) for trial in trials[settled:])]

    def _judged(self, run: Run, frozen: "optuna.trial.FrozenTrial", judged: Trial | None) -> "optuna.trial.FrozenTrial":
        from nas.search.sampling.known_trials import KnownTrial  # imports Optuna

        source, judgement, known = self._known.get(frozen.number, (None, None, None))
        if not known or source is not frozen or judgement is not judged:
            known = KnownTrial.of(frozen)
            if judged:
                known.values = [comparable(judged.measurements[metric.name]) for metric in run.objectives]
            self._known[frozen.number] = frozen, judged, known
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
