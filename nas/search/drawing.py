"""Random networks of a space that keep the exact limits of a run.

Where limits are tight, hardly any random network keeps them: then those that do are changed in a parameter, or in a few
where one finds nothing new, into others that keep them. Where not one does, the nearest is changed until it does.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import islice

import numpy as np

from evaluators.prediction.features import structure
from nas.progress import progress
from nas.search.config import Config
from nas.search.proposals import Drawn, built, neighbour
from search_spaces import Network, SearchSpace
from search_spaces.common.errors import NegativeAnswer

SAMPLE = 24  # random networks that stand for the space
DRAWS = 3000  # random networks to try, before those that keep the limits are changed
STARTS = 300  # of them: where none keeps the limits, the nearest is changed until it does
PATIENCE = 2000  # changes in a row that find nothing, before nothing counts as left


def within_limits(config: Config, count: int, seed: int, excluded: Collection[str] = ()) -> list[Network]:
    """Up to `count` different random networks that keep the exact limits, without those with the ids `excluded`.

    Raises:
        NegativeAnswer: no network was found that keeps them.
    """
    kept: dict[str, Network] = {}
    within: list[Drawn] = []
    seen: set[str] = set()
    with progress("drawing networks within the limits", count) as done:
        for drawn in _candidates(config, within, seed):
            if drawn.architecture.id in seen:
                continue
            seen.add(drawn.architecture.id)
            if config.beyond(drawn.architecture):
                continue
            within.append(drawn)
            if drawn.architecture.id not in excluded:
                kept[drawn.architecture.id] = drawn.architecture
                done(len(kept))
            if len(kept) == count:
                break
    return list(kept.values())


def by_size(config: Config) -> tuple[Network, ...]:
    """Some random networks within the exact limits, the smallest first, by multiply-accumulates; drawn once.

    Raises:
        NegativeAnswer: no network was found that keeps the limits.
    """
    return _by_size(config.space, config.fix, tuple(map(str, config.exact_limits)))


@cache
def _by_size(space: str, fix: tuple[str, ...], limits: tuple[str, ...]) -> tuple[Network, ...]:
    drawn = within_limits(Config(space=space, fix=fix, limits=limits), SAMPLE, 0)
    return tuple(sorted(drawn, key=lambda architecture: structure(architecture)["log_macs"]))


def _candidates(config: Config, within: list[Drawn], seed: int) -> Iterator[Drawn]:
    """Random networks, then neighbours of those that keep the limits; the caller adds these to `within`."""
    space, random = config.search_space, np.random.default_rng(seed)
    drawn = _random(space, seed)
    starts = list(islice(drawn, STARTS))
    yield from starts
    if not within:
        yield _nearest(config, starts, random)
    yield from drawn
    failures = 0
    while failures < PATIENCE:
        found, parent = len(within), within[int(random.integers(len(within)))]
        yield built(space, neighbour(parent, 1 + 4 * failures // PATIENCE, random))
        failures = 0 if len(within) > found else failures + 1


def _random(space: SearchSpace, seed: int) -> Iterator[Drawn]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(DRAWS):
        trial = study.ask()
        architecture = space.suggest(trial)
        yield Drawn(architecture=architecture, params=trial.params, distributions=trial.distributions)


def _nearest(config: Config, starts: Sequence[Drawn], random: np.random.Generator) -> Drawn:
    """A network that keeps the limits, found by changes from the start that is nearest to them.

    Raises:
        NegativeAnswer: the changes end before the limits are kept.
    """
    best = min(starts, key=lambda drawn: _excess(config, drawn.architecture))
    least, failures = _excess(config, best.architecture), 0
    while least > 0 and failures < PATIENCE:
        changed = built(config.search_space, neighbour(best, 1, random))
        excess = _excess(config, changed.architecture)
        failures = 0 if excess < least else failures + 1
        if excess <= least:
            best, least = changed, excess
    if least > 0:
        values = (f"{limit.metric} {limit.evaluator.measure(best.architecture)}" for limit in config.exact_limits)
        raise NegativeAnswer(
            f"no network of the space {config.space} was found that keeps the limits "
            f"{', '.join(map(str, config.exact_limits))}; the nearest is {best.architecture}: {', '.join(values)}",
            "loosen a limit, or search another space",
        )
    return best


def _excess(config: Config, architecture: Network) -> float:
    """How far a network is beyond the exact limits, as a sum of shares of their bounds; 0 if it keeps them all."""
    return sum(
        max(0.0, limit.excess(limit.evaluator.measure(architecture).value)) / limit.bound
        for limit in config.exact_limits
    )
