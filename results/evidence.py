"""Where do transformers pay off? At every place of every stage: networks with one there, against networks without.

Places are counted from the end of a stage: the Next Hybrid Strategy (Next-ViT, arXiv 2207.05501, section 3.3) is a
statement about ends, and stages differ in depth. Both networks of a pair have a block at the place, and are alike in
latency and MACs (`pairs.py`). With `published` as the objective, it is what published networks predict.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluators import Metric
from evaluators.statistics import significance
from evaluators.statistics.ranking import Interval
from results.pairs import Sample, Vector
from results.rules import FEWEST, LEVEL, word
from results.store.record import Run
from search_spaces.nextvit.stage import TRANSFORMERS

STAGES, PLACES = 4, 10  # places from the end of a stage
MOST = 2000  # networks: pairs of more would take seconds
DRAWS = 2000  # of a bootstrap
BLIND = " It does not see where in a stage a block stands."  # what published networks predict


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A place that was tried both ways: what a transformer there is worth, in the unit of the accuracy objective."""

    stage: int  # from 0, as the place is: 0 is the last block
    place: int
    gain: Interval  # above 0 is better, whatever the direction of the objective
    pairs: int
    p: float = 1.0  # corrected

    @property
    def told(self) -> bool:
        """Whether the pairs tell it from nothing."""
        return self.p <= LEVEL


def cells(run: Run) -> list[Cell]:
    """The places for which there are five pairs or more; of a large run, from networks that are spread over it."""
    trials = [trial for trial in run.feasible() if trial.stages]
    found = list(_cells(Sample(run=run, trials=trials[:: -(-len(trials) // MOST) or 1])))
    corrected = significance.holm([cell.p for cell in found])
    return [replace(cell, p=p) for cell, p in zip(found, corrected, strict=True)]


def _cells(sample: Sample) -> Iterator[Cell]:
    for stage in range(STAGES):
        rows = [trial.stages[stage].blocks[::-1] for trial in sample.trials]
        for place in range(PLACES):
            there = np.array([len(blocks) > place for blocks in rows], dtype=bool)
            having = np.array([len(blocks) > place and blocks[place] in TRANSFORMERS for blocks in rows], dtype=bool)
            if min(having.sum(), (there & ~having).sum()) < FEWEST:
                continue
            gains = sample.gains(having, there & ~having)
            if len(gains) >= FEWEST:
                p = significance.sign_flips(gains)
                yield Cell(stage=stage, place=place, gain=_interval(gains), pairs=len(gains), p=p)


def _interval(gains: Vector) -> Interval:
    """The mean with its 95 % bootstrap interval."""
    draws = max(200, min(DRAWS, 400_000 // len(gains)))
    means = gains[np.random.default_rng(0).integers(len(gains), size=(draws, len(gains)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(value=float(gains.mean()), low=float(low), high=float(high))


def sentences(metric: Metric, found: Sequence[Cell]) -> str:
    """What the places say by an accuracy objective: where a transformer pays off most, where it costs most."""
    if not found:
        return "Too few pairs of networks are alike in latency and MACs to say where transformers pay off."
    told = sorted((cell for cell in found if cell.told), key=lambda cell: cell.gain.value)
    best = [f"pays off most {_where(cell, metric)}" for cell in told[-1:] if cell.gain.value > 0]
    worst = [f"costs most {_where(cell, metric)}" for cell in told[:1] if cell.gain.value < 0]
    begin = f"By {word(metric)}, in pairs of networks of this run that are alike in latency and MACs"
    blind = BLIND if metric.name.partition(":")[0] == "published" else ""
    if not told:
        return f"{begin}, no place that was tried both ways tells whether a transformer pays off ({len(found)}).{blind}"
    rest = len(found) - len(told)
    more = f" {rest} of the {len(found)} places that were tried both ways do not tell." if rest else ""
    return f"{begin}, a transformer {' and '.join([*best, *worst])}.{more}{blind}"


def unit(metric: Metric) -> str:
    """The unit of a difference between two values."""
    return metric.unit.replace("%", "points")


def _where(cell: Cell, metric: Metric) -> str:
    gain = cell.gain
    place = "last" if not cell.place else f"{cell.place} before the last"
    worth = f"{gain.value:+.2g} [{gain.low:.2g}, {gain.high:.2g}] {unit(metric)}"
    return f"in stage {cell.stage + 1}, {place}: {worth} in {cell.pairs} pairs"
