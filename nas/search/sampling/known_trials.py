"""A study in memory with trials that are known: what a sampler learns from."""

from collections.abc import Container, Sequence
from typing import Any

import optuna

from evaluators.core.measurement import Direction


class KnownTrial(optuna.trial.FrozenTrial):
    """A trial that nobody changes, so that a copy may be itself: Optuna copies all parts of a trial that is added.

    That takes half a millisecond, and seconds for the thousands of trials of every proposal.
    """

    @classmethod
    def of(cls, trial: optuna.trial.FrozenTrial) -> "KnownTrial":
        """The same trial, whose number and values may differ."""
        if isinstance(trial, cls):
            return trial
        known = cls.__new__(cls)
        vars(known).update(vars(trial))
        return known

    def __deepcopy__(self, memo: dict[int, Any]) -> "KnownTrial":
        return self


class KnownStorage(optuna.storages.InMemoryStorage):
    """A study in memory whose first trials are known: it holds only those that come after them.

    Adding thousands of trials one by one takes longer than most samplers need.
    """

    def __init__(self, known: Sequence[KnownTrial]) -> None:
        super().__init__()
        self.known = known
        for number, trial in enumerate(known):
            trial.number, trial._trial_id = number, number - len(known)  # below the ids that this class gives

    def create_new_trial(self, study_id: int, template_trial: optuna.trial.FrozenTrial | None = None) -> int:
        """Adds a trial, which is numbered after the known ones."""
        key = super().create_new_trial(study_id, template_trial)
        self.get_trial(key).number += len(self.known)
        return key

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[optuna.trial.TrialState] | None = None
    ) -> list[optuna.trial.FrozenTrial]:
        """The known trials, which are never copied, and those after them."""
        known = (trial for trial in self.known if states is None or trial.state in states)
        return [*known, *super().get_all_trials(study_id, deepcopy, states)]

    get_best_trial = optuna.storages.BaseStorage.get_best_trial  # of all of them


def study(
    directions: Sequence[Direction], sampler: optuna.samplers.BaseSampler, trials: Sequence[optuna.trial.FrozenTrial]
) -> optuna.Study:
    """A study with exactly these trials, which stay as they are."""
    storage = KnownStorage([KnownTrial.of(trial) for trial in trials])
    return optuna.create_study(storage=storage, directions=list(directions), sampler=sampler)
