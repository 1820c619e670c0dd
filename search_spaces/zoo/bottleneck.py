"""The residual bottleneck of ResNet (arXiv 1512.03385, section 4.1): 1x1, 3x3 and 1x1 convolutions, a quarter as wide.

Batch norm after each, ReLU after the first two and after the residual, as published.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "R"
ATTENDS, POOLS = False, False
MLP_RATIO = 0.25
ENDS = ("bottleneck.expand.norm",)


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """Three convolutions with a residual, and a ReLU."""
    from torch import nn

    from search_spaces.nextvit.parts import ConvNormAct, Residual

    width, hidden = block.out_channels, block.mlp_channels
    bottleneck = Residual(
        drop_path,
        reduce=ConvNormAct(width, hidden, kernel=1),
        conv=ConvNormAct(hidden, hidden),
        expand=ConvNormAct(hidden, width, kernel=1, activation="none"),
    )
    return {"bottleneck": bottleneck, "act": nn.ReLU(inplace=True)}


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator."""
    width, hidden, name = block.out_channels, block.mlp_channels, f"{name}.bottleneck"
    y = walk.relu(walk.conv_norm(x, f"{name}.reduce", "batch", width, hidden))
    y = walk.relu(walk.conv_norm(y, f"{name}.conv", "batch", hidden, hidden, kernel=3))
    return walk.relu(walk.add(x, walk.conv_norm(y, f"{name}.expand", "batch", hidden, width)))
