"""The inverted residual of MobileNetV2 (arXiv 1801.04381, section 3.3): 1x1, depthwise 3x3 and 1x1 convolutions.

Batch norm after each, ReLU (not ReLU6) after the first two. The expansion is 4, as in EfficientNetV2 and MobileNetV4:
with MobileNetV2's 6, a block would have 1.7 times the weights of an NCB of its width, and with 4 it has 1.1 times.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.nextvit.deployed import Deployed, X
    from search_spaces.nextvit.stage import Block

LETTER = "M"
ATTENDS, POOLS = False, False
MLP_RATIO = 4.0
ENDS = ("inverted.project.norm",)


def parts(block: "Block", drop_path: float) -> "dict[str, nn.Module]":
    """Three convolutions with a residual."""
    from search_spaces.nextvit.parts import ConvNormAct, Residual

    width, hidden = block.out_channels, block.mlp_channels
    inverted = Residual(
        drop_path,
        expand=ConvNormAct(width, hidden, kernel=1),
        depthwise=ConvNormAct(hidden, hidden, groups=hidden),
        project=ConvNormAct(hidden, width, kernel=1, activation="none"),
    )
    return {"inverted": inverted}


def deployed(walk: "Deployed[X]", x: "X", name: str, block: "Block") -> "X":
    """The same, operator by operator."""
    width, hidden, name = block.out_channels, block.mlp_channels, f"{name}.inverted"
    y = walk.relu(walk.conv_norm(x, f"{name}.expand", "batch", width, hidden))
    y = walk.relu(walk.conv_norm(y, f"{name}.depthwise", "batch", hidden, hidden, kernel=3, groups=hidden))
    return walk.add(x, walk.conv_norm(y, f"{name}.project", "batch", hidden, width))
