"""What earlier runs teach the sampler of a new one: networks that were evaluated on the same device, by any run.

They are chosen when a run begins and pinned to it, so that a resumed run learns from the same ones.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

import search_spaces
from evaluators import Evaluator
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from nas.search.sampling.comparable import comparable
from nas.search.screening.pool import Params
from nas.search.screening.screening import STARTUP, informative
from nas.search.screening.views import Known, Model, Vector, View
from results.front import as_costs
from results.store.store import Store
from search_spaces import Network, SearchSpace

NONE = "none"  # learns from no earlier run
FEWEST_OWN = 5  # networks of the run's own, before they may contradict earlier ones
SURPRISING = 3.0  # standard deviations at the median
Evaluated = list[tuple[Network, list[float]]]


def chosen(store: Store, space: SearchSpace, objectives: Sequence[Evaluator], source: str) -> list[str]:
    """The ids of the networks that a new run learns from: of the run `source`, of the whole store where it is empty.

    Raises:
        UnknownName: no such run.
    """
    if source == NONE:
        return []
    only = {trial.architecture.id for trial in store.run(source).succeeded()} if source else None
    evaluated = _evaluated(store, space, objectives, only)
    if not evaluated:
        return []
    values = [row for _, row in evaluated]
    rows = informative(as_costs(values, [evaluator.metric for evaluator in objectives]))
    return [evaluated[row][0].id for row in rows]


def known(store: Store, space: SearchSpace, objectives: Sequence[Evaluator], networks: Collection[str]) -> Known:
    """The parameters and the values of those networks."""
    evaluated = _evaluated(store, space, objectives, set(networks)) if networks else []
    return Known(
        params=[space.params(architecture) for architecture, _ in evaluated],
        values=np.array([values for _, values in evaluated]).reshape(-1, len(objectives)),
    )


def _evaluated(
    store: Store, space: SearchSpace, objectives: Sequence[Evaluator], only: Collection[str] | None
) -> Evaluated:
    """The networks of the space that any objective measured, with all values; NaN for those that are not known."""
    networks: dict[str, Network] = {}
    measured: list[dict[str, float]] = []
    for evaluator in objectives:
        pairs = (
            [] if evaluator.metric.kind == "predicted" else store.measured(evaluator.spec).get(evaluator.context(), [])
        )
        networks |= {architecture.id: architecture for architecture, _ in pairs}
        measured.append({architecture.id: comparable(made) for architecture, made in pairs})
    return [
        (
            architecture,
            [_value(evaluator, architecture, known) for evaluator, known in zip(objectives, measured, strict=True)],
        )
        for key, architecture in networks.items()
        if (only is None or key in only) and search_spaces.parameters(space, architecture) is not None
    ]


def _value(evaluator: Evaluator, architecture: Network, measured: Mapping[str, float]) -> float:
    """What was measured, or is predicted; an accuracy that a run has yet to learn is not known."""
    if isinstance(evaluator, LearnedAccuracy):
        return np.nan
    if evaluator.metric.kind == "predicted":
        return evaluator.measure(architecture).value
    return measured.get(architecture.id, np.nan)


class WarmStart:
    """What earlier runs teach, as long as the run's own measurements do not contradict it."""

    def __init__(self, known: Known, view: View) -> None:
        self.known, self.view = known, view
        self.models: dict[int, Model] = {}

    def contradicted(self, own: Known) -> list[int]:
        """The objectives, by index, in which the run's own networks are not what earlier ones let expect.

        Their values come from another build or another state of the machine, whatever its versions say.
        """
        keys = {self.view.key(params) for params in self.known.params}
        new = [row for row, params in enumerate(own.params) if self.view.key(params) not in keys]
        if len(new) < FEWEST_OWN:
            return []
        params = [own.params[row] for row in new]
        return [index for index in self._taught() if self._surprise(index, params, own.values[new, index]) > SURPRISING]

    def trusted(self, contradicted: Sequence[int]) -> Known:
        """The earlier networks, without the values of objectives that are contradicted."""
        values = self.known.values.copy()
        values[:, list(contradicted)] = np.nan
        return Known(params=self.known.params, values=values)

    def _taught(self) -> list[int]:
        """The objectives that were measured for enough earlier networks."""
        counts = np.isfinite(self.known.values).sum(0) if self.known.params else []
        return [index for index, count in enumerate(counts) if count >= STARTUP and not self.view.is_certain(index)]

    def _surprise(self, index: int, params: Sequence[Params], values: Vector) -> float:
        """The median distance of values from what is expected, in standard deviations."""
        if index not in self.models:
            (rows,) = np.nonzero(np.isfinite(self.known.values[:, index]))
            features = self.view.features(index, [self.known.params[row] for row in rows])
            self.models[index] = self.view.model(index, features, self.known.values[rows, index])
        mean, spread = self.models[index].predict(self.view.features(index, params))
        return float(np.median(np.abs(values - mean) / spread))
