"""Networks of a strategy at a given latency: widths are changed until the measured latency is within 2 % of it.

Among networks that differ in width alone, latency grows nearly as a product of powers of multiply-accumulates and
activations. So few measurements suffice: each of them teaches the powers near the wanted latency.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators import Measurement
from evaluators.counts.formula import total
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer
from search_spaces.strategies.strategy import Scaling, Strategy, neighbours

TOLERANCE = 0.02  # of the latency
MOST = 12  # networks measured for one strategy
ATTEMPTS = range(2, 6)  # measurements of a network near the target: the least with which it is taken, and the most
POWERS, SPREAD = np.array([0.5, 0.3]), 0.3  # of multiply-accumulates and activations: believed before any measurement
NOISE, NEAR = 0.02, 0.2  # of a level: what powers leave open, and how far from the target a network still counts
FINE = 3  # networks nearest to the target, whose neighbours are candidates too

Measure = Callable[[Architecture, int], Measurement]  # of a network, from so many measurements at the least
Vector = NDArray[np.float64]
Points = dict[Architecture, float]  # the level of the measured latency


def level(latency: Measurement) -> float:
    """The logarithm of a latency on its device: of its ratio to the references, where it was measured in rounds.

    Unlike milliseconds, it does not change when the constant of the device becomes better known.
    """
    return float(latency.details.get("log_ratio", math.log(latency.value)))


@dataclass(frozen=True, kw_only=True)
class Target:
    """The latency that all strategies are to have, in milliseconds and as a level."""

    milliseconds: float
    level: float

    @classmethod
    def of(cls, milliseconds: float, known: Measurement) -> "Target":
        """The target in the terms of a latency that was measured on the device."""
        return cls(milliseconds=milliseconds, level=level(known) + math.log(milliseconds / known.value))

    def missed_by(self, latency: Measurement) -> float:
        """How far a latency is from the target, as a share of it; negative where it is faster."""
        return math.expm1(level(latency) - self.level)

    def met(self, latency: Measurement) -> bool:
        """Whether a latency is within 2 % of the target."""
        return abs(self.missed_by(latency)) <= TOLERANCE

    def may_be_met(self, latency: Measurement) -> bool:
        """Whether its interval reaches within 2 % of the target."""
        return abs(self.missed_by(latency)) <= TOLERANCE + (latency.high / latency.value - 1)


@dataclass(frozen=True, kw_only=True)
class AtLatency:
    """A network, its latency as it was measured in several processes, and how far that is from the target."""

    network: Architecture
    latency: Measurement
    missed_by: float


class OutOfReach(NegativeAnswer):
    """No network of a strategy has that latency; the message names the nearest."""


def work(network: Architecture) -> float:
    """The logarithm of its multiply-accumulates."""
    return float(_size(network)[0])


@lru_cache(maxsize=10_000)  # the same few networks are asked for in every step
def _size(network: Architecture) -> Vector:
    """The logarithms of its multiply-accumulates and activations."""
    counts = total(network)
    return np.log([counts.all_macs, counts.activations])


def at_latency(
    strategy: Strategy, scaling: Scaling, target: Target, measured: Measure, start: float = 0.0
) -> AtLatency:
    """The network of a strategy, of this scaling, whose latency is within 2 % of the target.

    `measured` may answer from memory; a network is taken by two measurements at the least, and by up to five where it
    is a near thing. `start` is where to begin: the logarithm of the work that another strategy needed, or 0 for the
    middle.

    Raises:
        OutOfReach: none was found; names the nearest.
        MeasurementFailed: a network could not be measured.
    """
    ladder = sorted(strategy.networks(scaling), key=work)
    if not ladder:
        raise OutOfReach(f"no network of depths {scaling} can be built", "the strategy is left out")
    points: Points = {}
    network = min(ladder, key=lambda each: abs(work(each) - (start or work(ladder[len(ladder) // 2]))))
    while len(points) < MOST:
        latency, met = _decided(network, target, measured)
        if met:
            return AtLatency(network=network, latency=latency, missed_by=target.missed_by(latency))
        points[network] = level(latency)
        left = _nearest(_candidates(ladder, points, target.level), points, target.level)
        if not left or _is_outside(ladder, points, target.level):
            break
        network = left[0]
    missed = min((value - target.level for value in points.values()), key=abs)
    raise OutOfReach(
        f"no network of depths {scaling} was found within {TOLERANCE:.0%} of {target.milliseconds:g} ms; "
        f"the nearest has {target.milliseconds * math.exp(missed):.3g} ms",
        "choose another latency",
    )


def _decided(network: Architecture, target: Target, measured: Measure) -> tuple[Measurement, bool]:
    """Its latency, from as many measurements as it takes to tell whether it is at the target; and whether it is."""
    latency = measured(network, 1)
    for attempts in ATTEMPTS:
        if not target.may_be_met(latency):
            break
        latency = measured(network, attempts)
        if target.met(latency):
            return latency, True
    return latency, False


def _candidates(ladder: Sequence[Architecture], points: Points, target: float) -> Iterable[Architecture]:
    """The networks of the ladder, and those with one other width near the target."""
    near = _nearest(ladder, points, target)[:FINE]
    return dict.fromkeys([*ladder, *(fine for network in near for fine in neighbours(network))])


def _nearest(networks: Iterable[Architecture], points: Points, target: float) -> list[Architecture]:
    """The networks without a measurement, those first whose level should be nearest to the target."""
    first = min(points, key=lambda network: abs(points[network] - target))
    powers = _powers(points, first, target)
    left = [network for network in networks if network not in points]
    return sorted(left, key=lambda each: abs(points[first] + (_size(each) - _size(first)) @ powers - target))


def _powers(points: Points, first: Architecture, target: float) -> Vector:
    """How the level grows with the size near the target: by ridge regression towards what is usual."""
    sizes = np.array([_size(network) - _size(first) for network in points])
    levels = np.array(list(points.values()))
    weights = np.exp(-np.abs(levels - target) / NEAR) / NOISE**2
    surprise = levels - points[first] - sizes @ POWERS
    precision = (sizes.T * weights) @ sizes + np.eye(len(POWERS)) / SPREAD**2
    return POWERS + np.linalg.solve(precision, (sizes.T * weights) @ surprise)


def _is_outside(ladder: Sequence[Architecture], points: Points, target: float) -> bool:
    """Whether the narrowest network was measured as too slow, or the widest as too fast."""
    smallest, largest = points.get(ladder[0], target), points.get(ladder[-1], target)
    return smallest > target + TOLERANCE or largest < target - TOLERANCE
