"""Strategies compared at one measured latency: what stands where, and which differences can be told apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from evaluators import Measurement
from evaluators.core.measurement import Direction, Metric
from evaluators.statistics.paired import Difference
from search_spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of a strategy: its latency as it was measured, its costs, and its results, one for each seed."""

    scaling: str
    network: Architecture
    latency: Measurement
    missed_by: float  # how far its latency is from the target, as a share of it
    params: float  # millions
    macs: float  # billions
    results: tuple[float, ...] = ()
    failure: str = ""  # why it has no result

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "scaling": self.scaling,
            "notation": str(self.network),
            "architecture": self.network.to_dict(),
            "latency": self.latency.to_dict(),
            "missed_by": round(self.missed_by, 5),
            "params": self.params,
            "macs": self.macs,
            "results": list(self.results),
            "failure": self.failure,
        }


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One strategy among the answers to a question. `difference` is to the reference, which has none."""

    name: str
    entries: tuple[Entry, ...]
    missing: tuple[str, ...] = ()  # why a scaling has no network
    value: float | None = None  # the mean over networks and seeds
    difference: Difference | None = None

    @property
    def worst_miss(self) -> float:
        """The largest distance of a latency from the target, as a share of it."""
        return max((abs(entry.missed_by) for entry in self.entries), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "difference": _finite(self.difference) if self.difference else None,
            "entries": [entry.to_dict() for entry in self.entries],
            "missing": list(self.missing),
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question with its strategies, compared with `reference`. `unseen`: why the metric cannot answer it."""

    name: str
    text: str
    reference: str
    standings: tuple[Standing, ...]
    direction: Direction = "maximize"
    unseen: str = ""

    @property
    def ranks(self) -> dict[str, int]:
        """The rank of every strategy that has a value, by name; 1 is the best."""
        sign = 1 if self.direction == "minimize" else -1
        valued = [(sign * each.value, each.name) for each in self.standings if each.value is not None]
        return {name: rank for rank, (_, name) in enumerate(sorted(valued), start=1)}

    @property
    def sentence(self) -> str:
        """The answer, as far as there is one."""
        if self.unseen:
            return f"Cannot be told: {self.unseen}."
        compared = [each for each in self.standings if each.difference]
        if not compared:
            return "Cannot be told: nothing was compared."
        apart = [each for each in compared if each.difference and each.difference.told_apart]
        if not apart:
            return f"No strategy can be told apart from {self.reference}{_power(compared)}."
        parts = [
            f"{_listed(names)} {'are' if len(names) > 1 else 'is'} {word}"
            for word in ("better", "worse")
            if (names := [each.name for each in apart if self._verdict(each) == word])
        ]
        rest = len(compared) - len(apart)
        return f"Than {self.reference}, {' and '.join(parts)}" + (f"; {rest} cannot be told apart." if rest else ".")

    def _verdict(self, standing: Standing) -> str:
        value = standing.difference.value if standing.difference else 0.0
        return "better" if (value > 0) == (self.direction == "maximize") else "worse"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole comparison, at one latency, by one metric."""

    latency: Metric
    device: str
    milliseconds: float
    metric: Metric
    fidelity: str  # of an accuracy; empty for scores
    scalings: dict[str, str]  # name and depths
    answers: tuple[Answer, ...]
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "latency": asdict(self.latency),
            "device": self.device,
            "at": self.milliseconds,
            "metric": asdict(self.metric),
            "fidelity": self.fidelity,
            "scalings": self.scalings,
            "answers": [
                {
                    "question": answer.name,
                    "text": answer.text,
                    "reference": answer.reference,
                    "answer": answer.sentence,
                    "strategies": [standing.to_dict() for standing in answer.standings],
                }
                for answer in self.answers
            ],
            "remarks": list(self.remarks),
        }


def _finite(difference: Difference) -> dict[str, Any]:
    """Plain data for JSON, which has no infinity: an interval without an end has null there."""
    return {name: value if isfinite(value) else None for name, value in asdict(difference).items()}


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _power(compared: Sequence[Standing]) -> str:
    """What difference would have been told apart, and how many pairs the largest would need, if it is one."""
    known = [each.difference for each in compared if each.difference]
    largest = max(known, key=lambda each: abs(each.value))
    least = max(each.detectable for each in known)
    seen = f"; in 8 of 10 such experiments, a difference of {least:.2g} would be" if isfinite(least) else ""
    if not largest.pairs_needed:
        return seen
    return (
        f"{seen}; the largest difference, {largest}, would need {largest.pairs_needed} pairs of trainings instead of "
        f"{largest.pairs}"
    )
