"""The next candidate: a function of the trials that it is told, the seed and the number of the trial, and nothing else.

Therefore a resumed run proposes the same candidates as an uninterrupted one: every proposal builds its sampler from
scratch. Samplers are Optuna's. A proposed network that was proposed before, or that breaks an exact limit, is replaced
by a neighbour before anything is evaluated.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import search_spaces
from evaluators.core.measurement import Direction
from results.store.store import Proposal
from search_spaces import Network, SearchSpace
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    import optuna

    from nas.search.sampling.known_trials import Told
    from nas.search.screening.views import Known, View

ATTEMPTS = 2000  # neighbours to try before a space counts as exhausted
STARTUP_TRIALS = 10  # random trials before the sampler's model has enough data


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What a sampler may know beyond the trials: the networks behind parameters, earlier runs, and limits on values."""

    view: "View | None" = None
    earlier: "Known | None" = None
    limits: Mapping[int, float] = field(default_factory=dict)  # by the index of an objective


NOTHING = Knowledge()


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler: its use in one line, and its constructor from a seed."""

    summary: str
    make: Callable[[int, "Knowledge"], "optuna.samplers.BaseSampler"]


def _screen(seed: int, knowledge: Knowledge) -> "optuna.samplers.BaseSampler":
    from nas.search.screening.sampler import ScreeningSampler

    return ScreeningSampler(seed, knowledge.view, knowledge.earlier, knowledge.limits)


def _gp(seed: int, knowledge: Knowledge) -> "optuna.samplers.BaseSampler":
    import optuna
    import torch

    torch.set_num_threads(1)  # two threads are no faster, and wait up to 6 s for each other on a busy machine
    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)


def _tpe(seed: int, knowledge: Knowledge) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)


def _nsga2(seed: int, knowledge: Knowledge) -> "optuna.samplers.BaseSampler":
    from nas.search.sampling.nsga2 import NSGAIISampler

    return NSGAIISampler(seed, population_size=20)  # Optuna's 50 leaves 4 generations of 200


def _random(seed: int, knowledge: Knowledge) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


SAMPLERS = {
    "screen": Sampler(summary="models judge a pool of candidates: the most front for a budget", make=_screen),
    "gp": Sampler(summary="Gaussian process, hypervolume improvement: for up to some 500 candidates", make=_gp),
    "tpe": Sampler(summary="tree-structured Parzen estimator: quick at any budget", make=_tpe),
    "nsga2": Sampler(summary="genetic algorithm, 20 a generation: for budgets of thousands", make=_nsga2),
    "random": Sampler(summary="uniform: the baseline for the others", make=_random),
}


@dataclass(frozen=True)
class Drawn:
    """A network with the parameters from which the space builds it, and their distributions."""

    architecture: Network
    params: dict[str, Any]
    distributions: "dict[str, optuna.distributions.BaseDistribution]"


class SpaceExhausted(NegativeAnswer):
    """No new network is left that keeps the exact limits."""


def propose(
    space: SearchSpace,
    sampler: str,
    seed: int,
    told: "Told",
    directions: Sequence[Direction],
    refusal: Callable[[Network], str],
    knowledge: Knowledge = NOTHING,
    anchors: Mapping[str, Network] | None = None,
) -> Proposal:
    """The next candidate: first the `anchors`, those of the space by default, then the sampler's proposals.

    An anchor outside the space has no parameters: it is evaluated and shown, and no sampler learns from it.

    Of the trials, those whose results are not to be used yet are running (`history.told`). `refusal` returns the reason
    why a network must not be evaluated, or an empty text.

    Raises:
        SpaceExhausted: all neighbours were refused.
    """
    number = told.number
    first = list((space.anchors() if anchors is None else anchors).items())
    if number < len(first):
        name, network = first[number]
        params = search_spaces.parameters(space, network)
        drawn = Drawn(network, {}, {}) if params is None else built(space, params)
        return _proposal(drawn, {}, name, Counter())
    params, system_attrs = _ask(space, SAMPLERS[sampler].make(_seed(seed, number), knowledge), told, directions)
    drawn, replaced = _accepted(space, params, np.random.default_rng([seed, number]), refusal)
    return _proposal(drawn, system_attrs, "", replaced)


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _ask(
    space: SearchSpace,
    sampler: "optuna.samplers.BaseSampler",
    told: "Told",
    directions: Sequence[Direction],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sampler's own proposal, from a study in memory with exactly these trials."""
    import optuna

    from nas.search.sampling import known_trials

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = known_trials.study(directions, sampler, told)
        trial = study.ask()
        space.suggest(trial)
    return trial.params, dict(study._storage.get_trial(trial._trial_id).system_attrs)


def _accepted(
    space: SearchSpace, params: dict[str, Any], rng: np.random.Generator, refusal: Callable[[Network], str]
) -> tuple[Drawn, "Counter[str]"]:
    """The network of the parameters, or a neighbour that is not refused; later attempts change more parameters."""
    replaced: Counter[str] = Counter()
    proposed = candidate = built(space, params)
    for attempt in range(ATTEMPTS):
        reason = refusal(candidate.architecture)
        if not reason:
            return candidate, replaced
        replaced[reason] += 1
        candidate = built(space, neighbour(proposed, 1 + attempt // 16, rng))
    raise SpaceExhausted(
        f"no new network in {ATTEMPTS} attempts: "
        + ", ".join(f"{count} x {reason}" for reason, count in replaced.most_common(3)),
        "the run has evaluated the whole space, or the limits exclude the rest: loosen a limit",
    )


def neighbour(drawn: Drawn, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """The parameters of a network, `count` of them drawn anew."""
    from nas.search.screening.pool import draw

    changed = rng.permutation(sorted(drawn.distributions))[:count]
    return drawn.params | {name: draw(drawn.distributions[name], rng) for name in changed.tolist()}


def built(space: SearchSpace, params: dict[str, Any]) -> Drawn:
    """The network that the space builds from these parameters."""
    import optuna

    trial = optuna.trial.FixedTrial(params)
    return Drawn(architecture=space.suggest(trial), params=params, distributions=trial.distributions)


def _proposal(drawn: Drawn, system_attrs: dict[str, Any], anchor: str, replaced: "Counter[str]") -> Proposal:
    return Proposal(
        architecture=drawn.architecture,
        params=drawn.params,
        distributions=drawn.distributions,
        system_attrs=system_attrs,
        anchor=anchor,
        replaced=replaced,
    )
