"""A search space as the sampler `screen` sees it: networks in place of parameters, and objectives that cost nothing.

Parameters that a network does not use do not exist for a model: its features are those of the network.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import optuna
from numpy.typing import NDArray

from evaluators import Evaluator
from evaluators.prediction import latency_features
from evaluators.prediction.features import structure
from nas.search.screening.pool import Params
from nas.search.screening.recent import Recent
from nas.search.screening.surrogate import Surrogate
from nas.search.screening.views import Model
from search_spaces import Network, SearchSpace

Vector = NDArray[np.float64]
RESOLUTION = 224  # pixels, where an evaluator names no other
KEPT, KEPT_IDS = 8_000, 200_000  # networks; a question makes some 700, and compares them with all that were asked for


class SpaceView:
    """The view of a space. `objectives` may be replaced as a run learns; `refusal` says why a network is not asked for.

    What was computed of a network is kept for a few questions.
    """

    def __init__(self, space: SearchSpace, objectives: Sequence[Evaluator], refusal: Callable[[Network], str]) -> None:
        self.space, self.objectives, self.refusal = space, objectives, refusal
        self.ids: Recent[Hashable, str] = Recent(KEPT_IDS)
        self.networks: Recent[Hashable, Network] = Recent(KEPT)
        self.rows: Recent[Hashable, Vector] = Recent(KEPT)
        self.values: Recent[Hashable, float] = Recent(KEPT)

    def network(self, params: Params) -> Network:
        """The network that parameters build."""
        return self.networks.made(_values(params), lambda: self.space.suggest(optuna.trial.FixedTrial(params)))

    def key(self, params: Params) -> Hashable:
        """The id of the network."""
        return self.ids.made(_values(params), lambda: self.network(params).id)

    def refuses(self, params: Params) -> bool:
        """Whether it was asked before, breaks an exact limit, or is not trusted."""
        return bool(self.refusal(self.network(params)))

    def features(self, objective: int, many: Sequence[Params]) -> Vector:
        """Sums of work for a latency, and counts and positions of transformers for anything else."""
        return np.array([self._row(self.objectives[objective], self.network(params)) for params in many])

    def model(self, objective: int, x: Vector, costs: Vector) -> Model:
        """A latency is nearly a sum, and its noise a share of it."""
        if self.objectives[objective].family() == "latency":
            from evaluators.prediction.latency_predictor import Process  # imports SciPy: half a second

            return Process(x, costs)
        return Surrogate(x, costs)

    def is_certain(self, objective: int) -> bool:
        """Whether an objective is predicted in an instant."""
        return self.objectives[objective].instant

    def certain(self, objective: int, many: Sequence[Params]) -> Vector:
        """The values of such an objective."""
        evaluator, networks = self.objectives[objective], [self.network(params) for params in many]
        context, different = evaluator.context(), {network.id: network for network in networks}
        values = {key: self.values[context, key] for key in different if (context, key) in self.values}
        if missing := [network for key, network in different.items() if key not in values]:
            values |= {made.id: value for made, value in zip(missing, evaluator.values(missing), strict=True)}
            for network in missing:
                self.values[context, network.id] = values[network.id]
        return np.array([values[network.id] for network in networks])

    def _row(self, evaluator: Evaluator, network: Network) -> Vector:
        latency, resolution = evaluator.family() == "latency", getattr(evaluator.local, "resolution", RESOLUTION)
        values = latency_features.features if latency else _structure
        return self.rows.made((latency, resolution, network.id), lambda: values(network, resolution))


def _values(params: Params) -> Hashable:
    """Parameters as a key; quicker to hash than their pairs."""
    return (*params, *params.values())


def _structure(network: Network, resolution: int) -> Vector:
    return np.array(list(structure(network, resolution).values()))
