"""Chooses the next network: of a pool, the one with the largest expected gain in hypervolume.

Every objective has a model, which learns from what was measured; objectives that cost nothing are computed for the
most promising of the pool. Networks that are being evaluated count as if they had what the models expect of them.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.search.screening.gain import boxes, expected_gain
from nas.search.screening.pool import Distributions, Params, candidates, random
from nas.search.screening.views import Known, View
from results.front import non_dominated

Vector = NDArray[np.float64]
POOL = 600  # networks that the models judge for one question
SHORT = 48  # of them, those whose certain objectives are computed
STARTUP = 10  # networks at random, before there is a model
MOST = 600  # networks that a model learns from: the best, and others evenly
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
        if np.isfinite(self.costs(taught)).sum(0).min() < STARTUP:
            return self._random(rng)
        judge = _Judge(self, taught)
        asked = {self.view.key(params) for params in (*known.params, *pending)}
        pool = self._pool(known, earlier, asked, rng)
        if not pool:
            return random(self.distributions, rng)
        front, reference = self._front(known, judge.expected(pending), taught)
        gains = judge.gains(pool, front, reference)
        short = self._accepted(pool, gains)
        if not short:
            return random(self.distributions, rng)
        return short[int(judge.gains(short, front, reference, certain=True).argmax())]

    def costs(self, known: Known) -> Vector:
        """The costs (n, m) of networks."""
        return known.values.reshape(-1, len(self.signs)) * self.signs

    def kept(self, costs: Vector) -> NDArray[np.bool_]:
        """Which of them keep the limits."""
        keep = np.ones(len(costs), dtype=bool)
        for index, most in self.most.items():
            keep &= costs[:, index] <= most
        return keep

    def _random(self, rng: np.random.Generator) -> Params:
        """A random network that is not refused, if there is one in the pool."""
        pool = [random(self.distributions, rng) for _ in range(POOL)]
        return next((params for params in pool if not self.view.refuses(params)), pool[0])

    def _pool(self, known: Known, earlier: Known, asked: set[Hashable], rng: np.random.Generator) -> list[Params]:
        best = [known.params[index] for index in self._best(known)]
        former = [earlier.params[index] for index in self._best(earlier)]
        made = [*former, *candidates(self.distributions, best or former, POOL, rng)]
        different = {self.view.key(params): params for params in made}
        return [params for key, params in different.items() if key not in asked]

    def _best(self, known: Known) -> list[int]:
        """The front of some networks, in the order of their first cost."""
        costs = self.costs(known)
        (kept,) = np.nonzero(self.kept(costs) & np.isfinite(costs).all(1))
        members = kept[non_dominated(costs[kept])]
        return [int(index) for index in members[np.argsort(costs[members, 0], kind="stable")]]

    def _front(self, known: Known, pending: Vector, taught: Known) -> tuple[Vector, Vector]:
        """The costs of the front, with what is expected of pending networks, and the reference point."""
        costs = np.vstack([self.costs(known), pending])
        costs = costs[self.kept(costs)]
        every = self.costs(taught)
        worst, best = np.nanmax(every, axis=0), np.nanmin(every, axis=0)
        reference = worst + MARGIN * (worst - best)
        for index, most in self.most.items():
            reference[index] = min(reference[index], most)
        return costs[non_dominated(costs)], reference

    def _accepted(self, pool: Sequence[Params], gains: Vector) -> list[Params]:
        """The most promising that are not refused."""
        short: list[Params] = []
        for index in np.argsort(-gains, kind="stable"):
            if not self.view.refuses(pool[index]):
                short.append(pool[index])
                if len(short) == SHORT:
                    break
        return short


class _Judge:
    """The models of all objectives."""

    def __init__(self, screening: Screening, taught: Known) -> None:
        self.screening, self.view = screening, screening.view
        costs = screening.costs(taught)
        self.models = []
        for index in range(costs.shape[1]):
            (finite,) = np.nonzero(np.isfinite(costs[:, index]))
            rows = finite[informative(costs[finite])]
            features = self.view.features(index, [taught.params[row] for row in rows])
            self.models.append(self.view.model(index, features, costs[rows, index]))

    def expected(self, many: Sequence[Params]) -> Vector:
        """The costs (n, m) that are expected of networks."""
        return self._predicted(many, certain=True)[0]

    def gains(self, many: Sequence[Params], front: Vector, reference: Vector, *, certain: bool = False) -> Vector:
        """The expected gains (n,): below 0, by how much, where a network is not sure to keep the limits."""
        mean, spread = self._predicted(many, certain=certain)
        gains = expected_gain(mean, spread, *boxes(front, reference))
        for index, most in self.screening.most.items():
            excess = mean[:, index] + SURE * spread[:, index] - most
            gains = np.where(excess > 0, np.minimum(gains, 0) - excess, gains)
        return gains

    def _predicted(self, many: Sequence[Params], *, certain: bool) -> tuple[Vector, Vector]:
        """The means and the standard deviations (n, m) of costs; certain ones are computed on demand."""
        mean, spread = np.empty((len(many), len(self.models))), np.empty((len(many), len(self.models)))
        for index, model in enumerate(self.models if many else ()):
            values = self.view.certain(index, many) if certain else None
            if values is None:
                mean[:, index], spread[:, index] = model.predict(self.view.features(index, many))
            else:
                mean[:, index], spread[:, index] = values * self.screening.signs[index], 0.0
        return mean, spread


def _together(known: Known, earlier: Known, view: View) -> Known:
    """Networks of this run and of earlier ones; what both have is taken from this run."""
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
