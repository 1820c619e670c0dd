"""What trainings say of claims: the rules, on planted differences, and a whole answer."""

from math import inf

import pytest

import evaluators
from evaluators.statistics.paired import Difference
from nas.claims.rediscovery import Judged
from nas.claims.trained import TRAINED, Rule, finding, little, no_better, one_is_better, pairs_needed, worse
from results.strategies.report import Answer, Standing


def difference(low: float, high: float, *, needed: int = 0) -> Difference:
    return Difference(
        value=(low + high) / 2 if high < inf else 0.0,
        low=low,
        high=high,
        pairs=9,
        told_apart=low > 0 or high < 0,
        pairs_needed=needed,
    )


BETTER, WORSE, OPEN, EQUAL = difference(1, 3), difference(-3, -1), difference(-2, 2), difference(-0.5, 0.5)


@pytest.mark.parametrize(
    ("rule", "found", "holds"),
    [
        (worse, [WORSE, WORSE], True),
        (worse, [WORSE, OPEN], None),
        (worse, [WORSE, BETTER], False),
        (one_is_better, [WORSE, BETTER], True),
        (one_is_better, [WORSE, WORSE], False),
        (one_is_better, [WORSE, OPEN], None),
        (no_better, [WORSE], True),
        (no_better, [EQUAL], True),
        (no_better, [BETTER], False),
        (no_better, [OPEN], None),
        (little, [EQUAL], True),
        (little, [difference(1.5, 3)], False),
        (little, [difference(-3, -1.5)], False),
        (little, [OPEN], None),
        (little, [difference(-inf, inf)], None),
    ],
)
def test_rules(rule: Rule, found: list[Difference], holds: bool | None) -> None:
    assert rule(found) is holds
    assert rule([]) is None


def answer(**differences: Difference) -> Answer:
    standings = [
        Standing(name=name.replace("_", " "), entries=(), difference=each) for name, each in differences.items()
    ]
    return Answer(name="ratio", text="?", reference="CHHH", standings=(*standings, Standing(name="CHHH", entries=())))


def test_a_whole_answer() -> None:
    prediction = TRAINED[2, "trained"]
    found = finding(prediction, "HHHH is worse", answer(HHHH=WORSE, CCCC=BETTER), "%")
    assert found.holds and [number.name for number in found.numbers] == ["HHHH over CHHH"]
    assert (found.numbers[0].value, found.numbers[0].n) == (-2, 9)


def test_nothing_is_concluded_where_the_judge_is_unfit_or_a_strategy_lacks() -> None:
    prediction = TRAINED[2, "trained"]
    unfit = finding(prediction, "HHHH is worse", answer(HHHH=WORSE), "%", problem="they have not learnt")
    assert unfit.holds is None and unfit.numbers and unfit.remark == "they have not learnt"
    lacking = finding(prediction, "HHHH is worse", answer(CCCC=WORSE), "%")
    assert lacking.holds is None and "not compared: HHHH" in lacking.remark


def test_how_many_pairs_it_would_take() -> None:
    prediction = TRAINED[2, "trained"]
    assert pairs_needed(prediction, answer(HHHH=difference(-2, 2, needed=40))).startswith("40 pairs")
    assert pairs_needed(prediction, answer(HHHH=OPEN)) == ""


def test_a_judge_says_how_far_it_can_be_trusted() -> None:
    train = evaluators.get("train:data=digits,epochs=3,seeds=2", "accuracy")
    learnt, begun = Judged(judge=train, skills=(0.5, 0.9)), Judged(judge=train, skills=(0.1, 0.9))
    assert "digits, all images, 64 px, 3 epochs, 2 seeds; skill above chance 0.50 to 0.90" in learnt.validity
    assert not learnt.unfit and "hardly begun to learn" in begun.unfit
    assert Judged(judge=train).unfit, "no result was stored"
    published = Judged(judge=evaluators.get("published", "accuracy"), sentence="an error of 1.3 points")
    assert published.validity == "published: an error of 1.3 points" and not published.unfit
