"""Blocks of other families: timm's own with timm's weights, and a place in every network at any width."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from timm.models._efficientnet_blocks import InvertedResidual
from timm.models.convnext import ConvNeXtBlock
from timm.models.metaformer import GroupNorm1, MetaFormerBlock, Pooling
from timm.models.resnet import Bottleneck
from timm.models.twins import Block as TwinsBlock
from timm.models.vision_transformer import Block as ViTBlock
from torch import Tensor, nn

from evaluators.counts.formula import total
from evaluators.prediction.features import structure
from evaluators.prediction.latency_features import NAMES, features
from evaluators.prediction.published_prediction import predict
from evaluators.training.short_training import BRANCH_ENDS
from search_spaces import PAPER, Architecture, Stage, nhs
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit import blocks
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.parts import Residual
from search_spaces.nextvit.weights import inherit
from search_spaces.zoo import KINDS
from tests.networks import ZOO, built, lively, small

S = PAPER["next-vit-s"]
WIDTH, SIDE = 64, 9  # a side that windows of 7 do not fill


def tokens(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A block on tokens, as one on a map."""
    return lambda x: run(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:])


def timms(kind: str) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """timm's block of a letter, and how it is called with a map."""
    heads = WIDTH // 32
    module: nn.Module
    if kind in "VW":
        module = ViTBlock(WIDTH, heads, qkv_bias=True) if kind == "V" else TwinsBlock(WIDTH, heads, ws=7)
        return module, tokens(module if kind == "V" else lambda x: module(x, (SIDE, SIDE)))
    modules = {
        "R": lambda: Bottleneck(WIDTH, WIDTH // 4),
        "X": lambda: ConvNeXtBlock(WIDTH, ls_init_value=None),
        "P": lambda: MetaFormerBlock(
            WIDTH,
            token_mixer=Pooling,
            norm_layer=GroupNorm1,
            mlp_act=nn.GELU,
            mlp_bias=True,
            use_nchw=True,
            layer_scale_init_value=None,
            res_scale_init_value=None,
        ),
        "M": lambda: InvertedResidual(WIDTH, WIDTH, exp_ratio=4),
    }
    module = modules[kind]()
    return module, module


def joined(state: dict[str, Tensor]) -> list[Tensor]:
    """The tensors of a block of ours in timm's order: queries, keys and values are one layer there."""
    found: list[Tensor] = []
    for name, value in state.items():
        if ".q." in name:
            value = torch.cat([state[name.replace(".q.", f".{part}.")] for part in "qkv"])
        if ".k." not in name and ".v." not in name:
            found.append(value)
    return found


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_timms_block_with_our_weights_gives_our_features(kind: str) -> None:
    architecture = Architecture(stages=(Stage(blocks=kind * 2, zoo_widths={kind: WIDTH}, sr_ratio=1), *S.stages[1:]))
    ours = lively(blocks.build(architecture.blocks[0][1])).eval()
    theirs, run = timms(kind)
    for module in theirs.eval().modules():
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            module.eps = 1e-5
    weights = joined(ours.state_dict())
    names = theirs.state_dict()
    assert len(weights) == len(names)
    theirs.load_state_dict({name: value.reshape(names[name].shape) for name, value in zip(names, weights, strict=True)})
    x = torch.randn(2, WIDTH, SIDE, SIDE)
    torch.testing.assert_close(ours(x), run(x), atol=1e-5, rtol=1e-5)


def test_every_block_is_known_by_a_letter_and_by_its_first_part() -> None:
    assert set(KINDS) == set("RXVWPM")
    modules = [blocks.build(ZOO[kind].blocks[0][0]) for kind in KINDS]
    assert len({list(dict(module.named_children()))[1] for module in modules}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_training_scales_the_end_of_every_branch(kind: str) -> None:
    module = blocks.build(ZOO[kind].blocks[0][0])
    ends = [name for name, _ in module.named_modules() if name.endswith(BRANCH_ENDS)]
    branches = [name for name, part in module.named_modules() if isinstance(part, Residual)]
    assert [end.partition(".")[0] for end in ends] == branches


@pytest.mark.parametrize("kind", KINDS)
def test_it_replaces_a_block_at_the_same_width(kind: str) -> None:
    for replaced in "CT":
        network = S.replaced(replaced, kind)
        assert str(network) == str(S).replace(replaced, kind)
        widths = [[block.out_channels for block in row] for row in network.blocks]
        assert widths == [[block.out_channels for block in row] for row in S.blocks]
        assert network.replaced(kind, replaced) == S, "and back"
        assert Architecture.from_json(network.to_json()) == network
    other = "W" if kind == "V" else "V"
    assert str(S.replaced("C", kind).replaced("T", other)).startswith(kind * 3)


def test_what_cannot_be_replaced_is_refused() -> None:
    with pytest.raises(InvalidArchitecture, match=r"stages\[1\].blocks: 'CT' has T blocks of 256 channels, not 192"):
        Architecture.from_notation("T-CT-C-C").replaced("C", "T")
    with pytest.raises(InvalidArchitecture, match="expected a string of C"):
        S.replaced("C", "Q")
    with pytest.raises(InvalidArchitecture, match=r"stages\[0\].mix_block_ratio"):
        Architecture.from_notation("C-C-C-C").replaced("C", "T")  # 96 channels leave none for convolution
    assert str(Architecture.from_notation("T-T-T-T").replaced("T", "C")) == "C-C-C-C"


def test_a_width_is_that_of_its_kind_unless_it_is_given() -> None:
    network = Architecture.from_notation("CX-XT-VT-W")
    assert [[block.out_channels for block in row] for row in network.blocks] == [
        [96, 96],
        [192, 256],
        [512, 512],
        [1024],
    ]
    assert Stage(blocks="X", conv_width=96) == Stage(blocks="X", zoo_widths={"X": 96, "V": 64})
    assert "zoo_widths" not in S.to_dict()["stages"][0]
    assert network.to_dict()["stages"][0]["zoo_widths"] == {"X": 96}


@pytest.mark.parametrize(
    ("widths", "field"),
    [({"X": 100}, "zoo_widths"), ({}, "conv_width"), ({"Q": 96}, "zoo_widths"), ([["X", 96]], "zoo_widths")],
)
def test_a_wrong_width_is_refused(widths: object, field: str) -> None:
    document = S.to_dict()
    document["stages"] = [{"blocks": "X", "zoo_widths": widths}, *document["stages"][1:]]
    with pytest.raises(InvalidArchitecture) as refusal:
        Architecture.from_dict(document)
    assert refusal.value.field == f"stages[0].{field}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_paper_space_refuses_it(kind: str) -> None:
    for replaced in "CT":
        with pytest.raises(InvalidArchitecture, match=r"is not \(C\^N T\^t\)\^L"):
            nhs.params(S.replaced(replaced, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_its_weights_are_inherited_by_blocks_of_its_kind(kind: str) -> None:
    source, target = built(ZOO[kind]), NextViT(ZOO[kind], num_classes=10).eval()
    assert not inherit(target, source.state_dict()).fresh
    other = NextViT(small(("C", "C", "C", "C")), num_classes=10)
    found = inherit(other, source.state_dict())
    assert not [name for name in found.whole if name.startswith("stages.3.")], "no block there is of its kind"


def test_blocks_keep_their_own_norms_and_activations() -> None:
    layered = replace(Architecture.from_notation("M-M-M-M"), normalization="layer", activation="gelu")
    functions = total(layered, 64).functions
    assert functions == {"batch": 12, "relu": 8, "layer": 9, "gelu": 4}, "stem, PatchEmbeds and head are the network's"


def test_predictions_count_those_that_attend_as_transformers() -> None:
    network = Architecture.from_notation("CR-VW-MXP-T")
    found = dict(zip(NAMES, features(network, 64), strict=True))
    assert [found[f"stage {stage} T blocks"] for stage in (1, 2, 3, 4)] == [0, 2, 0, 1]
    assert [found[f"stage {stage} C blocks"] for stage in (1, 2, 3, 4)] == [2, 0, 3, 0]
    assert structure(network)["transformer_share"] == 3 / 8


def test_published_networks_say_less_of_a_network_with_other_blocks() -> None:
    """It is of no family of the table."""
    assert predict(S.replaced("T", "V")).spread > predict(S).spread
