"""What a latency is predicted from: extensive quantities of each stage, separately for the two kinds of block.

Blocks, multiply-accumulates, activations and attention. Widths vary, so counts of blocks alone predict nothing; sums
over the whole network are among the features too, because with few measurements they are all that can be learnt.
Worked out from the architecture by formula: tracing a network with fvcore takes a third of a second, this nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search_spaces import Architecture, Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOTALS = ("blocks", "macs", "activations", "weights")
PER_STAGE = tuple(f"{kind} {quantity}" for kind in "CT" for quantity in ("blocks", "macs", "activations", "attention"))
NAMES = (*TOTALS, *(f"stage {stage} {name}" for stage in (1, 2, 3, 4) for name in PER_STAGE))


@dataclass(kw_only=True)
class Work:
    """What one block does to one image: `attention` are the multiply-accumulates of its two products of activations."""

    macs: int = 0
    attention: int = 0
    activations: int = 0  # elements written by convolutions, linear layers and attention
    weights: int = 0

    def layer(self, into: int, out: int, positions: int, kernel: int = 1) -> None:
        """Adds a convolution or linear layer: `into` channels of its group, at so many positions."""
        weights = into * out * kernel**2
        self.weights += weights
        self.macs += weights * positions
        self.activations += out * positions


def work(block: Block, side: int) -> Work:
    """The work of a block whose input is `side` positions high and wide."""
    done, attended, convolved = Work(), block.attention_channels, block.conv_channels
    positions = (-(-side // block.stride)) ** 2
    width = attended or convolved
    if block.stride == 2 or block.in_channels != width:
        done.layer(block.in_channels, width, positions)
    if attended:
        pooled = positions // block.sr_ratio**2
        for tokens in (positions, pooled, pooled, positions):  # q, k, v, proj
            done.layer(attended, attended, tokens)
        done.attention = 2 * positions * pooled * attended
        done.activations += positions * (pooled * (attended // block.head_dim) + attended)
    if attended and convolved and attended != convolved:
        done.layer(attended, convolved, positions)
    if convolved:
        done.layer(block.head_dim, convolved, positions, kernel=3)
        done.layer(convolved, convolved, positions)
    done.layer(block.out_channels, block.mlp_channels, positions)
    done.layer(block.mlp_channels, block.out_channels, positions)
    return done


def sides(architecture: Architecture, resolution: int) -> list[int]:
    """How many positions high and wide the input of every block is."""
    side, found = ((resolution - 1) // 2) // 2 + 1, []
    for row in architecture.blocks:
        for block in row:
            found.append(side)
            side = -(-side // block.stride)
    return found


def features(architecture: Architecture, resolution: int) -> "NDArray[np.float64]":
    """The vector of `NAMES`, in blocks and in millions; the stem is the same in every network and left out."""
    positions = iter(sides(architecture, resolution))
    totals, stages = dict.fromkeys(TOTALS, 0.0), []
    for row in architecture.blocks:
        sums = dict.fromkeys(PER_STAGE, 0.0)
        for block in row:
            done = work(block, next(positions))
            found = {"blocks": 1.0, "macs": done.macs / 1e6, "activations": done.activations / 1e6}
            for name, value in {**found, "attention": done.attention / 1e6}.items():
                sums[f"{block.kind} {name}"] += value
            for name, value in {**found, "weights": done.weights / 1e6}.items():
                totals[name] += value
        stages += list(sums.values())
    return np.array([*totals.values(), *stages])
