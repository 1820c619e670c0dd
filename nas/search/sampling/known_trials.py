"""A study in memory with trials that are known: what a sampler learns from."""

from collections.abc import Container, Iterable, Sequence
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


class Told(list[KnownTrial]):
    """What a sampler is told: trials with the numbers and ids that they would have in a study of their own.

    Those without parameters are left out, and counted.
    """

    def __init__(self, trials: Iterable[optuna.trial.FrozenTrial] = ()) -> None:
        super().__init__()
        self._before: list[int] = []  # by trial: how many of those before it are here
        for trial in trials:
            self.tell(trial)

    @property
    def number(self) -> int:
        """The number of the next trial: how many were told, with those that are left out."""
        return len(self._before)

    def tell(self, trial: optuna.trial.FrozenTrial) -> None:
        """Adds the next trial."""
        self._before.append(len(self))
        if trial.params:
            known = KnownTrial.of(trial)
            known.number, known._trial_id = len(self), -1 - len(self)  # below the ids that a storage gives
            self.append(known)

    def keep(self, first: int) -> None:
        """Forgets all trials but the first ones."""
        if first < self.number:
            del self[self._before[first] :], self._before[first:]


class KnownStorage(optuna.storages.InMemoryStorage):
    """A study in memory whose first trials are known: it holds only those that come after them.

    Adding thousands of trials one by one takes longer than most samplers need.
    """

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told

    def create_new_trial(self, study_id: int, template_trial: optuna.trial.FrozenTrial | None = None) -> int:
        """Adds a trial, which is numbered after the known ones."""
        key = super().create_new_trial(study_id, template_trial)
        self.get_trial(key).number += len(self.told)
        return key

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[optuna.trial.TrialState] | None = None
    ) -> list[optuna.trial.FrozenTrial]:
        """The known trials, which are never copied, and those after them."""
        known = self.told if states is None else [trial for trial in self.told if trial.state in states]
        return [*known, *super().get_all_trials(study_id, deepcopy, states)]

    get_best_trial = optuna.storages.BaseStorage.get_best_trial  # of all of them


def study(directions: Sequence[Direction], sampler: optuna.samplers.BaseSampler, told: Told) -> optuna.Study:
    """A study with exactly these trials, which stay as they are."""
    return optuna.create_study(storage=KnownStorage(told), directions=list(directions), sampler=sampler)
