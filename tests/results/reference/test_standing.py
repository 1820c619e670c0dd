"""Where the user's device stands beside published ones: ratios, as text."""

from dataclasses import replace

from results.reference import standing
from tests import synthetic

PUBLISHED = (
    "published at 224 pixels: 1 : 1.36 : 1.69 on a T4, 1 : 1.29 : 1.57 on an iPhone 12 Pro Max, "
    "1 : 1.43 : 1.86 on a Core i7-12700H."
)


def test_the_ratios_of_the_run_stand_beside_published_ones() -> None:
    (sentence,) = standing.sentences(synthetic.typical())
    assert sentence == f"S : B : L is 1 : 1.40 [1.40, 1.40] : 1.80 [1.80, 1.80] here by ort; {PUBLISHED}"


def test_intervals_are_those_of_independent_errors() -> None:
    run = synthetic.run(synthetic.anchors())
    for trial, half in zip(run.trials, (1.0, 1.4, 0.0), strict=True):
        trial.measurements["ort"] = synthetic.measurement(synthetic.LATENCY, trial.value("ort"), half)
    (sentence,) = standing.sentences(run)
    assert "1.40 [1.36, 1.44] : 1.80 [1.76, 1.84]" in sentence


def test_nothing_is_said_where_a_network_lacks_a_measurement() -> None:
    run = synthetic.typical()
    assert standing.sentences(synthetic.run(run.trials[1:])) == []
    del run.trials[2].measurements["ort"]
    assert standing.sentences(run) == []


def test_a_prediction_is_no_measurement() -> None:
    predicted = vars(replace(synthetic.LATENCY, kind="predicted"))
    run = synthetic.run(synthetic.anchors(), objectives=[vars(synthetic.SCORE), predicted])
    assert standing.sentences(run) == []
