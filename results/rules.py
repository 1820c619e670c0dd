"""Rules of a front that a person can read, each checked in two ways: what its networks have that others do not.

A rule is told if both checks pass, at the 5 % level after Holm's correction for all rules tried:

- on the front, the trait is more frequent than among the other networks of the same latencies (Fisher's exact test);
- in pairs that are alike in latency and MACs, networks with the trait are better than those without (sign flips). The
  first check does not show this: a trait may be frequent on a front because of what it goes together with.

They are networks that the search chose, and no experiment: what a rule says of other networks is a hypothesis.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators import Metric
from evaluators.counts import networks
from evaluators.statistics import significance
from evaluators.statistics.ranking import Interval, bootstrap
from results import front
from results.store.record import Run, Trial
from results.traits import Trait, traits
from search_spaces import Network
from search_spaces.common.networks import ours

Mask = NDArray[np.bool_]
Vector = NDArray[np.float64]
LEVEL = 0.05
FEWEST = 5  # networks of the front in a band of latencies, and pairs: of fewer, no share says anything
ALIKE = 0.05  # how far the latencies and the MACs of a pair differ at the most


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A statement on the front between two latencies that passed both checks."""

    trait: str  # what the networks do: `have a transformer in stage 3`
    latency: Metric
    low: float
    high: float
    having: int  # of the front's networks in the band
    members: int
    without: int  # of the front's networks in the band: those without such blocks, of which nothing is asked
    share: float  # of all networks in the band, the front's included
    p: float  # the larger of both checks' p-values, corrected for all rules tried
    gain: Interval  # in the accuracy objective, of the networks with the trait over their partners; above 0 is better
    pairs: int
    metric: Metric

    def __str__(self) -> str:
        unit = "points" if self.metric.unit == "%" else self.metric.unit
        such = " with such blocks" if self.without else ""
        gain = f"{self.gain.value:.2g} [{self.gain.low:.2g}, {self.gain.high:.2g}] {unit}"
        return (
            f"Between {self.low:.4g} and {self.high:.4g} {self.latency.unit} by {self.latency.name}, {self.having} of "
            f"the {self.members} networks of the front{such} {self.trait}; of all networks there, {self.share:.0%}. "
            f"In {self.pairs} pairs alike in latency and MACs, they are better by {gain} of {word(self.metric)} "
            f"(p = {self.p:.2g})."
        )


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What passed, the surest first, and of how many rules; `summary` is for people."""

    rules: tuple[Rule, ...]
    tried: int
    networks: int
    members: int

    @property
    def summary(self) -> str:
        """A sentence on what was tried and what passed."""
        if not self.tried:
            return (
                f"No rules are sought: {self.members} networks on the front and {self.networks - self.members} others "
                f"are too few. It takes {FEWEST} and {FEWEST}."
            )
        passed = f"{len(self.rules) or 'None'} of {self.tried} rules tried on {self.networks} networks"
        return (
            f"{passed} {'pass' if len(self.rules) > 1 else 'passes'} both checks: frequent on the front, and better in "
            "pairs. The search chose these networks: a rule is a hypothesis on others."
        )


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """The n networks among which rules are sought."""

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


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A trait in a band, as the front leans: `having` and `lacking` are rows of the sample."""

    text: str
    band: Mask
    having: Mask
    lacking: Mask
    p: float  # by the front's share alone


def word(metric: Metric) -> str:
    """What an accuracy objective is called: a score is no accuracy, and a prediction was not reached by training."""
    return {"score": f"the score {metric.name}", "predicted": "predicted accuracy"}.get(metric.kind, "accuracy")


def rules(run: Run) -> Rules:
    """The rules of a run's front that pass both checks, one for each trait."""
    sample = _Sample(run=run, trials=[trial for trial in run.feasible() if trial.stages])
    candidates = list(_candidates(sample)) if len(run.objectives) > 1 else []
    return Rules(
        rules=tuple(_passing(sample, candidates)),
        tried=len(candidates),
        networks=len(sample.trials),
        members=int(sample.on_front.sum()),
    )


def _candidates(sample: _Sample) -> Iterator[_Candidate]:
    """Every trait in every band that holds enough networks of both kinds."""
    named = traits([ours(trial.architecture) for trial in sample.trials])
    for band in _bands(sample):
        if min((band & sample.on_front).sum(), (band & ~sample.on_front).sum()) >= FEWEST:
            yield from filter(None, (_leaning(trait, band, sample.on_front) for trait in named))


def _bands(sample: _Sample) -> list[Mask]:
    """All latencies of the front, and its fast and its slow half."""
    if not sample.on_front.any():
        return []
    low, middle, high = np.quantile(sample.latency[sample.on_front], [0, 0.5, 1])
    return [(sample.latency >= a) & (sample.latency <= b) for a, b in ((low, high), (low, middle), (middle, high))]


def _leaning(trait: Trait, band: Mask, on_front: Mask) -> _Candidate | None:
    """The trait, or its opposite where that is what the front has more of; None where all networks are alike."""
    true, false = (band & np.array([each is answer for each in trait.holds]) for answer in (True, False))
    if not (true.any() and false.any()):
        return None
    others = ~on_front
    counts = [int((rows & part).sum()) for part in (on_front, others) for rows in (true, true | false)]
    having, members, others_having, rest = counts
    if not (members and rest):
        return None
    leans = having * rest >= others_having * members
    return _Candidate(
        text=trait.true if leans else trait.false,
        band=band,
        having=true if leans else false,
        lacking=false if leans else true,
        p=significance.fisher(*counts),
    )


def _passing(sample: _Sample, candidates: Sequence[_Candidate]) -> list[Rule]:
    """The rules that pass, the surest first. Pairs are made only for what the first check has left."""
    by_share = significance.holm([candidate.p for candidate in candidates])
    gains = {row: _gains(sample, candidates[row]) for row, p in enumerate(by_share) if p <= LEVEL}
    corrected = significance.holm(
        [max(each.p, _p_of_pairs(gains[row])) if row in gains else each.p for row, each in enumerate(candidates)]
    )
    found: dict[str, Rule] = {}
    for row in sorted(gains, key=corrected.__getitem__):
        candidate = candidates[row]
        if corrected[row] <= LEVEL and candidate.text not in found:
            found[candidate.text] = _rule(sample, candidate, corrected[row], gains[row])
    return list(found.values())


def _p_of_pairs(gains: Vector) -> float:
    better = len(gains) >= FEWEST and gains.mean() > 0
    return significance.sign_flips(gains) if better else 1.0


def _rule(sample: _Sample, candidate: _Candidate, p: float, gains: Vector) -> Rule:
    metric, latency = sample.run.objectives[:2]
    asked = candidate.having | candidate.lacking
    return Rule(
        trait=candidate.text,
        latency=latency,
        low=float(sample.latency[candidate.band].min()),
        high=float(sample.latency[candidate.band].max()),
        having=int((candidate.having & sample.on_front).sum()),
        members=int((asked & sample.on_front).sum()),
        without=int((candidate.band & ~asked & sample.on_front).sum()),
        share=float(candidate.having.sum() / asked.sum()),
        p=p,
        gain=bootstrap(lambda drawn: float(gains[drawn].mean()), len(gains)),
        pairs=len(gains),
        metric=metric,
    )


def _gains(sample: _Sample, candidate: _Candidate) -> Vector:
    """By how much networks with the trait are better than partners without, (pairs,): no network is used twice.

    What latency and MACs explain of a pair's difference is taken off, by a linear fit over the band (bias-corrected
    matching: Abadie and Imbens, Journal of Business and Economic Statistics 29, 2011).
    """
    asked = candidate.having | candidate.lacking
    centred = sample.sizes - sample.sizes[asked].mean(0)
    values = sample.values - sample.values[asked].mean()
    rest = values - centred @ np.linalg.lstsq(centred[asked], values[asked], rcond=None)[0]
    reach = float(np.log1p(ALIKE))
    lacking = np.flatnonzero(candidate.lacking)
    lacking = lacking[np.argsort(centred[lacking, 0])]
    latency, free, gains = centred[lacking, 0], np.ones(len(lacking), dtype=bool), []
    for row in np.flatnonzero(candidate.having).tolist():
        first, end = np.searchsorted(latency, centred[row, 0] + np.array([-reach, reach]))
        near = first + np.flatnonzero(free[first:end])
        distances = np.abs(centred[lacking[near]] - centred[row]).max(1, initial=0)
        if len(near) and distances.min() <= reach:
            partner = near[np.argmin(distances)]
            free[partner] = False
            gains.append(rest[row] - rest[lacking[partner]])
    return np.array(gains)


@lru_cache(maxsize=20_000)
def macs(network: Network) -> int:
    """Multiply-accumulates for an image of 224 pixels."""
    return networks.total(network).all_macs
