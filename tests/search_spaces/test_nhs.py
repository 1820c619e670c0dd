"""The space of the paper's strategy: what it holds, what it refuses, and its size."""

import itertools
import math
from dataclasses import replace

import optuna
import pytest

from search_spaces import PAPER, Architecture, Stage, nhs
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit.architecture import VARIANTS
from search_spaces.nextvit.stacks import Stacks, blocks


def test_nhs_holds_the_papers_networks() -> None:
    assert nhs.anchors() == PAPER


@pytest.mark.parametrize("strategy", ["CCCC", "CCCT", "CCTT", "CTTT", "TTTT"])
def test_nhs_holds_the_strategies_that_the_paper_compares(strategy: str) -> None:
    notation = "-".join(kind * depth for kind, depth in zip(strategy, (3, 4, 10, 3), strict=True))
    nhs.params(Architecture.from_notation(notation))


def stages(choices: Stacks) -> set[Stage]:
    """The stages of every choice, the slow way: each one built, equal ones struck out."""
    return {
        Stage(
            blocks=blocks(choices.depth, convs=n, transformers=t, stacks=stacks),
            conv_width=conv,
            transformer_width=transformer,
            mix_block_ratio=ratio,
            sr_ratio=choices.sr_ratios[0],
        )
        for n, t, stacks in itertools.product(choices.convs, choices.transformers, choices.stacks)
        for conv, transformer in itertools.product(choices.conv_widths, choices.transformer_widths)
        for ratio in choices.ratios
    }


def test_nhs_counts_different_networks() -> None:
    second = stages(nhs.STAGES[1])
    assert len({s for s in second if "T" not in s.blocks}) <= 8 * 3  # depths (of N x L, no 7) x widths
    assert len({s for s in second if "C" not in s.blocks}) == 4 * 3 * 5  # depths x widths x ratios
    assert nhs.size() == math.prod(len(stages(choices)) for choices in nhs.STAGES) == 1_268_671_950_000


def test_nhs_counts_what_remains_of_it() -> None:
    allowed = {"stage2.N": (1, 2), "stage2.L": (2, 4), "stage2.mix_block_ratio": (0.5, 0.75), "stage4.t": (0,)}
    first, second, third, fourth = nhs.STAGES
    left = [
        first,
        replace(second, convs=(1, 2), stacks=(2, 4), ratios=(0.5, 0.75)),
        third,
        replace(fourth, transformers=(0,)),
    ]
    assert nhs.size_within(allowed) == math.prod(len(stages(choices)) for choices in left)


def test_nhs_finds_the_parameters_that_remain_of_a_network() -> None:
    """CCC is one group of three or three groups of one; widths that a stage does not use may be any."""
    small = PAPER["next-vit-s"]
    assert [nhs.params(small)[f"stage1.{name}"] for name in ("N", "L", "transformer_width")] == [3, 1, 128]
    allowed = {"stage1.L": (3,), "stage1.transformer_width": (160, 192), "stage2.N": (3,)}
    found = nhs.params_within(small, allowed)
    assert [found[f"stage1.{name}"] for name in ("N", "L", "transformer_width")] == [1, 3, 160]
    assert nhs.suggest(optuna.trial.FixedTrial(found)) == small
    with pytest.raises(InvalidArchitecture):
        nhs.params_within(small, {"stage1.N": (2,)})


@pytest.mark.parametrize(
    ("stage", "field"),
    [
        (Stage(blocks="CTTC", conv_width=192, transformer_width=256, mix_block_ratio=0.75, sr_ratio=4), "blocks"),
        (Stage(blocks="C" * 9, conv_width=192), "blocks"),
        (Stage(blocks="C", conv_width=160), "conv_width"),
        (Stage(blocks="T", transformer_width=1024, mix_block_ratio=0.75, sr_ratio=4), "transformer_width"),
        (Stage(blocks="T", transformer_width=256, mix_block_ratio=0.625, sr_ratio=4), "mix_block_ratio"),
        (Stage(blocks="T", transformer_width=256, mix_block_ratio=0.75, sr_ratio=2), "sr_ratio"),
    ],
)
def test_nhs_says_why_a_network_is_not_inside(stage: Stage, field: str) -> None:
    first, _, third, fourth = PAPER["next-vit-s"].stages
    with pytest.raises(InvalidArchitecture) as refusal:
        nhs.params(Architecture(stages=(first, stage, third, fourth)))
    assert refusal.value.field == f"stages[1].{field}"


def test_nhs_does_not_vary_the_stem() -> None:
    with pytest.raises(InvalidArchitecture, match="stem"):
        nhs.params(Architecture(stages=PAPER["next-vit-s"].stages, stem=(32, 32, 64)))


@pytest.mark.parametrize(("name", "choices"), VARIANTS.items())
def test_variants_are_refused(name: str, choices: tuple[object, ...]) -> None:
    with pytest.raises(InvalidArchitecture, match=f"^{name}: the space has only {choices[0]}"):
        nhs.params(replace(PAPER["next-vit-s"], **{name: choices[1]}))
