"""How far a prediction from published networks can be trusted: every family predicted from the others.

A network of a left-out family is predicted from the recipe that it was trained by, its size and its shape. Intervals
are over families: they say how far the figures would vary with other families of networks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.prediction.published_features import SIZE
from evaluators.prediction.published_prediction import FACTOR, known
from evaluators.prediction.published_process import PRIOR, SIZE_LINE, Process, Vector, to_percent, to_y
from evaluators.prediction.published_table import Table
from evaluators.statistics import groups, ranking
from evaluators.statistics.ranking import Interval

FEWEST = 5  # results of a family within which a ranking is counted
NEARLY = 0.8  # the least share of a budget that is nearly all of it


@dataclass(frozen=True, kw_only=True)
class Check:
    """How well a score ranks published results, and what is lost by choosing by it. None: it predicts no accuracy."""

    name: str
    tau: Interval
    partial_tau: Interval  # given MACs and parameters
    within_family: Interval  # the mean tau of the families with `FEWEST` results or more
    regret: Interval  # points of top-1 lost at a budget of MACs, within a family
    near_regret: Interval  # the same among networks that are alike but for their shape
    error: Interval | None = None  # mean absolute, in points
    coverage: Interval | None = None  # share of the results within their intervals


def check(results: Table) -> list[Check]:
    """The checks of counts, of the size line and of the prediction, and of random choice as the last one."""
    line, _ = Process(known(results), results.top1, SIZE_LINE).left_out(results.family)
    mean, spread = Process(known(results), results.top1, PRIOR).left_out(results.family)
    covered = (np.abs(to_y(results.top1) - mean) <= FACTOR * spread).astype(float)
    checks = [
        _check("MACs", results.column("log_macs"), results),
        _check("params", results.column("log_params"), results),
        _check("size line and recipe", line, results, predicted=line),
        _check("mean", mean, results, predicted=mean, covered=covered),
        _check("lower bound", mean - FACTOR * spread, results),
    ]
    none = Interval(value=0.0, low=0.0, high=0.0)
    chance = Check(
        name="random",
        tau=none,
        partial_tau=none,
        within_family=none,
        regret=regret(None, results),
        near_regret=near_regret(None, results),
    )
    return [*checks, chance]


def _check(
    name: str, score: Vector, results: Table, *, predicted: Vector | None = None, covered: Vector | None = None
) -> Check:
    score = np.round(score, 9)  # equal predictions are ties, whatever the linear algebra's rounding
    controls = np.column_stack([results.column("log_macs"), results.column("log_params")])
    left, truth = _residual(score, controls), _residual(to_y(results.top1), controls)
    errors = None if predicted is None else np.abs(to_percent(predicted) - results.top1)
    return Check(
        name=name,
        tau=groups.tau_interval(score, results.top1, results.family),
        partial_tau=groups.tau_interval(left, truth, results.family),
        within_family=_within(score, results),
        regret=regret(score, results),
        near_regret=near_regret(score, results),
        error=None if errors is None else groups.mean_interval(errors, results.family),
        coverage=None if covered is None else groups.mean_interval(covered, results.family),
    )


def regret(score: Vector | None, results: Table) -> Interval:
    """The regret at ten budgets of MACs, as `ranking.regrets` has it, in every family; of a random choice for None."""
    lost: dict[str, float] = {}
    for name, part in _families(results).items():
        top1, macs = results.top1[part], results.column("log_macs")[part]
        family = ranking.random_regrets(top1, macs) if score is None else ranking.regrets(score[part], top1, macs)
        lost[name] = float(family.mean())
    return groups.mean_interval(np.array(list(lost.values())), list(lost))


def near_regret(score: Vector | None, results: Table) -> Interval:
    """The same among alike networks: one family, usual images, modern recipes, and nearly the budget's MACs."""
    alike = (results.legacy == 0) & (results.size == SIZE)
    macs, family = np.exp(results.column("log_macs")), np.array(results.family)
    lost, families = [], []
    for row in np.flatnonzero(alike):  # whose MACs are the budget
        near = alike & (family == family[row]) & (macs <= macs[row]) & (macs >= NEARLY * macs[row])
        top1 = results.top1[near]
        if len(top1) > 1:
            chosen = top1 if score is None else top1[score[near] == score[near].max()]  # of ties, one at random
            lost.append(top1.max() - chosen.mean())
            families.append(results.family[row])
    return groups.mean_interval(np.array(lost), families)


def _within(score: Vector, results: Table) -> Interval:
    families = _families(results)
    taus = [ranking.tau(score[part], results.top1[part]) for part in families.values()]
    return groups.mean_interval(np.array(taus), list(families))


def _families(results: Table) -> dict[str, NDArray[np.intp]]:
    """The rows of every family of `FEWEST` results or more."""
    labels = np.array(results.family)
    parts = {family: np.flatnonzero(labels == family) for family in sorted(set(results.family))}
    return {family: part for family, part in parts.items() if len(part) >= FEWEST}


def _residual(values: Vector, controls: Vector) -> Vector:
    """What a line in the controls (n, c) leaves of values (n,); rounded, so that nothing left is a tie."""
    design = np.column_stack([controls, np.ones(len(values))])
    return np.asarray(np.round(values - design @ np.linalg.lstsq(design, values, rcond=None)[0], 9))
