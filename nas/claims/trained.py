"""What trainings say of claims: which differences between strategies, at one latency, a claim predicts.

Differences are to Next-ViT's strategy (CHHH, N = 4, r = 0.75, attention first), in pairs of equal depth and seed; they
count only where their interval, widened for the number of strategies, tells them apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluators.statistics.paired import Difference
from results.claims.claim import Kind
from results.reference.claims import Finding
from results.reference.comparisons import Number
from results.strategies.report import Answer

MARGIN = 1.0  # points: a smaller difference is called little
Differences = Sequence[Difference]
Rule = Callable[[Differences], bool | None]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a claim predicts of some strategies of a question. `published` may be asked where it can see them."""

    question: str
    strategies: tuple[str, ...]
    rule: Rule
    seen: bool = False  # by published networks


def worse(found: Differences) -> bool | None:
    """Whether all are worse than Next-ViT's; False where one is better."""
    if any(each.told_apart and each.value > 0 for each in found):
        return False
    return True if found and all(each.told_apart for each in found) else None


def one_is_better(found: Differences) -> bool | None:
    """Whether one is better than Next-ViT's; False where all are worse."""
    if any(each.told_apart and each.value > 0 for each in found):
        return True
    return False if found and all(each.told_apart for each in found) else None


def no_better(found: Differences) -> bool | None:
    """Whether none is better by a point; False where one is told apart as better."""
    if any(each.told_apart and each.value > 0 for each in found):
        return False
    return True if found and all(each.high < MARGIN for each in found) else None


def little(found: Differences) -> bool | None:
    """Whether all are within a point of Next-ViT's; False where one is beyond it."""
    if any(each.low > MARGIN or each.high < -MARGIN for each in found):
        return False
    return True if found and all(each.low > -MARGIN and each.high < MARGIN for each in found) else None


LATE = ("CCCT", "CCTT", "CCCH", "CCHH")
TRAINED: Mapping[tuple[int, Kind], Prediction] = {
    (1, "trained"): Prediction(question="stages", strategies=("CCCT",), rule=little, seen=True),
    (1, "dense"): Prediction(question="stages", strategies=("CCCT",), rule=worse),
    (2, "trained"): Prediction(question="stages", strategies=("HHHH",), rule=worse, seen=True),
    (3, "trained"): Prediction(question="place", strategies=("start of the group", "middle of the group"), rule=worse),
    (4, "trained"): Prediction(question="groups", strategies=("N = 9",), rule=worse, seen=True),
    (5, "trained"): Prediction(question="ratio", strategies=("r = 0", "r = 1"), rule=worse),
    (6, "trained"): Prediction(question="norm", strategies=("layer norm and GELU",), rule=no_better),
    (7, "trained"): Prediction(
        question="blocks", strategies=("bottleneck", "convnext", "poolformer", "windows"), rule=worse
    ),
    (8, "trained"): Prediction(question="order", strategies=("convolution first",), rule=worse),
    (16, "trained"): Prediction(question="pooling", strategies=("squares",), rule=little),
    (17, "trained"): Prediction(question="stages", strategies=LATE, rule=one_is_better, seen=True),
    (17, "dense"): Prediction(question="stages", strategies=LATE, rule=worse),
}


def finding(prediction: Prediction, states: str, answer: Answer, unit: str, problem: str = "") -> Finding:
    """What an answer says of a prediction; nothing where there is a problem with its judge, or a strategy lacks."""
    found = {each.name: each.difference for each in answer.standings if each.difference}
    mine = {name: each for name in prediction.strategies if (each := found.get(name))}
    missing = [name for name in prediction.strategies if name not in mine]
    remarks = [problem, f"not compared: {', '.join(missing)}" if missing else ""]
    return Finding(
        claim=states,
        holds=None if problem or missing else prediction.rule(list(mine.values())),
        numbers=tuple(_number(f"{name} over {answer.reference}", unit, each) for name, each in mine.items()),
        remark="; ".join(filter(None, remarks)),
    )


def pairs_needed(prediction: Prediction, answer: Answer) -> str:
    """How many pairs of trainings would tell the largest of the differences apart, if it is one; may be empty."""
    found = [each.difference for each in answer.standings if each.name in prediction.strategies and each.difference]
    wanted = [each for each in found if each.pairs_needed > each.pairs]
    if not wanted:
        return ""
    most = max(wanted, key=lambda each: each.pairs_needed)
    return f"{most.pairs_needed} pairs of trainings instead of {most.pairs}: more --seeds"


def _number(name: str, unit: str, difference: Difference) -> Number:
    return Number(
        name=name, value=difference.value, unit=unit, low=difference.low, high=difference.high, n=difference.pairs
    )
