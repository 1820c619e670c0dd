"""The plain transformer block of ViT (arXiv 2010.11929, section 3.1): layer norm, self-attention, layer norm, MLP.

GELU and MLP ratio 4. Keys and values are averaged by the stage's `sr_ratio`, as in an NTB, so that only the block
differs; with an `sr_ratio` of 1 it is ViT's own. The averages are normalised once more, as in PVT (arXiv 2102.12122).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "V"
ATTENDS, POOLS = True, True
MLP_RATIO = 4.0
ENDS = ()


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """Attention and an MLP, each with its norm and a residual."""
    from search_spaces.nextvit.parts import ChannelNorm, ConvMlp, EfficientAttention, Residual

    width = block.out_channels
    attention = EfficientAttention(width, block.head_dim, block.sr_ratio, block.pooling, "layer")
    mlp = ConvMlp(width, block.mlp_channels, "gelu")
    return {
        "attention": Residual(drop_path, norm=ChannelNorm(width), e_mhsa=attention),
        "perceptron": Residual(drop_path, norm=ChannelNorm(width), mlp=mlp),
    }


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator."""
    block = replace(block, normalization="layer", activation="gelu")
    x = walk.attention(x, f"{name}.attention.e_mhsa", f"{name}.attention.norm", block)
    return walk.mlp(x, f"{name}.perceptron.mlp", f"{name}.perceptron.norm", block)
