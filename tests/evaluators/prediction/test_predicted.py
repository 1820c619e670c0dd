"""A predicted latency: labelled as such everywhere, and refused without measurements."""

import numpy as np
import pytest

import evaluators
from evaluators.prediction.latency_predictor import Predictor
from evaluators.prediction.predicted import Knowledge, Predicted
from evaluators.workers.bench import Bench
from search_spaces.common.errors import Unavailable, UsageError
from tests.evaluators.prediction.conftest import NETWORKS
from tests.synthetic import LATENCY, measurement


def knowing(device: np.ndarray) -> Predicted:
    evaluator = evaluators.get("ort:predicted")
    assert isinstance(evaluator, Predicted)
    known = Knowledge(
        context="0123456789abcdef",
        networks=tuple(each.id for each in NETWORKS[:40]),
        example=measurement(LATENCY, 40.0),
        predictor=Predictor(NETWORKS[:40], device[:40], 224),
    )
    return Predicted(inner=evaluator.inner, knowledge=known)


def test_a_prediction_is_labelled_wherever_it_goes(device: np.ndarray) -> None:
    evaluator = knowing(device)
    with Bench() as bench:
        found = bench.measure(evaluator, NETWORKS[60])
    assert found.metric.name == evaluator.spec == "ort:predicted"
    assert found.metric.kind == found.quality == "predicted"
    assert found.low < found.value < found.high
    assert found.protocol["predicted_from"] == "0123456789abcdef"
    assert found.samples == 40
    assert any("not measured" in warning for warning in found.warnings)
    assert found.context == evaluator.context() != evaluator.inner.context()


def test_without_measurements_there_is_no_prediction() -> None:
    evaluator = evaluators.get("coreml:predicted")
    with pytest.raises(Unavailable, match="coreml:predicted has learnt from no measurements"):
        evaluator.measure(NETWORKS[0])


@pytest.mark.parametrize("spec", ["ort:predicted", "ort:threads=2,predicted", "coreml:predicted=a1b2c3"])
def test_its_spec_is_read_back(spec: str) -> None:
    assert evaluators.get(spec).spec == spec


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ort:predicted@ssh:mac", "a prediction is made here"),
        ("entropy:predicted", "only latencies are measured at another location, or predicted"),
    ],
)
def test_a_prediction_of_what_cannot_be_is_refused(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)
