"""Candidates that a prediction leaves no prospect of the front are not measured, and shown as predicted."""

from dataclasses import replace

import numpy as np

from evaluators.prediction.latency_features import features
from nas.search.prospects import FEWEST, Prospects
from results.figures.pareto import pareto_figure, pareto_info
from results.front import front
from results.pages.columns import columns
from results.store.record import Run, Trial
from search_spaces import Architecture
from tests import synthetic
from tests.networks import random_networks


def latency(architecture: Architecture) -> float:
    """Milliseconds that are a sum over the network, as real ones nearly are."""
    return float(features(architecture, 224)[:4] @ np.array([1.0, 0.01, 0.5, 0.1]))


def measured(count: int, seed: int = 0) -> list[Trial]:
    networks = random_networks(count, seed=seed)
    return [
        replace(synthetic.trial(number, score=latency(network) ** 0.5, latency=latency(network)), architecture=network)
        for number, network in enumerate(networks)
    ]


def judged(trials: list[Trial], network: Architecture, accuracy: float) -> list[float]:
    run = synthetic.run(trials)
    return [each.value for each in Prospects().hopeless(run, trials, network, accuracy)]


def test_a_candidate_that_the_front_beats_at_any_likely_latency_is_predicted() -> None:
    trials, (network,) = measured(40), random_networks(1, seed=9)
    (value,) = judged(trials, network, accuracy=0.9 * latency(network) ** 0.5)
    assert abs(value / latency(network) - 1) < 0.05
    assert judged(trials, network, accuracy=1.1 * latency(network) ** 0.5) == []  # it may stand on the front


def test_nothing_is_ruled_out_before_there_is_something_to_learn_from() -> None:
    (network,) = random_networks(1, seed=9)
    assert judged(measured(FEWEST - 1), network, accuracy=0.0) == []


def predicted_run() -> Run:
    trials = measured(30)
    (network,) = random_networks(1, seed=9)
    run = synthetic.run(trials)
    (made,) = Prospects().hopeless(run, trials, network, 0.1)
    score = {"entropy": synthetic.measurement(synthetic.SCORE, 0.1)}
    further = Trial(number=30, architecture=network, state="predicted", measurements={**score, made.metric.name: made})
    return synthetic.run([*trials, further])


def test_a_prediction_is_never_shown_as_measured() -> None:
    run = predicted_run()
    assert 30 not in [trial.number for trial in front(run)]
    data = columns(run)
    assert data["predictions"] == {"ort": "ort:predicted"}
    assert data["metrics"]["ort:predicted"]["kind"] == "predicted"
    assert data["numbers"][-1] == 30
    figure = pareto_figure(pareto_info(run))
    (trace,) = (trace for trace in figure.data if trace.name == "predicted, not measured")
    assert list(trace.customdata) == [30]
    assert all(30 not in list(other.customdata or ()) for other in figure.data if other is not trace)
