"""The answer of an experiment with strategies, in words and as JSON."""

import json

import numpy as np
import pytest

from evaluators.statistics.paired import differences
from results.strategies.report import Answer, Standing


def answer(values: dict[str, list[float]]) -> Answer:
    compared = differences(values, "CHHH")
    standings = [
        Standing(name=name, entries=(), value=float(np.mean(values[name])), difference=compared.get(name))
        for name in values
    ]
    return Answer(name="stages", text="Where?", reference="CHHH", standings=tuple(standings))


def test_it_says_which_difference_would_have_been_told_apart() -> None:
    said = answer({"CHHH": [60.0, 62.0, 61.0], "CCCC": [60.3, 61.9, 61.4], "TTTT": [59.9, 62.4, 60.7]}).sentence
    assert said.startswith("No strategy can be told apart from CHHH; in 8 of 10 such experiments, a difference of ")
    assert "would need" in said and "pairs of trainings instead of 3" in said


def test_differences_are_told_apart() -> None:
    said = answer({"CHHH": [60.0, 62.0, 61.0], "CCCC": [63.1, 65.0, 64.0], "TTTT": [50.1, 52.0, 51.1]}).sentence
    assert said == "Than CHHH, CCCC is better and TTTT is worse."


def test_a_single_pair_is_json_without_infinity() -> None:
    single = answer({"CHHH": [60.0], "CCCC": [63.1]})
    assert "no strategy" in single.sentence.lower()
    plain = json.loads(json.dumps([each.to_dict() for each in single.standings], allow_nan=False))
    assert plain[1]["difference"]["low"] is None
    assert plain[1]["difference"]["value"] == pytest.approx(3.1)
