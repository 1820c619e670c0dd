"""The space of the paper's strategy: what it holds, what it refuses, and its size."""

import itertools
from dataclasses import replace

import pytest

from search_spaces import PAPER, Architecture, Stage, nhs
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit.architecture import VARIANTS


def test_nhs_holds_the_papers_networks() -> None:
    assert nhs.anchors() == PAPER


@pytest.mark.parametrize("strategy", ["CCCC", "CCCT", "CCTT", "CTTT", "TTTT"])
def test_nhs_holds_the_strategies_that_the_paper_compares(strategy: str) -> None:
    notation = "-".join(kind * depth for kind, depth in zip(strategy, (3, 4, 10, 3), strict=True))
    nhs.params(Architecture.from_notation(notation))


def test_nhs_counts_different_networks() -> None:
    """One stage, the slow way: every choice built, equal ones struck out."""
    choices = nhs.STAGES[1]
    stages = {
        nhs.stage(choices, convs=n, transformers=t, stacks=stacks, conv_width=c, transformer_width=w, ratio=r)
        for n, t, stacks in itertools.product(choices.convs, (0, 1), choices.stacks)
        for c, w, r in itertools.product(choices.conv_widths, choices.transformer_widths, (0, 0.25, 0.5, 0.75, 1))
    }
    convolutions = 8 * 3  # depths 1 to 8 (of N x L, no 7: cut to 7 blocks only by the depth) x widths
    assert len({s for s in stages if "T" not in s.blocks}) <= convolutions
    pure = {s for s in stages if "C" not in s.blocks}
    assert len(pure) == 4 * 3 * 5  # depths x widths x ratios
    total = 1
    for each in nhs.STAGES:
        total *= len(set(nhs._stages(each)))
    assert nhs.size() == total


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
    with pytest.raises(InvalidArchitecture, match=f"^{name}: space nhs has only {choices[0]}"):
        nhs.params(replace(PAPER["next-vit-s"], **{name: choices[1]}))
