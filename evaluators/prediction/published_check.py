"""How far a prediction from published networks can be trusted: every family predicted from the others.

A network of a left-out family is predicted from the recipe that it was trained by, its size and its shape.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.prediction.published_prediction import FACTOR, known
from evaluators.prediction.published_process import PRIOR, SIZE_LINE, Process, Vector, to_percent, to_y
from evaluators.prediction.published_table import Table
from evaluators.statistics.ranking import tau

FEWEST = 5  # results of a family within which a ranking is counted
WINDOW = 0.5  # a candidate at a budget has at least this share of its MACs


@dataclass(frozen=True, kw_only=True)
class Check:
    """How well a score ranks published results, and what is lost by choosing by it. None: it predicts no accuracy."""

    name: str
    tau: float
    partial_tau: float  # given MACs and parameters
    within_family: float  # the mean tau of the families with `FEWEST` results or more
    regret: float  # points of top-1 lost at a budget of MACs
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
    chance = dict.fromkeys(("tau", "partial_tau", "within_family"), 0.0)
    return [*map(asdict, checks), asdict(Check(name="random", regret=regret(None, results), **chance))]


def _check(
    name: str, score: Vector, results: Table, *, predicted: Vector | None = None, coverage: float | None = None
) -> Check:
    controls = np.column_stack([results.column("log_macs"), results.column("log_params")])
    return Check(
        name=name,
        tau=tau(score, results.top1),
        partial_tau=tau(_residual(score, controls), _residual(to_y(results.top1), controls)),
        within_family=_within(score, results),
        regret=regret(score, results),
        error=None if predicted is None else float(np.abs(to_percent(predicted) - results.top1).mean()),
        coverage=coverage,
    )


def regret(score: Vector | None, results: Table) -> float:
    """The mean over budgets of the best top-1 minus that of the network of highest score; of a random one for None.

    Every network's MACs are a budget. Its candidates are the networks of `WINDOW` to all of it, each architecture with
    its best result.
    """
    best = best_results(results)
    macs, top1 = np.exp(results.column("log_macs")[best]), results.top1[best]
    lost = []
    for budget in macs:
        (near,) = np.nonzero((macs <= budget) & (macs >= WINDOW * budget))
        got = top1[near].mean() if score is None else top1[near[np.argmax(score[best][near])]]
        lost.append(top1[near].max() - got)
    return float(np.mean(lost))


def best_results(results: Table) -> NDArray[np.intp]:
    """The row of the best result of every architecture, in the order of the table."""
    best: dict[str, int] = {}
    for row, architecture in enumerate(results.architecture):
        if architecture not in best or results.top1[row] > results.top1[best[architecture]]:
            best[architecture] = row
    return np.array(sorted(best.values()))


def _within(score: Vector, results: Table) -> float:
    labels = np.array(results.family)
    families: Sequence[str] = sorted(set(results.family))
    parts = [np.flatnonzero(labels == family) for family in families]
    return float(np.mean([tau(score[part], results.top1[part]) for part in parts if len(part) >= FEWEST]))


def _residual(values: Vector, controls: Vector) -> Vector:
    """What a line in the controls (n, c) leaves of values (n,); rounded, so that nothing left is a tie."""
    design = np.column_stack([controls, np.ones(len(values))])
    return np.asarray(np.round(values - design @ np.linalg.lstsq(design, values, rcond=None)[0], 9))
