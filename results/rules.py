"""Rules of a front that a person can read, each checked in two ways: what its networks have that others do not.

A rule is told if both checks pass, at the 5 % level after Holm's correction for all rules tried:

- on the front, the trait is more frequent than among the other networks of the same latencies (Fisher's exact test);
- in pairs that are alike in latency and MACs, networks with the trait are better than those without (sign flips). The
  first check does not show this: a trait may be frequent on a front because of what it goes together with.

They are networks that the search chose, and no experiment: what a rule says of other networks is a hypothesis.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evaluators import Metric
from evaluators.statistics import significance
from evaluators.statistics.ranking import Interval, bootstrap
from results.pairs import Mask, Sample, Vector
from results.store.record import Run
from results.traits import Trait, traits
from search_spaces.common.networks import ours

LEVEL = 0.05
FEWEST = 5  # networks of the front in a band of latencies, and pairs: of fewer, no share says anything


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
    of_timm: int = 0  # networks whose blocks are not ours, of which no rule speaks

    @property
    def summary(self) -> str:
        """A sentence on what was tried and what passed."""
        if self.of_timm and not self.networks:
            return "No rules are sought: they are about blocks of this program's own networks, and the run has none."
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
    feasible = run.feasible()
    sample = Sample(run=run, trials=[trial for trial in feasible if trial.stages])
    candidates = list(_candidates(sample)) if len(run.objectives) > 1 else []
    return Rules(
        rules=tuple(_passing(sample, candidates)),
        tried=len(candidates),
        networks=len(sample.trials),
        members=int(sample.on_front.sum()),
        of_timm=len(feasible) - len(sample.trials),
    )


def _candidates(sample: Sample) -> Iterator[_Candidate]:
    """Every trait in every band that holds enough networks of both kinds."""
    named = traits([ours(trial.architecture) for trial in sample.trials])
    for band in _bands(sample):
        if min((band & sample.on_front).sum(), (band & ~sample.on_front).sum()) >= FEWEST:
            yield from filter(None, (_leaning(trait, band, sample.on_front) for trait in named))


def _bands(sample: Sample) -> list[Mask]:
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


def _passing(sample: Sample, candidates: Sequence[_Candidate]) -> list[Rule]:
    """The rules that pass, the surest first. Pairs are made only for what the first check has left."""
    by_share = significance.holm([candidate.p for candidate in candidates])
    gains = {
        row: sample.gains(candidates[row].having, candidates[row].lacking)
        for row, p in enumerate(by_share)
        if p <= LEVEL
    }
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


def _rule(sample: Sample, candidate: _Candidate, p: float, gains: Vector) -> Rule:
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
