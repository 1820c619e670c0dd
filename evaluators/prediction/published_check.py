"""How far a prediction from published networks can be trusted: every family predicted from the others.

A network of a left-out family is predicted from the recipe that it was trained by, its size and its shape.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.prediction.published_features import SIZE
from evaluators.prediction.published_prediction import FACTOR, known
from evaluators.prediction.published_process import PRIOR, SIZE_LINE, Process, Vector, to_percent, to_y
from evaluators.prediction.published_table import Table
from evaluators.statistics import ranking

FEWEST = 5  # results of a family within which a ranking is counted
NEARLY = 0.8  # the least share of a budget that is nearly all of it


@dataclass(frozen=True, kw_only=True)
class Check:
    """How well a score ranks published results, and what is lost by choosing by it. None: it predicts no accuracy."""

    name: str
    tau: float
    partial_tau: float  # given MACs and parameters
    within_family: float  # the mean tau of the families with `FEWEST` results or more
    regret: float  # points of top-1 lost at a budget of MACs, within a family
    near_regret: float  # the same among networks that are alike but for their shape
    error: float | None = None  # mean absolute, in points
    coverage: float | None = None  # share of the results within their intervals


def check(results: Table) -> list[dict[str, Any]]:
    """The checks of counts, of the size line and of the prediction as plain data, and random choice as the last row."""
    line, _ = Process(known(results), results.top1, SIZE_LINE).left_out(results.family)
    mean, spread = Process(known(results), results.top1, PRIOR).left_out(results.family)
    covered = float(np.mean(np.abs(to_y(results.top1) - mean) <= FACTOR * spread))
    checks = [
        _check("MACs", results.column("log_macs"), results),
        _check("params", results.column("log_params"), results),
        _check("size line and recipe", line, results, predicted=line),
        _check("mean", mean, results, predicted=mean, coverage=covered),
        _check("lower bound", mean - FACTOR * spread, results),
    ]
    chance = Check(
        name="random",
        tau=0.0,
        partial_tau=0.0,
        within_family=0.0,
        regret=regret(None, results),
        near_regret=near_regret(None, results),
    )
    return [asdict(each) for each in (*checks, chance)]


def _check(
    name: str, score: Vector, results: Table, *, predicted: Vector | None = None, coverage: float | None = None
) -> Check:
    controls = np.column_stack([results.column("log_macs"), results.column("log_params")])
    return Check(
        name=name,
        tau=ranking.tau(score, results.top1),
        partial_tau=ranking.tau(_residual(score, controls), _residual(to_y(results.top1), controls)),
        within_family=_within(score, results),
        regret=regret(score, results),
        near_regret=near_regret(score, results),
        error=None if predicted is None else float(np.abs(to_percent(predicted) - results.top1).mean()),
        coverage=coverage,
    )


def regret(score: Vector | None, results: Table) -> float:
    """The regret at ten budgets of MACs, as `ranking.regrets` has it, in every family; of a random choice for None."""
    lost = []
    for part in _families(results):
        top1, macs = results.top1[part], results.column("log_macs")[part]
        family = ranking.random_regrets(top1, macs) if score is None else ranking.regrets(score[part], top1, macs)
        lost.append(family.mean())
    return float(np.mean(lost))


def near_regret(score: Vector | None, results: Table) -> float:
    """The same among alike networks: one family, usual images, modern recipes, and nearly the budget's MACs."""
    alike = (results.legacy == 0) & (results.size == SIZE)
    macs, family = np.exp(results.column("log_macs")), np.array(results.family)
    lost = []
    for row in np.flatnonzero(alike):  # whose MACs are the budget
        near = alike & (family == family[row]) & (macs <= macs[row]) & (macs >= NEARLY * macs[row])
        top1 = results.top1[near]
        if len(top1) > 1:
            lost.append(top1.max() - (top1.mean() if score is None else top1[np.argmax(score[near])]))
    return float(np.mean(lost))


def _within(score: Vector, results: Table) -> float:
    return float(np.mean([ranking.tau(score[part], results.top1[part]) for part in _families(results)]))


def _families(results: Table) -> list[NDArray[np.intp]]:
    """The rows of every family of `FEWEST` results or more."""
    labels = np.array(results.family)
    parts = [np.flatnonzero(labels == family) for family in sorted(set(results.family))]
    return [part for part in parts if len(part) >= FEWEST]


def _residual(values: Vector, controls: Vector) -> Vector:
    """What a line in the controls (n, c) leaves of values (n,); rounded, so that nothing left is a tie."""
    design = np.column_stack([controls, np.ones(len(values))])
    return np.asarray(np.round(values - design @ np.linalg.lstsq(design, values, rcond=None)[0], 9))
