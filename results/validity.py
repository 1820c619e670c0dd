"""How far a score can be trusted on the user's data: what it ranks of the networks that were really trained there."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluators import Measurement, Metric
from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST
from results.store.record import Run, Trial
from search_spaces import Network

UNVALIDATED = "unvalidated on your data"

Pairs = Sequence[tuple[Network, Measurement]]


def shown(run: Run, metric: Metric) -> str:
    """The sentence that a page shows with an accuracy objective of a run."""
    return run.validity.get(metric.name, UNVALIDATED)


def of_prediction(metric: Metric, trials: Sequence[Trial]) -> str:
    """What the latest prediction of an accuracy says of its own validity; empty for other metrics."""
    predictions = [trial.measurements[metric.name] for trial in trials if metric.name in trial.measurements]
    if metric.kind != "predicted" or not predictions:
        return ""
    return predictions[-1].validity


def sentence(metric: Metric, values: Mapping[str, float], trained: Mapping[str, Pairs]) -> str:
    """How far an accuracy objective can be trusted, in a sentence without a full stop.

    `values` are the metric's own, by the id of a network; `trained` are the networks that were really trained, by
    context. The score is checked against the context with which it shares the most networks.
    """
    if metric.kind == "trained":
        return "reached by training"
    shared = [[(values[a.id], accuracy) for a, accuracy in pairs if a.id in values] for pairs in trained.values()]
    most = max(shared, key=len, default=[])
    if len(most) < FEWEST:
        return UNVALIDATED + (f" ({len(most)} real evaluations, {FEWEST} are needed)" if most else "")
    scores, accuracies = np.array([score for score, _ in most]), np.array([accuracy.value for _, accuracy in most])
    tau = ranking.tau_interval(scores, accuracies)
    fidelity = most[0][1].fidelity or most[0][1].metric.name
    return f"tau {tau} on {len(most)} real evaluations ({fidelity})"
