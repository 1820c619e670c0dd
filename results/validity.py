"""How far a score can be trusted on the user's data: what it ranks of the networks that were really trained there."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluators import Measurement, Metric
from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST
from results.store.record import Trial
from search_spaces import Architecture

UNVALIDATED = "unvalidated on your data"

Pairs = Sequence[tuple[Architecture, Measurement]]


def told(metric: Metric, trials: Sequence[Trial]) -> str:
    """What a predicted accuracy says of itself; nothing for others."""
    found = [trial.measurements[metric.name] for trial in trials if metric.name in trial.measurements]
    if metric.kind != "predicted" or not found:
        return ""
    return found[-1].validity


def sentence(metric: Metric, values: Mapping[str, float], trained: Mapping[str, Pairs]) -> str:
    """What is to be said beside a metric of accuracy: `values` are the metric's own, by a network's id; `trained` are
    the real evaluations, by context. Checked against the fidelity that shares the most networks."""
    if metric.kind == "trained":
        return "reached by training"
    shared = [[(values[a.id], found) for a, found in pairs if a.id in values] for pairs in trained.values()]
    most = max(shared, key=len, default=[])
    if len(most) < FEWEST:
        return UNVALIDATED + (f" ({len(most)} real evaluations, {FEWEST} are needed)" if most else "")
    told, truth = np.array([value for value, _ in most]), np.array([found.value for _, found in most])
    tau = ranking.tau_interval(told, truth)
    fidelity = most[0][1].fidelity or most[0][1].metric.name
    return f"tau {tau} on {len(most)} real evaluations ({fidelity})"
