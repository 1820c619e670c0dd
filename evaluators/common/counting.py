"""Exact counts of parameters, multiply-accumulates and activations, block by block.

Each distinct block is built and counted once (fvcore traces it), then remembered: a network costs as much as its new
blocks. What fvcore cannot count is counted here (attention) or reported by name (`uncounted`), never ignored.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, reduce
from math import prod
from typing import TYPE_CHECKING, Any

from search_spaces import Architecture, Block

if TYPE_CHECKING:
    from torch import Tensor, nn

NUM_CLASSES = 1000


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of a block or a network for one image. MACs are multiply-accumulate pairs, as in the paper's tables."""

    params: int = 0
    macs: int = 0
    attention_macs: int = 0  # the part of `macs` that fvcore cannot see
    activations: int = 0  # elements written by convolutions, linear layers and attention products
    uncounted: tuple[tuple[str, int], ...] = ()

    def __add__(self, other: "Counts") -> "Counts":
        operators = Counter(dict(self.uncounted)) + Counter(dict(other.uncounted))
        return Counts(
            params=self.params + other.params,
            macs=self.macs + other.macs,
            attention_macs=self.attention_macs + other.attention_macs,
            activations=self.activations + other.activations,
            uncounted=tuple(sorted(operators.items())),
        )


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    return reduce(Counts.__add__, counts, Counts())


@cache
def count(architecture: Architecture, resolution: int = 224) -> Counts:
    """The counts of a whole network with 1000 classes, before norms are merged, for one square image."""
    return total(part for row in per_stage(architecture, resolution) for part in row)


def per_stage(architecture: Architecture, resolution: int = 224) -> list[list[Counts]]:
    """The counts of the stem, of every block of each of the four stages, and of the head."""
    stem, side = _stem(architecture.stem, resolution)
    rows = [[stem]]
    for row in architecture.blocks:
        counts = []
        for block in row:
            counts.append(_block(block, side))
            side = -(-side // block.stride)
        rows.append(counts)
    return [*rows, [_head(architecture.feature_channels[-1], side)]]


@cache
def _stem(stem: tuple[int, int, int], resolution: int) -> tuple[Counts, int]:
    from torch import nn

    from search_spaces.nextvit.blocks import ConvNormAct

    first, second, third = stem
    layers = nn.Sequential(
        ConvNormAct(3, first, 2), ConvNormAct(first, second, 1), ConvNormAct(second, third, 1), ConvNormAct(third, third, 2)
    )
    return _traced(layers, (1, 3, resolution, resolution)), ((resolution - 1) // 2) // 2 + 1


@cache
def _block(block: Block, side: int) -> Counts:
    from search_spaces.nextvit import blocks

    return _traced(blocks.build(block), (1, block.in_channels, side, side))


@cache
def _head(channels: int, side: int) -> Counts:
    from torch import nn

    from search_spaces.nextvit.network import ClassifierHead

    return _traced(nn.Sequential(nn.BatchNorm2d(channels), ClassifierHead(channels, NUM_CLASSES)), (1, channels, side, side))


def _traced(module: "nn.Module", shape: tuple[int, ...]) -> Counts:
    """Counts of one module, from fvcore's trace of it."""
    import torch

    module.eval()
    image = torch.zeros(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # fvcore traces with torch.jit, which torch 2.15 deprecates
        flops, attention = _analysis("FlopCountAnalysis", module, image, _attention_macs)
        activations, _ = _analysis("ActivationCountAnalysis", module, image, _attention_activations)
    return Counts(
        params=sum(parameter.numel() for parameter in module.parameters()),
        macs=flops.total(),
        attention_macs=int(attention),
        activations=activations.total(),
        uncounted=tuple(sorted(flops.unsupported_ops().items())),
    )


def _analysis(kind: str, module: "nn.Module", image: "Tensor", attention: Callable[..., int]) -> tuple[Any, float]:
    """fvcore's analysis, and what our handle for attention added to it."""
    import fvcore.nn
    import torch

    analysis = getattr(fvcore.nn, kind)(module, image)
    analysis.uncalled_modules_warnings(False)
    analysis.unsupported_ops_warnings(False)
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention)
    analysis.set_op_handle("aten::batch_norm", _nothing)  # fvcore counts norms; the paper's tables do not
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    with torch.no_grad():
        by_operator = analysis.by_operator()
    return analysis, by_operator["scaled_dot_product_attention"]


def _nothing(inputs: list[Any], outputs: list[Any]) -> int:
    return 0


def _attention_shapes(inputs: list[Any]) -> tuple[list[int], list[int], list[int]]:
    from fvcore.nn.jit_handles import get_shape

    query, key, value = (get_shape(tensor) for tensor in inputs[:3])
    return query, key, value


def _attention_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """q @ k and the product with v: (B, h, N, d) x (B, h, M, d) -> N * M * d twice for each head."""
    query, key, value = _attention_shapes(inputs)
    return prod(query) * key[-2] + prod(query[:-1]) * prod(value[-2:])


def _attention_activations(inputs: list[Any], outputs: list[Any]) -> int:
    """The attention map (B, h, N, M) and the mixed values (B, h, N, d)."""
    query, key, value = _attention_shapes(inputs)
    return prod(query[:-1]) * (key[-2] + value[-1])
