"""NSGA-II for many generations.

Optuna selects the parents of a generation from the generation before and its parents, and so on in a recursion that
searches all trials at every step. It keeps the result in its study; ours is made anew for every proposal, so that a
resumed run proposes the same. After some 480 generations Python ends such a recursion.
"""

from collections import defaultdict

import optuna


class NSGAIISampler(optuna.samplers.NSGAIISampler):
    """Optuna's NSGA-II for one proposal: it selects the same parents, generation by generation.

    It bears the name of Optuna's, which is part of the attribute that a trial keeps of its generation.
    """

    def __init__(self, seed: int, population_size: int) -> None:
        super().__init__(seed=seed, population_size=population_size)
        self._parents: list[list[optuna.trial.FrozenTrial]] = [[]]  # of each generation; the first has none
        self._populations: defaultdict[int | None, list[optuna.trial.FrozenTrial]] = defaultdict(list)

    def get_population(self, study: optuna.Study, generation: int) -> list[optuna.trial.FrozenTrial]:
        """The finished trials of a generation."""
        if not self._populations:
            for trial in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE]):
                self._populations[trial.system_attrs.get(self._get_generation_key())].append(trial)
        return self._populations[generation]

    def get_parent_population(self, study: optuna.Study, generation: int) -> list[optuna.trial.FrozenTrial]:
        """The trials from which the networks of a generation descend."""
        while len(self._parents) <= generation:
            self._parents.append(self.select_parent(study, len(self._parents)))
        return self._parents[generation]
