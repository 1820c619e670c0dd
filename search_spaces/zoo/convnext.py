"""The block of ConvNeXt (arXiv 2201.03545, section 2.6): a 7x7 depthwise convolution, then an MLP, in one residual.

Layer norm in between, GELU in the MLP, whose ratio is 4. Layer scale is left out.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "X"
ATTENDS, POOLS = False, False
MLP_RATIO = 4.0
ENDS = ()
KERNEL = 7


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """A depthwise convolution, a norm and an MLP with a residual."""
    from torch import nn

    from search_spaces.nextvit.parts import ChannelNorm, ConvMlp, Residual

    width = block.out_channels
    convnext = Residual(
        drop_path,
        depthwise=nn.Conv2d(width, width, KERNEL, padding=KERNEL // 2, groups=width),
        norm=ChannelNorm(width),
        mlp=ConvMlp(width, block.mlp_channels, "gelu"),
    )
    return {"convnext": convnext}


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator."""
    width, name = block.out_channels, f"{name}.convnext"
    y = walk.conv(x, f"{name}.depthwise", width, width, kernel=KERNEL, groups=width)
    y = walk.layer_norm(y, f"{name}.norm", width)
    return walk.add(x, walk.perceptron(y, f"{name}.mlp", replace(block, activation="gelu")))
