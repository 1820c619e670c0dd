"""Chooses the next network: of a pool, the one with the largest expected gain in hypervolume.

Every objective has a model, which learns from what was measured; one that costs nothing is computed. The pool evolves
for some generations by the gain alone. Networks that are being evaluated count as if they had what the models expect.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.screening.gain import boxes, expected_gain
from nas.search.screening.pool import Distributions, Params, candidates, random
from nas.search.screening.views import Known, Model, View
from results.front import non_dominated

Vector = NDArray[np.float64]
POOL = 300  # candidates of the first generation
GENERATIONS, LEADERS, CHILDREN = 3, 24, 150  # further ones, their parents, and how many each has
SAMPLE = 64  # random networks that say how far the space reaches
STARTUP = 10  # networks of an earlier front or at random, before there is a model
MOST = 250  # networks that a model learns from: the best, and others evenly
SURE = 1.64  # standard deviations by which a prediction must keep a limit: 95 of 100 do
MARGIN = 0.1  # of the range, by which the reference point lies beyond the worst


@dataclass(frozen=True, kw_only=True)
class Screening:
    """The choice of the next network. Costs are values times `signs`, so that lower is better.

    `most` limits the costs of objectives, by their index.
    """

    view: View
    distributions: Distributions
    signs: Sequence[float]
    most: Mapping[int, float]

    def choose(self, known: Known, pending: Sequence[Params], earlier: Known, rng: np.random.Generator) -> Params:
        """The next network, given the run's own, those being evaluated, and those of earlier runs.

        It may be one that the view refuses, where the whole pool is refused.
        """
        taught = _together(known, earlier, self.view)
        former, best = ([each.params[index] for index in self._best(each)] for each in (earlier, taught))
        asked = {self.view.key(params) for params in (*known.params, *pending)}
        modelled = [index for index in range(len(self.signs)) if not self.view.is_certain(index)]
        if np.isfinite(self.costs(taught)[:, modelled]).sum(0).min(initial=STARTUP) < STARTUP:
            return self._unmodelled(former, asked, rng)
        judge = _Judge(self, taught)
        corners = boxes(self._front(known, judge.expected(pending)), self._reference(taught, judge))
        pool = _Pool(self.view, asked, lambda many: judge.gains(many, *corners))
        pool.add([*former, *candidates(self.distributions, best, POOL, rng)])
        for _ in range(GENERATIONS):
            leaders = pool.leaders(LEADERS)
            pool.add(candidates(self.distributions, leaders or best, CHILDREN, rng))
        return next(iter(pool.leaders(1)), random(self.distributions, rng))

    def costs(self, known: Known) -> Vector:
        """The costs (n, m) of networks."""
        return known.values.reshape(-1, len(self.signs)) * self.signs

    def kept(self, costs: Vector) -> NDArray[np.bool_]:
        """Which of them keep the limits."""
        keep = np.ones(len(costs), dtype=bool)
        for index, most in self.most.items():
            keep &= costs[:, index] <= most
        return keep

    def _unmodelled(self, former: Sequence[Params], asked: Collection[Hashable], rng: np.random.Generator) -> Params:
        """A network of the earlier front, or a random one; not refused, if there is such a one in the pool."""
        drawn = [random(self.distributions, rng) for _ in range(POOL)]
        pool = [*(params for params in former if self.view.key(params) not in asked), *drawn]
        return next((params for params in pool if not self.view.refuses(params)), drawn[0])

    def _best(self, known: Known) -> list[int]:
        """The front of some networks, in the order of their first cost."""
        costs = self.costs(known)
        (kept,) = np.nonzero(self.kept(costs) & np.isfinite(costs).all(1))
        members = kept[non_dominated(costs[kept])]
        return [int(index) for index in members[np.argsort(costs[members, 0], kind="stable")]]

    def _front(self, known: Known, pending: Vector) -> Vector:
        """The costs of the front, with what is expected of pending networks."""
        costs = np.vstack([self.costs(known), pending])
        costs = costs[self.kept(costs)]
        return costs[non_dominated(costs)]

    def _reference(self, taught: Known, judge: "_Judge") -> Vector:
        """The reference point, a little worse than the worst of all known networks and of a sample of the space."""
        rng = np.random.default_rng(0)  # always the same sample
        sample = [random(self.distributions, rng) for _ in range(SAMPLE)]
        every = np.vstack([self.costs(taught), judge.expected(sample)])
        worst, best = np.nanmax(every, axis=0), np.nanmin(every, axis=0)
        reference = worst + MARGIN * (worst - best)
        for index, most in self.most.items():
            reference[index] = min(reference[index], most)
        return np.asarray(reference)


class _Pool:
    """Different candidates that were not asked for yet, with their gains."""

    def __init__(self, view: View, asked: set[Hashable], judge: Callable[[Sequence[Params]], Vector]) -> None:
        self.view, self.asked, self.judge = view, asked, judge
        self.gains: dict[Hashable, tuple[float, Params]] = {}
        self.refused: dict[Hashable, bool] = {}

    def add(self, made: Sequence[Params]) -> None:
        """Judges the new ones of some candidates."""
        seen = self.asked | self.gains.keys()
        new = {key: params for params in made if (key := self.view.key(params)) not in seen}
        if new:
            gains = self.judge(list(new.values())).tolist()
            self.gains |= {key: (gain, new[key]) for key, gain in zip(new, gains, strict=True)}

    def leaders(self, count: int) -> list[Params]:
        """The most promising that the view does not refuse."""
        leaders: list[Params] = []
        for key, (_, params) in sorted(self.gains.items(), key=lambda pair: -pair[1][0]):
            if key not in self.refused:
                self.refused[key] = self.view.refuses(params)
            if not self.refused[key]:
                leaders.append(params)
                if len(leaders) == count:
                    break
        return leaders


class _Judge:
    """The models of all objectives."""

    def __init__(self, screening: Screening, taught: Known) -> None:
        self.screening, self.view = screening, screening.view
        costs = screening.costs(taught)
        self.models: list[Model | None] = []  # none of an objective that costs nothing
        for index in range(costs.shape[1]):
            if self.view.is_certain(index):
                self.models.append(None)
                continue
            (finite,) = np.nonzero(np.isfinite(costs[:, index]))
            rows = finite[informative(costs[finite])]
            features = self.view.features(index, [taught.params[row] for row in rows])
            self.models.append(self.view.model(index, features, costs[rows, index]))

    def expected(self, many: Sequence[Params]) -> Vector:
        """The costs (n, m) that are expected of networks."""
        return self._predicted(many)[0]

    def gains(self, many: Sequence[Params], lower: Vector, upper: Vector) -> Vector:
        """The expected gains (n,) over boxes: below 0, by how much, where a network is not sure to keep the limits."""
        mean, spread = self._predicted(many)
        gains = expected_gain(mean, spread, lower, upper)
        for index, most in self.screening.most.items():
            excess = mean[:, index] + SURE * spread[:, index] - most
            gains = np.where(excess > 0, np.minimum(gains, 0) - excess, gains)
        return gains

    def _predicted(self, many: Sequence[Params]) -> tuple[Vector, Vector]:
        """The means and the standard deviations (n, m) of costs."""
        mean, spread = np.empty((len(many), len(self.models))), np.empty((len(many), len(self.models)))
        for index, model in enumerate(self.models if many else ()):
            if model:
                mean[:, index], spread[:, index] = model.predict(self.view.features(index, many))
            else:
                mean[:, index], spread[:, index] = self.view.certain(index, many) * self.screening.signs[index], 0.0
        return mean, spread


def _together(known: Known, earlier: Known, view: View) -> Known:
    """Networks of this run and of earlier ones; what both have is taken from this run."""
    if not earlier.params:
        return known
    keys = {view.key(params) for params in known.params}
    further = [index for index, params in enumerate(earlier.params) if view.key(params) not in keys]
    if not further:
        return known
    params = [*known.params, *(earlier.params[index] for index in further)]
    values = [*known.values, *earlier.values[further]]
    return Known(params=params, values=np.array(values))


def informative(costs: Vector) -> NDArray[np.intp]:
    """The rows that a model learns from: all, or the fronts, one behind the other, and some of the others, evenly.

    A cost that is not known is NaN, and counts as the worst.
    """
    rows = np.arange(len(costs))
    if len(rows) <= MOST:
        return rows
    costs = np.nan_to_num(costs, nan=np.inf)
    chosen: list[int] = []
    while len(chosen) < MOST // 2:
        front = rows[non_dominated(costs[rows])]
        chosen += front.tolist()
        rows = np.setdiff1d(rows, front)
    evenly = rows[np.linspace(0, len(rows) - 1, MOST - min(len(chosen), MOST)).astype(int)]
    return np.unique([*chosen[:MOST], *evenly])
