"""What the sampler may know of the networks that parameters build: their identity, features, and certain values."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from nas.search.screening.pool import Distributions, Params
from nas.search.screening.surrogate import Surrogate

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Networks with their objectives: parameters, and values (n, m), NaN where one is not known."""

    params: list[Params] = field(default_factory=list)
    values: Vector = field(default_factory=lambda: np.empty((0, 0)))


class Model(Protocol):
    """What a run knows of one objective."""

    def predict(self, x: Vector) -> tuple[Vector, Vector]:
        """The mean (m,) and the standard deviation (m,) of the costs of networks with features (m, p)."""


class View(Protocol):
    """The networks of a space, as the sampler sees them."""

    def key(self, params: Params) -> Hashable:
        """The same for parameters that build the same network."""

    def refuses(self, params: Params) -> bool:
        """Whether the network must not be asked for."""

    def features(self, objective: int, many: Sequence[Params]) -> Vector:
        """What an objective is modelled from, (n, p)."""

    def model(self, objective: int, x: Vector, costs: Vector) -> Model:
        """A model of an objective, given its costs (n,) at features (n, p)."""

    def is_certain(self, objective: int) -> bool:
        """Whether an objective costs next to nothing, so that it is computed and not modelled."""

    def certain(self, objective: int, many: Sequence[Params]) -> Vector:
        """The values (n,) of such an objective."""


class Parameters:
    """The view without any knowledge: parameters as numbers from 0 to 1, choices as one number for each."""

    def __init__(self, distributions: Distributions) -> None:
        self.distributions = distributions

    def key(self, params: Params) -> Hashable:
        """All values."""
        return tuple(sorted(params.items()))

    def refuses(self, params: Params) -> bool:
        """Never."""
        return False

    def features(self, objective: int, many: Sequence[Params]) -> Vector:
        """The same for every objective."""
        columns = []
        for name, distribution in sorted(self.distributions.items()):
            values = [params[name] for params in many]
            if isinstance(distribution, CategoricalDistribution):
                columns += [[float(value == choice) for value in values] for choice in distribution.choices]
            else:
                low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
                columns.append([(value - low) / ((high - low) or 1) for value in values])
        return np.array(columns).T

    def model(self, objective: int, x: Vector, costs: Vector) -> Model:
        """A line and a smooth rest."""
        return Surrogate(x, costs)

    def is_certain(self, objective: int) -> bool:
        """None is."""
        return False

    def certain(self, objective: int, many: Sequence[Params]) -> Vector:
        """Never called."""
        raise NotImplementedError
