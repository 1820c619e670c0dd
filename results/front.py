"""The front: the networks that no other network beats, the hypervolume that they cover, and the knee.

Points are rows of objective values, (n, objectives); the direction of a metric says which way is better. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluators import Metric
from results.store.record import Run, Trial
from search_spaces import PAPER

Points = NDArray[np.float64]


def as_costs(points: Sequence[Sequence[float]], objectives: Sequence[Metric]) -> Points:
    """The points, (n, objectives), with signs such that lower is better in every column."""
    signs = [1.0 if metric.direction == "minimize" else -1.0 for metric in objectives]
    return np.array(points, dtype=float).reshape(-1, len(objectives)) * signs


def non_dominated(costs: Points) -> NDArray[np.bool_]:
    """Which rows, (n,), no other row dominates: as good in every column and better in one. Equal rows all stay."""
    keep = np.zeros(len(costs), dtype=bool)
    left = np.lexsort(costs.T[::-1])  # whatever dominates a row precedes it
    while len(left):
        row, keep[left[0]] = costs[left[0]], True
        rivals = costs[left[1:]]
        left = left[1:][(rivals < row).any(1) | (rivals == row).all(1)]
    return keep


def front(run: Run, trials: Sequence[Trial] | None = None) -> list[Trial]:
    """The run's non-dominated trials within its limits, the best by the first objective first."""
    trials = run.feasible() if trials is None else trials
    if not trials:
        return []
    costs = as_costs([run.point(trial) for trial in trials], run.objectives)
    members = np.flatnonzero(non_dominated(costs))
    return [trials[index] for index in members[np.lexsort(costs[members].T[::-1])]]


def plane(run: Run, y: Metric, x: Metric) -> tuple[Run, list[Trial]]:
    """The run as if these two metrics were its objectives, and its front: among the trials that have both."""
    two = replace(run, config={**run.config, "objectives": [vars(y), vars(x)]})
    return two, front(two, [trial for trial in run.feasible() if {x.name, y.name} <= trial.measurements.keys()])


def hypervolume(costs: Points, reference: Points) -> float:
    """The volume that the points dominate, bounded by the reference point, which is worse than all of them.

    Exact for any number of objectives, by slicing along the last one.
    """
    costs = costs[(costs < reference).all(1)]
    if not len(costs):
        return 0.0
    if costs.shape[1] == 1:
        return float(reference[0] - costs.min())
    if costs.shape[1] == 2:  # an area: the steps from left to right
        x, y = costs[np.argsort(costs[:, 0])].T
        return float(np.diff(x, append=reference[0]) @ (reference[1] - np.minimum.accumulate(y)))
    order = costs[np.argsort(costs[:, -1])]
    edges = np.append(order[:, -1], reference[-1])
    slices = (
        hypervolume(order[: count + 1, :-1], reference[:-1]) * (edges[count + 1] - edges[count])
        for count in range(len(order))
    )
    return float(sum(slices))


def knee(run: Run, trials: Sequence[Trial]) -> Trial | None:
    """The knee: the point farthest from the line between the front's ends, with objectives scaled to the front's range.

    None where the front has fewer than three points.
    """
    if len(trials) < 3:
        return None
    costs = as_costs([run.point(trial) for trial in trials], run.objectives)
    spread = np.ptp(costs, axis=0)
    scaled = (costs - costs.min(0)) / np.where(spread > 0, spread, 1)
    # In the unit box the ends lie on the plane sum(x) = 1; below it is better than a mixture of the ends.
    return trials[int(np.argmin(scaled.sum(1)))]


def relative_hypervolume(run: Run) -> float | None:
    """The front's hypervolume as a multiple of that of the anchors alone; None before an anchor was measured."""
    reference = reference_point(run)
    anchors = [trial for trial in run.succeeded() if trial.anchor]
    if reference is None or not anchors:
        return None
    ours, theirs = (
        hypervolume(as_costs([run.point(trial) for trial in trials], run.objectives), reference)
        for trials in (front(run), anchors)
    )
    return ours / theirs


def anchor_names(run: Run) -> str:
    """The anchors that were measured, for a sentence: those of the paper as such where all of them are there."""
    names = [trial.anchor for trial in run.succeeded() if trial.anchor]
    if set(PAPER) <= set(names):
        names = ["the paper's networks", *(name for name in names if name not in PAPER)]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def whose_anchors(run: Run) -> str:
    """Whose networks were measured as a yardstick: "the paper's", or "the anchors'" where others are among them."""
    return (
        "the paper's" if {trial.anchor for trial in run.succeeded() if trial.anchor} <= set(PAPER) else "the anchors'"
    )


def attainment(run: Run, reference: Points) -> list[float]:
    """The hypervolume after each trial of the run, feasible trials only."""
    costs, volumes = np.empty((0, len(run.objectives))), []
    volume = 0.0
    for trial in run.trials:
        if trial.state == "ok":
            point = as_costs([run.point(trial)], run.objectives)
            if not (costs <= point).all(1).any():
                costs = np.vstack([costs[(costs < point).any(1)], point])
                volume = hypervolume(costs, reference)
        volumes.append(volume)
    return volumes


def reference_point(run: Run) -> Points | None:
    """The reference point of hypervolumes: 10 % beyond the worst anchor in every objective.

    Falls back to the worst of all trials where no anchor was measured; None without any.
    """
    anchors = [trial for trial in run.succeeded() if trial.anchor] or run.succeeded()
    if not anchors:
        return None
    costs = as_costs([run.point(trial) for trial in anchors], run.objectives)
    worst, spread = costs.max(0), np.ptp(costs, axis=0)
    return np.asarray(worst + 0.1 * np.where(spread > 0, spread, np.abs(worst) + 1e-9))
