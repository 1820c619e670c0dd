"""Rules of a front that a person can read, each checked in two ways: what its networks have that others do not.

A rule is told if both checks pass, at the 5 % level after Holm's correction for all rules tried:

- on the front, the trait is more frequent than among the other networks of the same latencies (Fisher's exact test);
- on the front, the trait is more frequent than among other networks of the same latencies (Fisher's exact test);
  This is what the front alone does not show: a trait may be frequent because most networks of its latency have it.

They are networks that the search chose, and no experiment: what a rule says of other networks is a hypothesis.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluators import Metric
from evaluators.counts import formula
from evaluators.statistics import significance
from evaluators.statistics.ranking import Interval, bootstrap
from results import front
from results.store.record import Run, Trial
from results.traits import Trait, traits
from search_spaces import Architecture

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
    share: float  # of all networks in the band, the front's included
    p: float  # the larger of both checks' p-values, corrected for all rules tried
    gain: Interval  # in the accuracy objective, of the networks with the trait over their partners; above 0 is better
    pairs: int
    metric: Metric

    def __str__(self) -> str:
        unit = "points" if self.metric.unit == "%" else self.metric.unit
        gain = f"{self.gain.value:+.2g} {unit} [{self.gain.low:.2g}, {self.gain.high:.2g}]"
        return (
            f"Between {self.low:.4g} and {self.high:.4g} {self.latency.unit} by {self.latency.name}, {self.having} of "
            f"the {self.members} networks of the front {self.trait}, and {self.share:.0%} of all networks there. "
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
    known = run.feasible()
    on_front = np.isin([trial.number for trial in known], [trial.number for trial in front.front(run)])
    candidates = list(_candidates(run, known, on_front)) if len(run.objectives) > 1 else []
    found = _passing(run, known, on_front, candidates)
    return Rules(rules=tuple(found), tried=len(candidates), networks=len(known), members=int(on_front.sum()))


def _candidates(run: Run, known: Sequence[Trial], on_front: Mask) -> Iterator[_Candidate]:
    """Every trait in every band that holds enough networks of both kinds."""
    latency = np.array([trial.value(run.objectives[1].name) for trial in known])
    named = traits([trial.architecture for trial in known])
    for band in _bands(latency, on_front):
        if min((band & on_front).sum(), (band & ~on_front).sum()) >= FEWEST:
            yield from filter(None, (_leaning(trait, band, on_front) for trait in named))


def _bands(latency: Vector, on_front: Mask) -> list[Mask]:
    """All latencies of the front, and its fast and its slow half."""
    if not on_front.any():
        return []
    low, middle, high = np.quantile(latency[on_front], [0, 0.5, 1])
    return [(latency >= a) & (latency <= b) for a, b in ((low, high), (low, middle), (middle, high))]


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


def _passing(run: Run, known: Sequence[Trial], on_front: Mask, candidates: Sequence[_Candidate]) -> list[Rule]:
    """The rules that pass, the surest first. Pairs are made only for what the first check has left."""
    by_share = significance.holm([candidate.p for candidate in candidates])
    gains = {row: _gains(run, known, candidates[row]) for row, p in enumerate(by_share) if p <= LEVEL}
    corrected = significance.holm(
        [max(each.p, _p_of_pairs(gains[row])) if row in gains else each.p for row, each in enumerate(candidates)]
    )
    found: dict[str, Rule] = {}
    for row in sorted(gains, key=corrected.__getitem__):
        if corrected[row] <= LEVEL:
            rule = _rule(run, known, on_front, candidates[row], corrected[row], gains[row])
            found.setdefault(rule.trait, rule)
    return list(found.values())


def _p_of_pairs(gains: Vector) -> float:
    better = len(gains) >= FEWEST and gains.mean() > 0
    return significance.sign_flips(gains) if better else 1.0


def _rule(run: Run, known: Sequence[Trial], on_front: Mask, candidate: _Candidate, p: float, gains: Vector) -> Rule:
    metric, latency = run.objectives[:2]
    values = [known[row].value(latency.name) for row in np.flatnonzero(candidate.band).tolist()]
    asked = candidate.having | candidate.lacking
    return Rule(
        trait=candidate.text,
        latency=latency,
        low=min(values),
        high=max(values),
        having=int((candidate.having & on_front).sum()),
        members=int((asked & on_front).sum()),
        share=float(candidate.having.sum() / asked.sum()),
        p=p,
        gain=bootstrap(lambda drawn: float(gains[drawn].mean()), len(gains)),
        pairs=len(gains),
        metric=metric,
    )


def _gains(run: Run, known: Sequence[Trial], candidate: _Candidate) -> Vector:
    """By how much networks with the trait are better than partners without, (pairs,): no network is used twice.

    What a partner's own latency and MACs explain of its difference is taken off, by a linear fit over the band
    (bias-corrected matching: Abadie and Imbens, Journal of Business and Economic Statistics 29, 2011).
    """
    metric, *latencies = run.objectives
    rows = np.flatnonzero(candidate.having | candidate.lacking)
    trials = [known[row] for row in rows.tolist()]
    sizes = np.log([[*(t.value(each.name) for each in latencies), macs(t.architecture)] for t in trials])
    values = np.array([trial.value(metric.name) for trial in trials]) * (1 if metric.direction == "maximize" else -1)
    slopes = np.linalg.lstsq(sizes - sizes.mean(0), values - values.mean(), rcond=None)[0]
    rest = values - sizes @ slopes
    having, lacking = (np.flatnonzero(mask[rows]) for mask in (candidate.having, candidate.lacking))
    gains = []
    for row in having.tolist():
        distances = np.abs(sizes[lacking] - sizes[row]).max(1)
        if len(distances) and distances.min() <= np.log1p(ALIKE):
            partner = int(lacking[np.argmin(distances)])
            lacking = lacking[lacking != partner]
            gains.append(rest[row] - rest[partner])
    return np.array(gains)


@lru_cache(maxsize=20_000)
def macs(architecture: Architecture) -> int:
    """Multiply-accumulates for an image of 224 pixels."""
    work = formula.total(architecture)
    return work.macs + work.attention
