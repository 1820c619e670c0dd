"""The next candidate: a function of the trials that it is told, the seed and the number of the trial, and nothing else.

Therefore a resumed run proposes the same candidates as an uninterrupted one: every proposal builds its sampler from
scratch. Samplers are Optuna's. A proposed network that was proposed before, or that breaks an exact limit, is replaced
by a neighbour before anything is evaluated.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluators.core.measurement import Direction
from results.store.store import Proposal
from search_spaces import Architecture, SearchSpace
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    import optuna

ATTEMPTS = 2000  # neighbours to try before a space counts as exhausted
STARTUP_TRIALS = 10  # random trials before the sampler's model has enough data


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler: its use in one line, and its constructor from a seed."""

    summary: str
    make: Callable[[int], "optuna.samplers.BaseSampler"]


def _gp(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna
    import torch

    torch.set_num_threads(1)  # two threads are no faster, and wait up to 6 s for each other on a busy machine
    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)


def _tpe(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)


def _nsga2(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.NSGAIISampler(seed=seed, population_size=20)  # Optuna's 50 leaves 4 generations of 200


def _random(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


SAMPLERS = {
    "gp": Sampler(summary="Gaussian process, hypervolume improvement: best for up to some 500 candidates", make=_gp),
    "tpe": Sampler(summary="tree-structured Parzen estimator: quick at any budget", make=_tpe),
    "nsga2": Sampler(summary="genetic algorithm, 20 a generation: for budgets of thousands", make=_nsga2),
    "random": Sampler(summary="uniform: the baseline for the others", make=_random),
}


class SpaceExhausted(NegativeAnswer):
    """No new network is left that keeps the exact limits."""


def propose(
    space: SearchSpace,
    sampler: str,
    seed: int,
    trials: "Sequence[optuna.trial.FrozenTrial]",
    directions: Sequence[Direction],
    refusal: Callable[[Architecture], str],
) -> Proposal:
    """The next candidate: first the anchors of the space, then the sampler's proposals.

    Of `trials`, those whose results are not to be used yet are running (`history.told`). `refusal` returns the reason
    why a network must not be evaluated, or an empty text.

    Raises:
        SpaceExhausted: all neighbours were refused.
    """
    number = len(trials)
    anchors = list(space.anchors().items())
    if number < len(anchors):
        name, architecture = anchors[number]
        return _proposal(space, space.params(architecture), {}, name, Counter())
    params, system_attrs = _ask(space, sampler, _seed(seed, number), trials, directions)
    params, replaced = _accepted(space, params, np.random.default_rng([seed, number]), refusal)
    return _proposal(space, params, system_attrs, "", replaced)


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _ask(
    space: SearchSpace,
    sampler: str,
    seed: int,
    trials: "Sequence[optuna.trial.FrozenTrial]",
    directions: Sequence[Direction],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sampler's own proposal, from a study in memory with exactly these trials."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(directions=list(directions), sampler=SAMPLERS[sampler].make(seed))
        study.add_trials(trials)
        trial = study.ask()
        space.suggest(trial)
    return trial.params, dict(study.get_trials(deepcopy=False)[-1].system_attrs)


def _accepted(
    space: SearchSpace, params: dict[str, Any], rng: np.random.Generator, refusal: Callable[[Architecture], str]
) -> tuple[dict[str, Any], "Counter[str]"]:
    """The parameters, or those of a neighbour that is not refused; later attempts change more parameters."""
    replaced: Counter[str] = Counter()
    candidate = params
    for attempt in range(ATTEMPTS):
        architecture, distributions = _built(space, candidate)
        reason = refusal(architecture)
        if not reason:
            return candidate, replaced
        replaced[reason] += 1
        changed = rng.permutation(sorted(distributions))[: 1 + attempt // 16]
        candidate = params | {name: _draw(distributions[name], rng) for name in changed.tolist()}
    raise SpaceExhausted(
        f"no new network in {ATTEMPTS} attempts: "
        + ", ".join(f"{count} x {reason}" for reason, count in replaced.most_common(3)),
        "the run has evaluated the whole space, or the limits exclude the rest: loosen a limit",
    )


def _draw(distribution: "optuna.distributions.BaseDistribution", rng: np.random.Generator) -> Any:
    """A uniform value of a stepped or categorical distribution."""
    import optuna

    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return distribution.choices[int(rng.integers(len(distribution.choices)))]
    assert isinstance(distribution, optuna.distributions.IntDistribution | optuna.distributions.FloatDistribution)
    step = distribution.step
    if step is None:
        return float(rng.uniform(distribution.low, distribution.high))
    steps = round((distribution.high - distribution.low) / step)
    return type(distribution.low)(distribution.low + step * int(rng.integers(steps + 1)))


def _built(
    space: SearchSpace, params: dict[str, Any]
) -> "tuple[Architecture, dict[str, optuna.distributions.BaseDistribution]]":
    import optuna

    trial = optuna.trial.FixedTrial(params)
    return space.suggest(trial), trial.distributions


def _proposal(
    space: SearchSpace, params: dict[str, Any], system_attrs: dict[str, Any], anchor: str, replaced: "Counter[str]"
) -> Proposal:
    architecture, distributions = _built(space, params)
    return Proposal(
        architecture=architecture,
        params=params,
        distributions=distributions,
        system_attrs=system_attrs,
        anchor=anchor,
        replaced=replaced,
    )
