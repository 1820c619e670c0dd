"""Exact counts of a network from its description alone: multiply-accumulates, activations, parameters.

Tracing a network with fvcore takes a third of a second or more; these sums take a millisecond. They follow the walk of
the deployed network, operator by operator, and count the batch norms that are merged there. `tracing.py` counts any
other network, and a test compares every kind of block with it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

from evaluators.counts.layers import Layer
from search_spaces import Architecture, Block
from search_spaces.nextvit.architecture import output_side, stem_layers
from search_spaces.nextvit.deployed import Deployed

Shape = tuple[int, ...]
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
    functions: Counter[str] = field(default_factory=Counter, compare=False, repr=False)  # norms and activations by name

    @property
    def all_macs(self) -> int:
        """The MACs with those of attention's products."""
        return self.macs + self.attention

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

    def norm(self, normalization: str, channels: int) -> None:
        """Adds a norm: a scale and a shift for each channel."""
        self.params += 2 * channels
        self.functions[normalization] += 1


def total(architecture: Architecture, resolution: int = 224) -> Work:
    """The work of a whole network with 1000 classes on one image, `resolution` pixels high and wide."""
    first = stem(architecture.stem, resolution, architecture.normalization, architecture.activation)
    blocks = [work(block, side) for block, side in located(architecture, resolution)]
    parts = [first, *blocks, head(architecture.feature_channels[-1], architecture.normalization)]
    functions: Counter[str] = Counter()
    for part in parts:
        functions.update(part.functions)
    return Work(
        macs=sum(part.macs for part in parts),
        attention=sum(part.attention for part in parts),
        activations=sum(part.activations for part in parts),
        weights=sum(part.weights for part in parts),
        params=sum(part.params for part in parts),
        layers=[layer for part in parts for layer in part.layers],
        functions=functions,
    )


def stem(widths: tuple[int, int, int], resolution: int, normalization: str = "batch", activation: str = "relu") -> Work:
    """The work of the stem: four 3x3 convolutions, each with a norm."""
    done, side = Work(), resolution
    for into, out, stride in stem_layers(widths):
        side = output_side(side, stride)
        done.layer(into, out, side**2, kernel=3)
        done.norm(normalization, out)
        done.functions[activation] += 1
    return done


def head(channels: int, normalization: str = "batch") -> Work:
    """The work of the last norm and the classifier."""
    done = Work()
    done.norm(normalization, channels)
    done.layer(channels, NUM_CLASSES, 1, bias=True)
    return done


@lru_cache(maxsize=DIFFERENT_BLOCKS)
def work(block: Block, side: int) -> Work:
    """The work of a block on an input of `side` x `side` positions; shared by all callers, who do not change it."""
    walk = _Count(side, block.attention_channels / block.out_channels)
    walk.block((1, block.in_channels, side, side), "", block)
    return walk.done


def located(architecture: Architecture, resolution: int) -> Iterator[tuple[Block, int]]:
    """Every block in order, with the side of its square input in positions."""
    side = output_side(resolution, 4)  # the stem halves twice, and ceil(ceil(n / 2) / 2) = ceil(n / 4)
    for row in architecture.blocks:
        for block in row:
            yield block, side
            side = output_side(side, block.stride)


class _Count(Deployed[Shape]):
    """Adds up the work of a walk. A tensor is its shape, that of one image."""

    def __init__(self, side: int, share: float) -> None:
        super().__init__(batch=1)
        self.height, self.share, self.done = side, share, Work()

    def conv_norm(
        self,
        x: Shape,
        name: str,
        normalization: str,
        into: int,
        out: int,
        *,
        conv: str = "conv",
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> Shape:
        x = self.conv(x, name, into, out, kernel=kernel, stride=stride, groups=groups, bias=False)
        self.done.norm(normalization, out)
        return x

    def norm_before(self, x: Shape, name: str, channels: int, normalization: str, axis: int = 1) -> Shape:
        self.done.norm(normalization, channels)
        return x

    def conv(
        self,
        x: Shape,
        name: str,
        into: int,
        out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> Shape:
        sides = tuple(output_side(side, stride) for side in x[2:])
        self.done.layer(into, out, prod(sides), kernel=kernel, groups=groups, bias=bias)
        return (1, out, *sides)

    def linear(self, x: Shape, name: str, channels: int) -> Shape:
        self.done.layer(channels, channels, prod(x[:-1]), bias=True)
        return x

    def classifier(self, x: Shape, name: str, channels: int, num_classes: int) -> Shape:
        self.done.layer(channels, num_classes, 1, bias=True)
        return (1, num_classes)

    def norm(self, x: Shape, name: str, channels: int) -> Shape:
        self.done.norm("batch", channels)
        return x

    def layer_norm(self, x: Shape, name: str, channels: int, axis: int = 1) -> Shape:
        self.done.norm("layer", channels)
        return x

    def group_norm(self, x: Shape, name: str, channels: int) -> Shape:
        return self.layer_norm(x, name, channels)

    def relu(self, x: Shape) -> Shape:
        self.done.functions["relu"] += 1
        return x

    def gelu(self, x: Shape) -> Shape:
        self.done.functions["gelu"] += 1
        return x

    def softmax(self, x: Shape) -> Shape:
        return x

    def add(self, x: Shape, y: Shape) -> Shape:
        return x

    def subtract(self, x: Shape, y: Shape) -> Shape:
        return x

    def scale(self, x: Shape, factor: float) -> Shape:
        return x

    def matmul(self, x: Shape, y: Shape) -> Shape:
        self.done.product(x[-2], x[-1], y[-1], prod(x[:-2]), self.share)
        return (*x[:-1], y[-1])

    def concat(self, x: Shape, y: Shape) -> Shape:
        return (1, x[1] + y[1], *x[2:])

    def average(self, x: Shape, window: int, stride: int) -> Shape:
        return (*x[:2], *(output_side(side, stride) for side in x[2:]))

    def pool_tokens(self, x: Shape, window: int) -> Shape:
        return (*x[:-1], x[-1] // window)

    def spatial_mean(self, x: Shape) -> Shape:
        return x[:2]

    def pad(self, x: Shape, count: int) -> Shape:
        return (x[0], x[1] + count, x[2] + count, x[3])

    def crop(self, x: Shape, side: int) -> Shape:
        return (x[0], side, side, x[3])

    def reshape(self, x: Shape, shape: Shape) -> Shape:
        rest = prod(x) // prod(size for size in shape if size != -1)
        return tuple(rest if size == -1 else size for size in shape)

    def transpose(self, x: Shape, order: tuple[int, ...]) -> Shape:
        return tuple(x[axis] for axis in order)
