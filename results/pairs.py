"""Networks alike in latency and MACs, in pairs: what a trait is worth where nothing else can explain it.

They are networks that a search chose, and no experiment: what pairs say of other networks is a hypothesis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators.counts import networks
from results import front
from results.store.record import Run, Trial
from search_spaces import Network

Mask = NDArray[np.bool_]
Vector = NDArray[np.float64]
ALIKE = 0.05  # how far the latencies and the MACs of a pair differ at the most


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The n networks of a run from which pairs are made."""

    run: Run
    trials: Sequence[Trial]

    @cached_property
    def on_front(self) -> Mask:
        """Which are on the front, (n,)."""
        members = [trial.number for trial in front.front(self.run)]
        return np.isin([trial.number for trial in self.trials], members)

    @cached_property
    def values(self) -> Vector:
        """The accuracy objective (n,), with a sign such that higher is better."""
        metric = self.run.objectives[0]
        sign = 1 if metric.direction == "maximize" else -1
        return np.array([sign * trial.value(metric.name) for trial in self.trials])

    @cached_property
    def latency(self) -> Vector:
        """The first latency, (n,)."""
        return np.array([trial.value(self.run.objectives[1].name) for trial in self.trials])

    @cached_property
    def sizes(self) -> Vector:
        """Logarithms of what pairs are alike in: latencies and MACs, (n, latencies + 1)."""
        names = [metric.name for metric in self.run.objectives[1:]]
        rows = [[*map(trial.value, names), macs(trial.architecture)] for trial in self.trials]
        return np.asarray(np.log(rows))

    def gains(self, having: Mask, lacking: Mask) -> Vector:
        """By how much networks with a trait are better than partners without, (pairs,): no network is used twice.

        What latency and MACs explain of a pair's difference is taken off, by a linear fit over all that have or lack it
        (bias-corrected matching: Abadie and Imbens, Journal of Business and Economic Statistics 29, 2011).
        """
        asked = having | lacking
        centred = self.sizes - self.sizes[asked].mean(0)
        values = self.values - self.values[asked].mean()
        rest = values - centred @ np.linalg.lstsq(centred[asked], values[asked], rcond=None)[0]
        reach = float(np.log1p(ALIKE))
        others = np.flatnonzero(lacking)
        others = others[np.argsort(centred[others, 0])]
        latency, free, gains = centred[others, 0], np.ones(len(others), dtype=bool), []
        for row in np.flatnonzero(having).tolist():
            first, end = np.searchsorted(latency, centred[row, 0] + np.array([-reach, reach]))
            near = first + np.flatnonzero(free[first:end])
            distances = np.abs(centred[others[near]] - centred[row]).max(1, initial=0)
            if len(near) and distances.min() <= reach:
                partner = near[np.argmin(distances)]
                free[partner] = False
                gains.append(rest[row] - rest[others[partner]])
        return np.array(gains)


@lru_cache(maxsize=20_000)
def macs(network: Network) -> int:
    """Multiply-accumulates for an image of 224 pixels."""
    return networks.total(network).all_macs
