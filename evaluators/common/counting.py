"""Exact counts of parameters, multiply-accumulates and activations, block by block.

Each distinct block is built and counted once (fvcore traces it), then remembered: a network costs as much as its new
blocks. What fvcore cannot count is counted here (attention) or reported by name (`uncounted`), never ignored.
"""

import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from search_spaces import Architecture, Block

if TYPE_CHECKING:
    from torch import Tensor, nn

NUM_CLASSES = 1000
Kind = Literal["FlopCountAnalysis", "ActivationCountAnalysis"]  # of fvcore.nn


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What fvcore counted in a module for one image, with the attention that it cannot see added."""

    count: int = 0
    attention: int = 0  # the part of `count` that fvcore does not count
    params: int = 0
    uncounted: tuple[tuple[str, int], ...] = ()  # operators that were left out, and how many

    def __add__(self, other: "Counts") -> "Counts":
        operators = Counter(dict(self.uncounted)) + Counter(dict(other.uncounted))
        return Counts(
            count=self.count + other.count,
            attention=self.attention + other.attention,
            params=self.params + other.params,
            uncounted=tuple(sorted(operators.items())),
        )


@cache
def macs(architecture: Architecture, resolution: int = 224) -> Counts:
    """Multiply-accumulate pairs of a network with 1000 classes, before norms are merged, as in the paper's tables."""
    return _total(architecture, resolution, "FlopCountAnalysis")


@cache
def activations(architecture: Architecture, resolution: int = 224) -> Counts:
    """Elements written by convolutions, linear layers and attention products."""
    return _total(architecture, resolution, "ActivationCountAnalysis")


def _total(architecture: Architecture, resolution: int, kind: Kind) -> Counts:
    rows = per_stage(architecture, resolution, kind)
    return sum((counts for row in rows for counts in row), Counts())


def per_stage(
    architecture: Architecture, resolution: int = 224, kind: Kind = "FlopCountAnalysis"
) -> list[list[Counts]]:
    """The counts of the stem, of every block of each of the four stages, and of the head."""
    side = ((resolution - 1) // 2) // 2 + 1
    rows = [[_stem(architecture.stem, resolution, kind)]]
    for row in architecture.blocks:
        rows.append([])
        for block in row:
            rows[-1].append(_block(block, side, kind))
            side = -(-side // block.stride)
    return [*rows, [_head(architecture.feature_channels[-1], side, kind)]]


@cache
def _stem(widths: tuple[int, int, int], resolution: int, kind: Kind) -> Counts:
    from search_spaces.nextvit.network import stem

    return _traced(stem(3, widths), (1, 3, resolution, resolution), kind)


@cache
def _block(block: Block, side: int, kind: Kind) -> Counts:
    from search_spaces.nextvit import blocks

    return _traced(blocks.build(block), (1, block.in_channels, side, side), kind)


@cache
def _head(channels: int, side: int, kind: Kind) -> Counts:
    from torch import nn

    from search_spaces.nextvit.network import ClassifierHead

    head = nn.Sequential(nn.BatchNorm2d(channels), ClassifierHead(channels, NUM_CLASSES))
    return _traced(head, (1, channels, side, side), kind)


def _traced(module: "nn.Module", shape: tuple[int, ...], kind: Kind) -> Counts:
    """fvcore's trace of one module on zeros; norms and pooling do not count."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # it scripts and traces with torch.jit, which torch 2.15 deprecates
        return _count(module.eval(), torch.zeros(shape), kind)


def _count(module: "nn.Module", image: "Tensor", kind: Kind) -> Counts:
    import fvcore.nn
    import torch

    analysis = getattr(fvcore.nn, kind)(module, image)
    analysis.uncalled_modules_warnings(False)
    analysis.unsupported_ops_warnings(False)
    analysis.set_op_handle("aten::batch_norm", _nothing)  # fvcore counts norms; the paper's tables do not
    attention = _attention_macs if kind == "FlopCountAnalysis" else _attention_activations
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention)
    with torch.no_grad():
        return Counts(
            count=int(analysis.total()),
            attention=int(analysis.by_operator()["scaled_dot_product_attention"]),
            params=sum(parameter.numel() for parameter in module.parameters()),
            uncounted=tuple(sorted(analysis.unsupported_ops().items())),
        )


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
