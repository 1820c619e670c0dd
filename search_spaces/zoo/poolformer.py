"""The block of PoolFormer (arXiv 2111.11418, section 3): the average of 3x3 positions, less the position, then an MLP.

Each is preceded by a group norm with one group, over all channels and positions of an image. GELU and MLP ratio 4.
Layer scale is left out.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "P"
ATTENDS, POOLS = False, False
MLP_RATIO = 4.0
ENDS = ("pooling.norm",)
WINDOW = 3


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """Pooling and an MLP, each with its norm and a residual."""
    from torch import nn

    from search_spaces.nextvit.parts import ConvMlp, Neighbourhood, Residual

    width = block.out_channels
    mlp = ConvMlp(width, block.mlp_channels, "gelu")
    return {
        "pooling": Residual(drop_path, norm=nn.GroupNorm(1, width), mixer=Neighbourhood(WINDOW)),
        "perceptron": Residual(drop_path, norm=nn.GroupNorm(1, width), mlp=mlp),
    }


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator."""
    width = block.out_channels
    y = walk.group_norm(x, f"{name}.pooling.norm", width)
    x = walk.add(x, walk.subtract(walk.average(y, WINDOW, stride=1), y))
    y = walk.group_norm(x, f"{name}.perceptron.norm", width)
    return walk.add(x, walk.perceptron(y, f"{name}.perceptron.mlp", replace(block, activation="gelu")))
