"""Networks of a strategy at a given latency: widths are changed until the measured latency is within 2 % of it.

Among networks that differ in width alone, latency grows nearly as a power of the work. So few measurements suffice:
each of them says how much work the wanted latency allows.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from evaluators import Measurement
from evaluators.counts.formula import total
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer
from search_spaces.strategies.strategy import Depths, Strategy, neighbours

TOLERANCE = 0.02  # of the latency
MOST = 12  # networks measured for one strategy
POWER, LEAST_POWER, MOST_POWER = 0.8, 0.3, 1.5  # of the work in the latency: assumed, and bounds on what was measured
APART = 0.05  # in the logarithm of the work: from nearer networks a power would be noise
FINE = 3  # networks nearest to the wanted work, whose neighbours are candidates too

Measure = Callable[[Architecture], Measurement]
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


@dataclass(frozen=True, kw_only=True)
class AtLatency:
    """A network, its latency as it was measured in several processes, and how far that is from the target."""

    network: Architecture
    latency: Measurement
    missed_by: float


class OutOfReach(NegativeAnswer):
    """No network of a strategy has that latency; the message names the nearest."""


@lru_cache(maxsize=10_000)
def work(network: Architecture) -> float:
    """The logarithm of its multiply-accumulates; the same few networks are asked for in every step."""
    return math.log(total(network).all_macs)


def at_latency(
    strategy: Strategy, depths: Depths, target: Target, measured: Measure, again: Measure, start: float = 0.0
) -> AtLatency:
    """The network of a strategy, of these depths, whose latency is within 2 % of the target.

    `measured` may answer from memory; `again` answers with two measurements combined at the least, which confirms a
    network. `start` is where to begin: the logarithm of the work that another strategy needed, or 0 for the middle.

    Raises:
        OutOfReach: none was found; names the nearest.
        MeasurementFailed: a network could not be measured.
    """
    ladder = sorted(strategy.networks(depths), key=work)
    if not ladder:
        raise OutOfReach(f"no network of depths {shown(depths)} can be built", "the strategy is left out")
    points: Points = {}
    network = _nearest(ladder, start or work(ladder[len(ladder) // 2]))
    while len(points) < MOST:
        latency = measured(network)
        if target.met(latency) and target.met(latency := again(network)):
            return AtLatency(network=network, latency=latency, missed_by=target.missed_by(latency))
        points[network] = level(latency)
        wanted = _wanted(points, target.level)
        left = [each for each in _candidates(ladder, wanted) if each not in points]
        if not left or _is_outside(ladder, points, target.level):
            break
        network = _nearest(left, wanted)
    missed = min((value - target.level for value in points.values()), key=abs)
    raise OutOfReach(
        f"no network of depths {shown(depths)} was found within {TOLERANCE:.0%} of {target.milliseconds:g} ms; "
        f"the nearest has {target.milliseconds * math.exp(missed):.3g} ms",
        "choose another latency",
    )


def shown(depths: Depths) -> str:
    """Depths, for people."""
    return "-".join(map(str, depths))


def _nearest(networks: Iterable[Architecture], wanted: float) -> Architecture:
    return min(networks, key=lambda network: abs(work(network) - wanted))


def _candidates(ladder: Sequence[Architecture], wanted: float) -> list[Architecture]:
    """The networks of the ladder, and those with one other width near the wanted work."""
    near = sorted(ladder, key=lambda network: abs(work(network) - wanted))[:FINE]
    return list(dict.fromkeys([*ladder, *(fine for network in near for fine in neighbours(network))]))


def _wanted(points: Points, target: float) -> float:
    """The work at which the latency should be the target's, from the two measured networks nearest to it."""
    first, *others = sorted(points, key=lambda network: abs(points[network] - target))
    power = POWER
    if others and abs(step := work(others[0]) - work(first)) > APART:
        power = min(MOST_POWER, max(LEAST_POWER, (points[others[0]] - points[first]) / step))
    return work(first) + (target - points[first]) / power


def _is_outside(ladder: Sequence[Architecture], points: Points, target: float) -> bool:
    """Whether the narrowest network was measured as too slow, or the widest as too fast."""
    smallest, largest = points.get(ladder[0], target), points.get(ladder[-1], target)
    return smallest > target + TOLERANCE or largest < target - TOLERANCE
