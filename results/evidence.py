"""Where do transformers pay off, and how many? Networks with one at a place, or so many in a stage, against the others.

Places are counted from the end of a stage: the Next Hybrid Strategy (Next-ViT, arXiv 2207.05501, section 3.3) is a
statement about ends, and stages differ in depth. Both networks of a pair have a block at the place, and are alike in
latency and MACs (`pairs.py`). With `published` as the objective, it is what published networks predict.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluators import Metric
from evaluators.statistics import significance
from evaluators.statistics.ranking import Interval
from results.pairs import Mask, Sample, Vector
from results.rules import FEWEST, LEVEL, word
from results.store.record import Run, Trial
from search_spaces.nextvit.stage import TRANSFORMERS

STAGES, PLACES = 4, 10  # places from the end of a stage
MANY = 9  # transformers in a stage: so many or more
MOST = 2000  # networks: pairs of more would take seconds
DRAWS = 2000  # of a bootstrap
WORST = {"place": "a transformer costs most", "number": "the worst number of transformers is"}
BLIND = " It does not see where in a stage a block stands."  # what published networks predict


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A square of a map that was tried both ways: what its trait is worth, in the unit of the accuracy objective."""

    stage: int  # from 0
    column: int  # a place, 0 for the last block; or a number of transformers, `MANY` for more, too
    gain: Interval  # above 0 is better, whatever the direction of the objective
    pairs: int
    p: float = 1.0  # corrected for all cells of its map

    @property
    def told(self) -> bool:
        """Whether the pairs tell it from nothing."""
        return self.p <= LEVEL


Question = tuple[int, int, Mask, Mask]  # a stage and a column, who has the trait, and who could but has not


def places(run: Run) -> list[Cell]:
    """A transformer at a place of a stage against a convolution there: where there are five pairs or more."""
    return _cells(run, _places)


def numbers(run: Run) -> list[Cell]:
    """So many transformers in a stage against any other number: where there are five pairs or more."""
    return _cells(run, _numbers)


def _places(trials: Sequence[Trial]) -> Iterator[Question]:
    for stage in range(STAGES):
        rows = [trial.stages[stage].blocks[::-1] for trial in trials]
        for place in range(PLACES):
            there = np.array([len(blocks) > place for blocks in rows], dtype=bool)
            having = np.array([len(blocks) > place and blocks[place] in TRANSFORMERS for blocks in rows], dtype=bool)
            yield stage, place, having, there & ~having


def _numbers(trials: Sequence[Trial]) -> Iterator[Question]:
    for stage in range(STAGES):
        found = np.array([min(MANY, transformers(trial)[stage]) for trial in trials], dtype=int)
        for number in np.unique(found).tolist():
            yield stage, number, found == number, found != number


def transformers(trial: Trial) -> list[int]:
    """How many transformers every stage of a network has."""
    return [sum(kind in TRANSFORMERS for kind in stage.blocks) for stage in trial.stages]


def _cells(run: Run, questions: Callable[[Sequence[Trial]], Iterator[Question]]) -> list[Cell]:
    """The cells of a map; of a large run, from networks that are spread over it."""
    trials = [trial for trial in run.feasible() if trial.stages]
    sample = Sample(run=run, trials=trials[:: -(-len(trials) // MOST) or 1])
    found = []
    for stage, column, having, lacking in questions(sample.trials):
        if min(having.sum(), lacking.sum()) >= FEWEST and len(gains := sample.gains(having, lacking)) >= FEWEST:
            p = significance.sign_flips(gains)
            found.append(Cell(stage=stage, column=column, gain=_interval(gains), pairs=len(gains), p=p))
    corrected = significance.holm([cell.p for cell in found])
    return [replace(cell, p=p) for cell, p in zip(found, corrected, strict=True)]


def _interval(gains: Vector) -> Interval:
    """The mean with its 95 % bootstrap interval."""
    draws = max(200, min(DRAWS, 400_000 // len(gains)))
    means = gains[np.random.default_rng(0).integers(len(gains), size=(draws, len(gains)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(value=float(gains.mean()), low=float(low), high=float(high))


def sentences(metric: Metric, where: Sequence[Cell], how_many: Sequence[Cell]) -> str:
    """What both maps say by an accuracy objective: where a transformer pays off, and how many do."""
    if not where and not how_many:
        return "Too few pairs of networks are alike in latency and MACs to say where transformers pay off."
    begin = f"By {word(metric)}, in pairs of networks of this run that are alike in latency and MACs,"
    places = _said(where, metric, ("a transformer pays off most", "costs most"), _place, "place")
    bounds = "the best number of transformers is", "the worst is"
    numbers = _said(how_many, metric, bounds, _number, "number")
    blind = BLIND if metric.name.partition(":")[0] == "published" else ""
    return f"{begin} {'; '.join(filter(None, [places, numbers]))}.{blind}"


def _said(
    found: Sequence[Cell], metric: Metric, words: tuple[str, str], shown: Callable[[Cell], str], what: str
) -> str:
    """What one map says: which trait pays off most, which costs most, and how many cannot be told."""
    told = sorted((cell for cell in found if cell.told), key=lambda cell: cell.gain.value)
    ends = [(words[0], cell) for cell in told[-1:] if cell.gain.value > 0]
    ends += [(words[1] if ends else WORST[what], cell) for cell in told[:1] if cell.gain.value < 0]
    if found and not told:
        return f"no {what} that was tried both ways tells whether it pays off ({len(found)})"
    rest = f" ({len(found) - len(told)} of {len(found)} {what}s do not tell)" if len(told) < len(found) else ""
    return " and ".join(f"{begin} {shown(cell)}: {_worth(cell, metric)}" for begin, cell in ends) + rest


def unit(metric: Metric) -> str:
    """The unit of a difference between two values."""
    return metric.unit.replace("%", "points")


def _place(cell: Cell) -> str:
    return f"in stage {cell.stage + 1}, {f'{cell.column} before the last' if cell.column else 'last'}"


def _number(cell: Cell) -> str:
    return f"{cell.column}{' or more' if cell.column == MANY else ''} in stage {cell.stage + 1}"


def _worth(cell: Cell, metric: Metric) -> str:
    gain = cell.gain
    return f"{gain.value:+.2g} [{gain.low:.2g}, {gain.high:.2g}] {unit(metric)} in {cell.pairs} pairs"
