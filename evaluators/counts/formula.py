"""Exact counts of a Next-ViT network from its description alone: multiply-accumulates, activations, parameters.

Tracing a network with fvcore takes a third of a second or more; these sums take a millisecond. `tracing.py` counts any
other network, and a test compares every kind of block with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from evaluators.counts.layers import Layer
from search_spaces import Architecture, Block
from search_spaces.nextvit.architecture import output_side, stem_layers

NUM_CLASSES = 1000  # as in the paper's tables
DIFFERENT_BLOCKS = 50_000  # a search sees the same few thousand blocks again and again


@dataclass(kw_only=True)
class Work:
    """The work of a part of a network on one image, before norms are merged into other layers.

    Multiply-accumulates (MACs) are those of convolutions, linear layers and attention; norms, poolings and residuals do
    not count, as in the paper's tables.
    """

    macs: int = 0
    attention: int = 0  # MACs of attention's two products of activations, which `macs` does not include
    activations: int = 0  # elements written by convolutions, linear layers and attention products
    weights: int = 0  # of convolutions and linear layers, without biases
    params: int = 0  # weights, biases and norms
    layers: list[Layer] = field(default_factory=list, compare=False, repr=False)  # in the order in which they run

    def __add__(self, other: "Work") -> "Work":
        return Work(
            macs=self.macs + other.macs,
            attention=self.attention + other.attention,
            activations=self.activations + other.activations,
            weights=self.weights + other.weights,
            params=self.params + other.params,
            layers=self.layers + other.layers,
        )

    def layer(
        self, into: int, out: int, positions: int, *, kernel: int = 1, groups: int = 1, bias: bool = False
    ) -> None:
        """Adds a convolution or linear layer with `positions` outputs in each channel."""
        weights = into // groups * out * kernel**2
        layer = Layer(
            positions=positions,
            macs=weights * positions,
            activations=out * positions,
            weights=weights,
            into=into,
            out=out,
            kernel=kernel,
            groups=groups,
        )
        self.layers.append(layer)
        self.weights += weights
        self.params += weights + bias * out
        self.macs += layer.macs
        self.activations += layer.activations

    def product(self, rows: int, inner: int, columns: int, heads: int, share: float) -> None:
        """Adds a product of activations, (h, rows, inner) by (h, inner, columns); a `share` of the block attends."""
        written = heads * rows * columns
        layer = Layer(positions=0, macs=written * inner, activations=written, share=share)
        self.layers.append(layer)
        self.attention += layer.macs
        self.activations += written

    def norm(self, channels: int) -> None:
        """Adds a batch norm: a scale and a shift for each channel."""
        self.params += 2 * channels


def total(architecture: Architecture, resolution: int = 224) -> Work:
    """The work of a whole network with 1000 classes on one image, `resolution` pixels high and wide."""
    blocks = (work(block, side) for block, side in located(architecture, resolution))
    return sum(blocks, stem(architecture.stem, resolution)) + head(architecture.feature_channels[-1])


def stem(widths: tuple[int, int, int], resolution: int) -> Work:
    """The work of the stem: four 3x3 convolutions, each with a norm."""
    done, side = Work(), resolution
    for into, out, stride in stem_layers(widths):
        side = output_side(side, stride)
        done.layer(into, out, side**2, kernel=3)
        done.norm(out)
    return done


def head(channels: int) -> Work:
    """The work of the last norm and the classifier."""
    done = Work()
    done.norm(channels)
    done.layer(channels, NUM_CLASSES, 1, bias=True)
    return done


@lru_cache(maxsize=DIFFERENT_BLOCKS)
def work(block: Block, side: int) -> Work:
    """The work of a block on an input of `side` x `side` positions; shared by all callers, who do not change it."""
    done, attended, convolved = Work(), block.attention_channels, block.conv_channels
    positions = output_side(side, block.stride) ** 2
    _embed(done, block.in_channels, attended or convolved, positions, always=block.stride == 2)
    if attended:
        _attend(done, block, positions)
    if attended and convolved:
        _embed(done, attended, convolved, positions)
    if convolved:
        done.layer(convolved, convolved, positions, kernel=3, groups=convolved // block.head_dim)
        done.norm(convolved)
        done.layer(convolved, convolved, positions)
    done.norm(block.out_channels)
    done.layer(block.out_channels, block.mlp_channels, positions, bias=True)
    done.layer(block.mlp_channels, block.out_channels, positions, bias=True)
    return done


def _embed(done: Work, into: int, out: int, positions: int, *, always: bool = False) -> None:
    """Adds a 1x1 convolution with its norm, if the width or the resolution changes."""
    if always or into != out:
        done.layer(into, out, positions)
        done.norm(out)


def _attend(done: Work, block: Block, positions: int) -> None:
    """Adds E-MHSA: every position is a query, averages of `sr_ratio`^2 positions are keys and values."""
    width, keys = block.attention_channels, positions // block.sr_ratio**2
    done.norm(width)
    if block.sr_ratio > 1:
        done.norm(width)
    for tokens in (positions, keys, keys):  # q, k, v
        done.layer(width, width, tokens, bias=True)
    heads, share = width // block.head_dim, width / block.out_channels
    done.product(positions, block.head_dim, keys, heads, share)  # the map (h, N, M)
    done.product(positions, keys, block.head_dim, heads, share)  # the mixed values (h, N, d)
    done.layer(width, width, positions, bias=True)


def located(architecture: Architecture, resolution: int) -> Iterator[tuple[Block, int]]:
    """Every block in order, with the side of its square input in positions."""
    side = output_side(resolution, 4)  # the stem halves twice, and ceil(ceil(n / 2) / 2) = ceil(n / 4)
    for row in architecture.blocks:
        for block in row:
            yield block, side
            side = output_side(side, block.stride)
