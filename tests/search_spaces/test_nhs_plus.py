"""The space of the paper's strategy with everything else free: what it holds, what it refuses, and its size."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import optuna
import pytest

import search_spaces
from search_spaces import PAPER, Architecture, nhs, nhs_plus
from search_spaces.common import contract, narrowed
from search_spaces.common.errors import InvalidArchitecture, UnknownName
from search_spaces.nextvit.architecture import HEAD_DIMS

SMALL = PAPER["next-vit-s"]
# Two stages of one kind each, and little else: few enough networks to build them all.
FEW: Mapping[str, Sequence[Any]] = {
    "stem_width": (64,),
    "conv_mlp_ratio": (2.0, 3.0),
    "transformer_mlp_ratio": (2.0,),
    "conv_kernel": (3, 7),
    "stage1.N": (0,),
    "stage1.L": (1,),
    "stage1.transformer_width": (160, 192),
    "stage1.conv_width": (96,),
    "stage2.N": (0, 1),
    "stage2.t": (1,),
    "stage2.L": (1,),
    "stage2.conv_width": (192,),
    "stage2.transformer_width": (256,),
    "stage2.mix_block_ratio": (0.0, 1.0),
    "stage2.sr_ratio": (4,),
    "stage3.N": (0,),
    "stage3.t": (1,),
    "stage3.L": (1,),
    "stage3.transformer_width": (384,),
    "stage3.mix_block_ratio": (1.0,),
    "stage3.sr_ratio": (1, 2),
    "stage4.N": (0,),
    "stage4.t": (1,),
    "stage4.L": (1,),
    "stage4.transformer_width": (768,),
    "stage4.mix_block_ratio": (1.0,),
    "stage4.sr_ratio": (1,),
}


def built(params: Mapping[str, Any]) -> Architecture:
    return nhs_plus.suggest(optuna.trial.FixedTrial(dict(params)))


def test_it_has_a_hyphen_in_its_name() -> None:
    assert search_spaces.get("nhs-plus") is nhs_plus
    with pytest.raises(UnknownName, match="did you mean 'nhs-plus'"):
        search_spaces.get("nhs_plus")


def test_it_holds_every_network_of_nhs() -> None:
    for network in (*PAPER.values(), *contract.draw(nhs, 200)):
        params = nhs_plus.params(network)
        assert built(params) == network
        assert params.items() >= nhs.params(network).items()


@pytest.mark.parametrize("head_dim", HEAD_DIMS)
def test_any_parameters_build_a_network_with_whole_heads(head_dim: int) -> None:
    """At the corners of the widths and shares of every stage, which random networks may not reach."""
    params = nhs_plus.params(SMALL) | {"head_dim": head_dim}
    for number, choices in enumerate(nhs_plus.STAGES, start=1):
        for conv, transformer in itertools.product(choices.conv_widths, choices.transformer_widths):
            for ratio in choices.ratios:
                widths = {"conv_width": conv, "transformer_width": transformer, "mix_block_ratio": ratio}
                chosen = {f"stage{number}.{name}": value for name, value in {"N": 1, "t": 1, **widths}.items()}
                network = built(params | chosen)
                assert built(nhs_plus.params(network)) == network
                stage = network.stages[number - 1]
                assert stage.attention_channels % head_dim == 0
                assert (stage.attention_channels == stage.transformer_width) == (ratio == 1)


@pytest.mark.parametrize("alone", [{"stage1.mix_block_ratio": (0.25, 0.5)}, {"stage1.mix_block_ratio": (0.0,)}])
def test_it_counts_different_networks(alone: Mapping[str, Sequence[Any]]) -> None:
    """The slow way: each one built, equal ones struck out."""
    left = {**FEW, **alone}
    values = narrowed.values(narrowed.distributions(nhs_plus)) | left
    names = [name for name in values if name not in ("stage3.conv_width", "stage4.conv_width")]
    unused = {name: values[name][0] for name in values if name not in names}
    every = itertools.product(*(values[name] for name in names))
    networks = {built(unused | dict(zip(names, combination, strict=True))) for combination in every}
    assert nhs_plus.size_within(left) == len(networks)
    for network in list(networks)[::50]:
        assert built(nhs_plus.params_within(network, left)) == network


def test_a_field_that_no_block_uses_stays_as_published() -> None:
    """No NCB: their MLPs have no ratio. No share between attention and convolution: neither comes first."""
    params = nhs_plus.params(SMALL)
    for number in (1, 2, 3, 4):
        params |= {f"stage{number}.N": 0, f"stage{number}.t": 1, f"stage{number}.mix_block_ratio": 1.0}
    one = built(params)
    further = {"conv_mlp_ratio": 1.0, "conv_kernel": 7, "transformer_order": "convolution-first"}
    assert built(params | further) == one
    assert built(params | {"transformer_mlp_ratio": 1.0}) != one
    other = replace(one, conv_mlp_ratio=1.0)  # the same network under another id
    with pytest.raises(InvalidArchitecture, match=r"^conv_mlp_ratio: the space has only 3"):
        nhs_plus.params(other)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"stem": (64, 64, 64)}, "stem: the space has"),
        ({"stem": (40, 20, 40)}, "stem: the space has"),
        ({"conv_mlp_ratio": 5.0}, "conv_mlp_ratio: the space has .* not 5.0"),
        ({"activation": "gelu"}, "activation: the space has only relu"),
        ({"normalization": "layer"}, "normalization: the space has only batch"),
    ],
)
def test_it_says_why_a_network_is_not_inside(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArchitecture, match=problem):
        nhs_plus.params(replace(SMALL, **fields))


def test_an_sr_ratio_far_from_the_papers_is_not_inside() -> None:
    first, second, *others = SMALL.stages
    with pytest.raises(InvalidArchitecture) as refusal:
        nhs_plus.params(replace(SMALL, stages=(first, replace(second, sr_ratio=1), *others)))
    assert (refusal.value.field, refusal.value.nearest) == ("stages[1].sr_ratio", 2)


def test_fixed_to_what_is_published_it_is_nhs() -> None:
    fixes = [
        "stem_width=64",
        "head_dim=32",
        "conv_mlp_ratio=3",
        "transformer_mlp_ratio=2",
        "conv_kernel=3",
        "transformer_order=attention-first",
        "attention_pooling=rows",
        *(f"stage{number}.sr_ratio={sr_ratio}" for number, sr_ratio in enumerate((8, 4, 2, 1), start=1)),
    ]
    space = narrowed.get("nhs-plus", fixes)
    assert space.size() == nhs.size()
    assert list(space.anchors()) == list(PAPER)
    for network in contract.draw(space, 50):
        assert nhs.params(network).items() <= nhs_plus.params(network).items()
