"""What a measurement says through its properties, from the plain data that is stored."""

import json

import pytest

import evaluators
from evaluators.core.measurement import Further, Measurement, SharedDetails, further_key
from search_spaces import PAPER

STORED = evaluators.get("params").measure(PAPER["next-vit-s"]).to_dict()


def stored(**fields: object) -> Measurement:
    """A measurement as it comes back from the database."""
    return Measurement.from_dict(json.loads(json.dumps({**STORED, **fields})))


def test_time_shares_and_further_metrics_are_distinguished() -> None:
    secondary = {further_key("head", "%"): 1.5, further_key("stem", "%"): 98.5, further_key("top-5", "%"): 80.0}
    assert list(secondary) == ["head [%]", "stem [%]", "top-5 [%]"]
    measurement = stored(secondary=secondary)
    assert list(measurement.time_shares.items()) == [("stem", 98.5), ("head", 1.5)]
    assert measurement.further == (Further(name="top-5", unit="%", value=80.0),)


def test_a_further_metric_without_a_unit_is_still_read() -> None:
    assert stored(secondary={"rank": 2.0}).further == (Further(name="rank", unit="", value=2.0),)


def test_shared_details_are_properties() -> None:
    details = SharedDetails(
        fidelity="digits, 9 epochs",
        skill=0.4,
        best={"top1": 91.0, "epoch": 7},
        upper=95.0,
        validity={"sentence": "checked"},
    )
    measurement = stored(details={**details, "seconds": 3})
    assert (measurement.fidelity, measurement.skill) == ("digits, 9 epochs", 0.4)
    assert (measurement.best_epoch, measurement.upper, measurement.validity) == ((7, 91.0), 95.0, "checked")


def test_what_an_evaluator_does_not_say_is_none() -> None:
    measurement = stored(details={})
    assert (measurement.fidelity, measurement.skill) == (None, None)
    assert (measurement.best_epoch, measurement.upper, measurement.validity) == (None, None, "")


@pytest.mark.parametrize(("low", "at_chance"), [(9.0, True), (10.0, True), (11.0, False)])
def test_a_trained_accuracy_is_at_chance_where_its_interval_reaches_it(low: float, at_chance: bool) -> None:
    """A skill of 0.1 at 19 % means that guessing reaches 10 %."""
    metric = {**STORED["metric"], "kind": "trained"}
    assert stored(metric=metric, value=19.0, low=low, high=29.0, details={"skill": 0.1}).is_at_chance is at_chance
