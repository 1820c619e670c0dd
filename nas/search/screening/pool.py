"""Candidates for the next question: steps away from the best networks, crossings of neighbours, and random ones.

A minimal change of the best is the strongest part of BANANAS (White, Neiswanger, Savani 2021; arXiv 2107.07343).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Params = dict[str, Any]
Distributions = Mapping[str, BaseDistribution]
MUTATED, CROSSED = 0.6, 0.2  # shares of a pool; the rest is random
STEP = 0.5  # of the changes of an ordinal go one step up or down, the others anywhere
AGAIN = 0.5  # the probability of each further change


def candidates(
    distributions: Distributions, best: Sequence[Params], count: int, rng: np.random.Generator
) -> list[Params]:
    """So many parameter sets; `best` are those of the best networks, neighbours beside one another."""
    if not best:
        return [random(distributions, rng) for _ in range(count)]
    made = [mutated(distributions, best[int(rng.integers(len(best)))], rng) for _ in range(round(MUTATED * count))]
    for _ in range(round(CROSSED * count)):
        first = int(rng.integers(len(best)))
        second = min(len(best) - 1, first + 1 + int(rng.integers(2)))
        made.append(mutated(distributions, crossed(best[first], best[second], rng), rng))
    return made + [random(distributions, rng) for _ in range(count - len(made))]


def random(distributions: Distributions, rng: np.random.Generator) -> Params:
    """Uniform values."""
    return {name: draw(distribution, rng) for name, distribution in distributions.items()}


def mutated(distributions: Distributions, params: Params, rng: np.random.Generator) -> Params:
    """The same with one value changed, sometimes more."""
    changed, names = dict(params), sorted(distributions)
    while True:
        name = names[int(rng.integers(len(names)))]
        changed[name] = _changed(distributions[name], changed[name], rng)
        if rng.random() >= AGAIN:
            return changed


def crossed(first: Params, second: Params, rng: np.random.Generator) -> Params:
    """Each value from one of the two."""
    return {name: (first if rng.random() < 0.5 else second)[name] for name in first}


def draw(distribution: BaseDistribution, rng: np.random.Generator) -> Any:
    """A uniform value."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(rng.integers(len(distribution.choices)))]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    if distribution.step is None:
        return float(rng.uniform(distribution.low, distribution.high))
    return _at(distribution, int(rng.integers(_steps(distribution) + 1)))


def _changed(distribution: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    if isinstance(distribution, CategoricalDistribution) or distribution.step is None or rng.random() >= STEP:  # type: ignore[attr-defined]
        return draw(distribution, rng)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    place = round((value - distribution.low) / distribution.step) + (1 if rng.random() < 0.5 else -1)
    return _at(distribution, min(max(place, 0), _steps(distribution)))


def _steps(distribution: IntDistribution | FloatDistribution) -> int:
    assert distribution.step
    return round((distribution.high - distribution.low) / distribution.step)


def _at(distribution: IntDistribution | FloatDistribution, place: int) -> Any:
    assert distribution.step
    return type(distribution.low)(distribution.low + distribution.step * place)
