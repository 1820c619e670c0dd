"""A transformer block whose attention stays within 7x7 windows, as in Twins (arXiv 2104.13840, section 3.2).

Layer norm, GELU and MLP ratio 4. The windows are not shifted and have no relative positions. As in timm's Twins, a map
that windows do not fill is padded with zeros at the bottom and on the right, after the norm, and these attend as well.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "W"
ATTENDS, POOLS = True, False
MLP_RATIO = 4.0
ENDS = ()
WINDOW = 7


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """Attention and an MLP, each with its norm and a residual."""
    from search_spaces.nextvit.parts import ChannelNorm, ConvMlp, Residual, WindowAttention

    width = block.out_channels
    attention = WindowAttention(width, block.head_dim, WINDOW)
    mlp = ConvMlp(width, block.mlp_channels, "gelu")
    return {
        "windows": Residual(drop_path, norm=ChannelNorm(width), e_mhsa=attention),
        "perceptron": Residual(drop_path, norm=ChannelNorm(width), mlp=mlp),
    }


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator. No tensor has more than four axes: Core ML takes five at most."""
    block = replace(block, normalization="layer", activation="gelu")
    width, side, across = block.out_channels, walk.height, -(-walk.height // WINDOW)  # windows across
    full, area = across * WINDOW, WINDOW**2
    y = walk.transpose(x, (0, 2, 3, 1))  # (B, H, W, C)
    y = walk.pad(walk.layer_norm(y, f"{name}.windows.norm", width, axis=3), full - side)
    rows = walk.reshape(y, (-1, WINDOW, across, WINDOW * width))  # (B n, 7, n, 7 C) for n windows across
    tokens = walk.reshape(walk.transpose(rows, (0, 2, 1, 3)), (-1, area, width))  # (B n n, 49, C)
    mixed = walk.mix(tokens, tokens, f"{name}.windows.e_mhsa", block, (-1, area, area))
    rows = walk.transpose(walk.reshape(mixed, (-1, across, WINDOW, WINDOW * width)), (0, 2, 1, 3))
    y = walk.crop(walk.reshape(rows, (-1, full, full, width)), side)  # (B, H, W, C)
    y = walk.linear(walk.reshape(y, (-1, side * side, width)), f"{name}.windows.e_mhsa.proj", width)
    y = walk.transpose(walk.reshape(y, (-1, side, side, width)), (0, 3, 1, 2))
    return walk.mlp(walk.add(x, y), f"{name}.perceptron.mlp", f"{name}.perceptron.norm", block)
