"""Hybrid strategies: Next-ViT is one of them, and each builds networks of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.counts.formula import total
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import InvalidArchitecture, UnknownName
from search_spaces.strategies.catalogue import NEXT_VIT, QUESTIONS, Question, chosen
from search_spaces.strategies.strategy import SCALINGS, Strategy, check_scalings, neighbours

EVERY = [strategy for question in QUESTIONS for strategy in question.strategies]


def test_the_paper_s_networks_are_its_strategy_at_two_depths() -> None:
    assert NEXT_VIT.network(SCALINGS["as-s"], 1.0) == PAPER["next-vit-s"]
    assert NEXT_VIT.network(SCALINGS["as-b"], 1.0) == PAPER["next-vit-b"]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_question_has_different_answers_and_next_vit_among_them(question: Question) -> None:
    assert NEXT_VIT in question.strategies
    built = [strategy.network(SCALINGS["as-s"], 1.5) for strategy in question.strategies]
    assert len(set(built)) == len(built)
    assert len({strategy.name for strategy in question.strategies}) == len(built)


@pytest.mark.parametrize("strategy", EVERY, ids=lambda strategy: strategy.name)
@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_strategy_builds_networks_of_many_widths(strategy: Strategy, scaling: str) -> None:
    networks = strategy.networks(SCALINGS[scaling])
    assert len(networks) > 30
    assert len({str(network) for network in networks}) == 1, "they differ in width alone"


def test_transformers_stand_where_the_name_says() -> None:
    blocks = {place: Strategy(name=place, place=place).blocks(2, 10) for place in ("start", "middle", "end")}  # type: ignore[arg-type]
    assert blocks == {"start": "TCCCCTCCCC", "middle": "CCTCCCCTCC", "end": "CCCCTCCCCT"}
    assert Strategy(name="", convs=9).blocks(2, 10) == "CCCCCCCCCT"
    assert Strategy(name="", stages="CCTT").network(SCALINGS["as-s"], 1.0).stages[3].blocks == "TTT"


@given(st.sampled_from(EVERY), st.sampled_from(sorted(SCALINGS)), st.floats(0.25, 4))
def test_neighbours_differ_in_one_width(strategy: Strategy, scaling: str, width: float) -> None:
    try:
        network = strategy.network(SCALINGS[scaling], width)
    except InvalidArchitecture:
        return
    for other in neighbours(network):
        assert str(other) == str(network)
        assert _changed_widths(network, other) == 1


def _changed_widths(one: Architecture, other: Architecture) -> int:
    pairs = zip(one.stages, other.stages, strict=True)
    widths = ("conv_width", "transformer_width", "zoo_widths")
    return sum(getattr(a, name) != getattr(b, name) for a, b in pairs for name in widths)


def test_tiny_networks_are_small_enough_for_a_cpu() -> None:
    """At 64 pixels: a third of the work of the narrowest networks with the paper's stem."""
    tiny, shallow = (NEXT_VIT.networks(SCALINGS[name])[0] for name in ("tiny", "shallow"))
    assert total(tiny, 64).all_macs < 0.3 * total(shallow, 64).all_macs
    assert check_scalings(()) == ("shallow", "as-s", "as-b"), "only where asked for"


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no question is called 'stage'") as refused:
        chosen(("stage",))
    assert "did you mean 'stages'" in refused.value.hint
    with pytest.raises(UnknownName, match="no scaling is called 'as-l'"):
        check_scalings(["as-l"])
