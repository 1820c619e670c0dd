"""`screen` as a sampler of Optuna, for any study: what it asks is a function of the study's trials and of its seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import threadpool_limits

from nas.search.screening.screening import Screening
from nas.search.screening.views import Known, Parameters, View


class ScreeningSampler(BaseSampler):
    """Asks for the candidate of a pool that should widen the front most.

    `view` tells it of the networks behind the parameters; `earlier` are networks that were evaluated before the study;
    `limits` are bounds on values by the index of an objective. Trials that are running count as pending.
    """

    def __init__(
        self,
        seed: int,
        view: View | None = None,
        earlier: Known | None = None,
        limits: Mapping[int, float] | None = None,
    ) -> None:
        self.rng, self.view = np.random.default_rng(seed), view
        self.earlier, self.limits = earlier or Known(), limits or {}
        self.independent = RandomSampler(seed=seed)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that all trials have in common."""
        return in_common(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The parameters of the next trial; none before there is a finished one."""
        if not search_space:
            return {}
        trials = study.get_trials(deepcopy=False)
        signs = [-1.0 if each == optuna.study.StudyDirection.MAXIMIZE else 1.0 for each in study.directions]
        screening = Screening(
            view=self.view or Parameters(search_space),
            distributions=search_space,
            signs=signs,
            most={index: bound * signs[index] for index, bound in self.limits.items()},
        )
        running = [each.params for each in trials if each.state == TrialState.RUNNING and each.number != trial.number]
        pending = [params for params in running if params.keys() >= search_space.keys()]
        with threadpool_limits(1):  # a second thread gains little, and would disturb a measurement on another core
            return screening.choose(known(trials), pending, self.earlier, self.rng)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A uniform value of a parameter that not all trials have."""
        return self.independent.sample_independent(study, trial, param_name, param_distribution)


def in_common(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """The distributions that all trials have, by parameter, sorted; Optuna compares all of them one by one."""
    common = dict(trials[0].distributions) if trials else {}
    for trial in trials:
        if trial.distributions != common:  # quick where they are the same objects
            common = {name: each for name, each in common.items() if trial.distributions.get(name) == each}
    return {name: common[name] for name in sorted(common)}


def known(trials: Sequence[FrozenTrial]) -> Known:
    """The trials that finished with finite values; a network outside the space has no parameters to learn from."""
    done = [each for each in trials if each.state == TrialState.COMPLETE and each.params]
    done = [each for each in done if np.isfinite(each.values).all()]
    params = [each.params for each in done]
    return Known(params=params, values=np.array([each.values for each in done], dtype=float))
