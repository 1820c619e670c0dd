"""The strategies that are compared, by the question that they answer; each question has Next-ViT among its answers.

The questions are those of the paper's ablations (section 4.4 of arXiv 2207.05501).
"""

from dataclasses import dataclass

from search_spaces.common.errors import UnknownName
from search_spaces.strategies.strategy import Strategy
from search_spaces.zoo import KINDS

NEXT_VIT = Strategy(name="CHHH")
RATIOS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, with the strategies that may be its answer. `unseen` says why `published` cannot answer it."""

    name: str
    text: str
    strategies: tuple[Strategy, ...]
    unseen: str = ""


QUESTIONS = (
    Question(
        name="stages",
        text="In which stages do transformers belong?",
        strategies=tuple(
            Strategy(name=stages, stages=stages)
            for stages in ("CCCC", "CCCT", "CCTT", "CTTT", "TTTT", "CCCH", "CCHH", "CHHH", "HHHH")
        ),
    ),
    Question(
        name="place",
        text="Where in its group does the transformer belong?",
        strategies=(
            Strategy(name="start of the group", place="start"),
            Strategy(name="middle of the group", place="middle"),
            NEXT_VIT,
        ),
        unseen="its features do not say where in a stage a transformer stands",
    ),
    Question(
        name="groups",
        text="How many convolution blocks for each transformer in stage 3?",
        strategies=tuple(
            NEXT_VIT if convs == NEXT_VIT.convs else Strategy(name=f"N = {convs}", convs=convs)
            for convs in range(1, 10)
        ),
    ),
    Question(
        name="ratio",
        text="What share of a transformer block should be attention (r)?",
        strategies=tuple(
            NEXT_VIT if ratio == NEXT_VIT.ratio else Strategy(name=f"r = {ratio:g}", ratio=ratio) for ratio in RATIOS
        ),
        unseen="its table holds no networks that differ in r alone",
    ),
    Question(
        name="norm",
        text="Batch norm and ReLU, or layer norm and GELU?",
        strategies=(
            NEXT_VIT,
            Strategy(name="layer norm", changes={"normalization": "layer"}),
            Strategy(name="GELU", changes={"activation": "gelu"}),
            Strategy(name="layer norm and GELU", changes={"normalization": "layer", "activation": "gelu"}),
        ),
    ),
    Question(
        name="order",
        text="Does attention or convolution come first in a transformer block?",
        strategies=(NEXT_VIT, Strategy(name="convolution first", changes={"transformer_order": "convolution-first"})),
        unseen="its features do not say in which order a block's parts run",
    ),
    Question(
        name="pooling",
        text="Are keys and values averaged in rows or in squares?",
        strategies=(NEXT_VIT, Strategy(name="squares", changes={"attention_pooling": "squares"})),
        unseen="its features do not say how keys and values are averaged",
    ),
    Question(
        name="blocks",
        text="Which block belongs in the place of NCB?",
        strategies=(
            NEXT_VIT,
            *(Strategy(name=kind.__name__.rpartition(".")[2], block=letter) for letter, kind in KINDS.items()),
        ),
    ),
)


def chosen(names: tuple[str, ...]) -> tuple[Question, ...]:
    """The questions of these names, in the order of the catalogue; all of them if none is named.

    Raises:
        UnknownName: there is no such question.
    """
    known = {question.name: question for question in QUESTIONS}
    for name in names:
        if name not in known:
            raise UnknownName("question", name, known)
    return tuple(question for question in QUESTIONS if not names or question.name in names)
