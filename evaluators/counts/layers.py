"""The layers of a network one by one, in the order in which they run, and the stage of each.

A stage is named by its stride: at stride 8, an output has an eighth of the image's height and width. Squeeze-excite,
pooled keys and other work on fewer positions is done for the features that follow, and belongs to their stage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log, log2

STAGES = ("stem", "stride 4", "stride 8", "stride 16", "stride 32")
HEAD = len(STAGES)  # the stage of what works on the whole image, and is followed by nothing else


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution, a linear layer, or a product of features such as the two of an attention, on one image."""

    positions: int  # of its output; 0 for a product of features, whose rows need not be positions
    macs: int
    activations: int  # elements of its output
    weights: int = 0  # without biases
    into: int = 0  # channels, as `out`
    out: int = 0
    kernel: int = 1
    groups: int = 1
    share: float = 0.0  # of a product: the share of a block's channels that attend (the paper's r); 0 for others

    @cached_property
    def depthwise(self) -> bool:
        """Whether it convolves every channel by itself."""
        return self.kernel > 1 and self.groups == self.into > 1

    @cached_property
    def width(self) -> float:
        """The logarithm of the narrower side; 0 for what works on the whole image, such as squeeze-excite."""
        return log(min(self.into, self.out)) if self.positions > 1 else 0.0

    @cached_property
    def expansion(self) -> float:
        """How far the two widths lie apart, as a logarithm."""
        return abs(log(self.out / self.into))


def stages(layers: Sequence[Layer], resolution: int) -> list[int]:
    """For each layer the index of its stage in `STAGES`, or `HEAD`: the earliest stage that it or a later one has."""
    found, stage = [], HEAD
    for layer in reversed(layers):
        if layer.positions > 1:
            stage = min(stage, _stage(layer.positions, resolution))
        found.append(stage)
    return found[::-1]


def by_stage(layers: Sequence[Layer], resolution: int) -> list[list[Layer]]:
    """The layers of each stage of `STAGES`, and those of the head."""
    rows: list[list[Layer]] = [[] for _ in range(HEAD + 1)]
    for layer, stage in zip(layers, stages(layers, resolution), strict=True):
        rows[stage].append(layer)
    return rows


@lru_cache(maxsize=10_000)
def _stage(positions: int, resolution: int) -> int:
    """The stage of so many positions: a class token or a rounded side changes nothing, as strides are powers of 2."""
    doublings = round(log2(resolution / positions**0.5))
    return min(max(doublings, 1), len(STAGES)) - 1
