"""The space of every order of blocks: what it holds, what it refuses, and its size."""

import itertools
import math
from dataclasses import replace

import optuna
import pytest

from search_spaces import PAPER, Architecture, Stage, free, nhs
from search_spaces.common import contract
from search_spaces.common.errors import InvalidArchitecture


def test_free_holds_every_network_of_nhs() -> None:
    for network in (*PAPER.values(), *contract.draw(nhs, 200)):
        assert free.suggest(optuna.trial.FixedTrial(free.params(network))) == network


def test_free_holds_orders_that_nobody_named_and_counts_from_the_end() -> None:
    network = Architecture.from_notation("TCCT-CTTC-TCCTTC-TC")
    params = free.params(network)
    assert [params[f"stage3.last{place}"] for place in range(1, 8)] == ["C", "T", "T", "C", "C", "T", "C"]
    assert params["stage3.depth"] == 6
    assert free.suggest(optuna.trial.FixedTrial(params)) == network


def stages(choices: free.Choices) -> set[Stage]:
    """The stages of every choice, the slow way: each one built, equal ones struck out."""
    return {
        Stage(
            blocks="".join(reversed(kinds[:depth])),
            conv_width=conv,
            transformer_width=transformer,
            mix_block_ratio=ratio,
            sr_ratio=choices.sr_ratios[0],
        )
        for depth in choices.depths
        for kinds in itertools.product(*choices.kinds)
        for conv, transformer in itertools.product(choices.conv_widths, choices.transformer_widths)
        for ratio in choices.ratios
    }


def test_free_counts_different_networks() -> None:
    """The third stage is too large to be built: its count is held to the same formula by a smaller one."""
    first = free.STAGES[0]
    small = replace(first, kinds=first.kinds[:4], depths=(1, 2, 4))
    assert small.size() == len(stages(small))
    some = replace(small, kinds=(("T",), free.KINDS, ("T",), free.KINDS), conv_widths=(96,), ratios=(0.0, 0.75))
    assert some.size() == len(stages(some))
    none = replace(small, kinds=(("C",),) * 4)
    assert none.size() == 3 * 3
    third = 2**31 - 2 - 60  # sequences of both kinds, of 1 to 30 blocks
    assert free.STAGES[2].size() == 30 * 5 + 30 * 25 + third * 125
    assert free.size() == math.prod(choices.size() for choices in free.STAGES)


@pytest.mark.parametrize(
    ("stage", "field"),
    [
        (Stage(blocks="C" * 9, conv_width=192), "blocks"),
        (Stage(blocks="CTC", conv_width=160, transformer_width=256, mix_block_ratio=0.75, sr_ratio=4), "conv_width"),
        (Stage(blocks="TC", conv_width=192, transformer_width=256, mix_block_ratio=0.75, sr_ratio=2), "sr_ratio"),
    ],
)
def test_free_says_why_a_network_is_not_inside(stage: Stage, field: str) -> None:
    first, _, third, fourth = PAPER["next-vit-s"].stages
    with pytest.raises(InvalidArchitecture) as refusal:
        free.params(Architecture(stages=(first, stage, third, fourth)))
    assert refusal.value.field == f"stages[1].{field}"
