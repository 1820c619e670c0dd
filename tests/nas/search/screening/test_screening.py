"""The sampler `screen`, on studies of all kinds: what it asks is new, possible, reproducible and good."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest

from nas.search.screening.pool import candidates
from nas.search.screening.sampler import ScreeningSampler
from nas.search.screening.views import Known
from results.front import hypervolume

optuna.logging.set_verbosity(optuna.logging.WARNING)

DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "depth": optuna.distributions.IntDistribution(1, 9),
    "width": optuna.distributions.IntDistribution(64, 256, step=64),
    "ratio": optuna.distributions.FloatDistribution(0, 1, step=0.25),
    "rate": optuna.distributions.FloatDistribution(0.1, 0.2),
    "kind": optuna.distributions.CategoricalDistribution(["C", "T", None]),
}
GRID: dict[str, optuna.distributions.BaseDistribution] = {
    name: optuna.distributions.IntDistribution(0, 9) for name in "abcdef"
}
Values = Callable[[dict[str, Any]], tuple[float, float]]


def cost(params: dict[str, Any]) -> tuple[float, float]:
    """A quality with diminishing returns, and a cost: how they are shared out matters."""
    quality = sum((rank + 1) ** 0.5 * params[name] ** 0.5 for rank, name in enumerate("abcdef"))
    return quality, sum(params.values()) + 2.0 * params["f"]


def searched(
    sampler: Callable[[int], optuna.samplers.BaseSampler], count: int, values: Values = cost, seed: int = 0
) -> optuna.Study:
    """A study whose sampler is built anew for every question, as a resumed run does."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    first = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    start = first.ask(GRID).params
    study.add_trial(optuna.trial.create_trial(params=start, distributions=GRID, values=values(start)))
    for number in range(1, count):
        study.sampler = sampler(1000 * seed + number)
        trial = study.ask(GRID)
        study.tell(trial, values(trial.params))
    return study


def volume(study: optuna.Study) -> float:
    costs = np.array([[-trial.values[0], trial.values[1]] for trial in study.trials])
    return hypervolume(costs, np.array([0.0, 80.0]))


@pytest.mark.parametrize("best", [0, 1, 4])
def test_a_pool_holds_values_of_the_space(best: int) -> None:
    rng = np.random.default_rng(0)
    leaders = candidates(DISTRIBUTIONS, [], best, rng)
    pool = candidates(DISTRIBUTIONS, leaders, 200, rng)
    assert len(pool) == 200
    for params in pool:
        for name, distribution in DISTRIBUTIONS.items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))
            assert type(params[name]) is type(leaders[0][name] if leaders and name != "kind" else params[name])


def test_it_finds_more_than_random_search_does() -> None:
    ours = [volume(searched(ScreeningSampler, 35, seed=seed)) for seed in range(3)]
    theirs = [
        volume(searched(lambda seed: optuna.samplers.RandomSampler(seed=seed), 105, seed=seed)) for seed in range(3)
    ]
    assert min(ours) > max(theirs)  # with a third of the trials


def test_the_same_study_and_seed_ask_the_same() -> None:
    first, again = searched(ScreeningSampler, 15), searched(ScreeningSampler, 15)
    assert [trial.params for trial in first.trials] == [trial.params for trial in again.trials]


def test_nothing_is_asked_twice_nor_while_it_is_pending() -> None:
    study = searched(ScreeningSampler, 12)
    for number in range(4):
        study.sampler = ScreeningSampler(number)
        study.ask(GRID)
    asked = [tuple(trial.params.items()) for trial in study.trials]
    assert len(set(asked)) == len(asked)


def test_a_space_that_is_used_up_still_gets_an_answer() -> None:
    study = optuna.create_study(directions=["maximize"], sampler=ScreeningSampler(0))
    only: dict[str, optuna.distributions.BaseDistribution] = {"a": optuna.distributions.IntDistribution(0, 1)}
    for _ in range(14):
        study.tell(study.ask(only), 1.0)
    assert {trial.params["a"] for trial in study.trials} == {0, 1}


@pytest.mark.parametrize("values", [lambda params: (1.0, 2.0), lambda params: (np.nan, np.nan)])
def test_constant_objectives_and_failures_are_no_error(values: Values) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns of NaN
        for number in range(16):
            study.sampler = ScreeningSampler(number)
            trial = study.ask(GRID)
            value = values(trial.params)
            study.tell(trial, None if np.isnan(value[0]) else value, state=_state(value))
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 16


def _state(value: tuple[float, float]) -> optuna.trial.TrialState | None:
    return optuna.trial.TrialState.FAIL if np.isnan(value[0]) else None


def test_most_questions_keep_a_limit_once_it_is_learnt() -> None:
    study = searched(lambda seed: ScreeningSampler(seed, limits={1: 20.0}), 40)
    late = [trial.values[1] for trial in study.trials[15:]]
    assert np.mean(np.array(late) <= 20) >= 0.9
    assert max(late) > 10  # and it does not stay far from it


def test_earlier_networks_teach_the_first_question() -> None:
    params = candidates(GRID, [], 40, np.random.default_rng(0))
    earlier = Known(params=params, values=np.array([cost(each) for each in params]))
    taught = [volume(searched(lambda n: ScreeningSampler(n, earlier=earlier), 8, seed=seed)) for seed in range(3)]
    untaught = [volume(searched(ScreeningSampler, 8, seed=seed)) for seed in range(3)]
    assert min(taught) > max(untaught)


def test_latencies_alone_may_be_known_of_earlier_networks() -> None:
    params = candidates(GRID, [], 20, np.random.default_rng(0))
    earlier = Known(params=params, values=np.array([[np.nan, cost(each)[1]] for each in params]))
    study = searched(lambda number: ScreeningSampler(number, earlier=earlier), 14)
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 14


def test_three_objectives_are_searched() -> None:
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    for number in range(20):
        study.sampler = ScreeningSampler(number)
        trial = study.ask(GRID)
        study.tell(trial, (*cost(trial.params), float(trial.params["a"] ** 2)))
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 20
