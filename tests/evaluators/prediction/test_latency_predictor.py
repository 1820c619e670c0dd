"""The predictor: what it learns from, how wide its intervals are, and that its numbers never pass for measured ones."""

import numpy as np
import pytest

from evaluators.prediction.latency_predictor import Predictor, TooFewMeasurements
from tests.evaluators.prediction.conftest import NETWORKS, latency


def test_it_predicts_networks_that_it_has_not_seen(device: np.ndarray) -> None:
    predictor = Predictor(NETWORKS[:40], device[:40], 224)
    predictions = np.array([predictor.predict(each).value for each in NETWORKS[40:]])
    assert np.abs(predictions / device[40:] - 1).mean() < 0.04
    held = predictor.held_out()
    assert held.measurements == 40
    assert held.mean_error < 0.05
    assert held.spearman > 0.98


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.1])
def test_an_interval_holds_as_often_as_it_says(noise: float) -> None:
    kept = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = np.array([latency(each, rng, noise) for each in NETWORKS])
        predictor = Predictor(NETWORKS[:40], truth[:40], 224)
        found = [predictor.predict(each, 0.9) for each in NETWORKS[40:]]
        kept += [each.low <= value <= each.high for each, value in zip(found, truth[40:], strict=True)]
    assert 0.82 <= np.mean(kept) <= 0.98


def test_more_certainty_is_a_wider_interval(device: np.ndarray) -> None:
    predictor = Predictor(NETWORKS[:40], device[:40], 224)
    narrow, wide = (predictor.predict(NETWORKS[50], level) for level in (0.5, 0.95))
    assert wide.low < narrow.low <= narrow.value <= narrow.high < wide.high


def test_it_is_deterministic(device: np.ndarray) -> None:
    one, other = (Predictor(NETWORKS[:30], device[:30], 224).predict(NETWORKS[50]) for _ in range(2))
    assert one == other


def test_below_twenty_measurements_it_says_nothing(device: np.ndarray) -> None:
    with pytest.raises(TooFewMeasurements, match="needs 20 measured networks, and there are 19"):
        Predictor(NETWORKS[:19], device[:19], 224)
