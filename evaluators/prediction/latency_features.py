"""The features from which a latency is predicted: sums over each stage, separately for its NCBs and NTBs.

The quantities are blocks, multiply-accumulates, activations and attention. Because widths vary, counts of blocks alone
predict nothing. Sums over the whole network are features too: few measurements teach no more than those. Some are sums
over the network alone: what group convolutions gather under their kernels, and the elements of attention, which cost
time by themselves where kernels and heads vary; and the stem. A block of the zoo counts as an NTB if it attends, and as
an NCB if it does not. In place of blocks, networks of other families have the layers of a trace: depthwise
convolutions, products of attention, and all others.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from evaluators.counts.formula import DIFFERENT_BLOCKS, located, stem, work
from evaluators.counts.layers import HEAD, Layer, by_stage
from evaluators.counts.networks import trace
from search_spaces import Architecture, Block, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOTALS = ("blocks", "macs", "activations", "weights", "gathered", "attention elements", "stem macs")
OF_BLOCK = ("blocks", "macs", "activations", "attention")
PER_STAGE = tuple(f"{kind} {quantity}" for kind in "CT" for quantity in OF_BLOCK)
NAMES = (*TOTALS, *(f"stage {stage} {name}" for stage in (1, 2, 3, 4) for name in PER_STAGE))


def features(network: Network, resolution: int) -> "NDArray[np.float64]":
    """The features, those of the whole network first; networks of one family have the same ones.

    Raises:
        MeasurementFailed: a network of timm's that cannot be built for that resolution.
    """
    if isinstance(network, Architecture):
        return _of_blocks(network, resolution)
    layers = trace(network, resolution).layers
    kinds = [_of_kinds(row) for row in by_stage(layers, resolution)[1:HEAD]]
    return np.array([*_sums(layers), sum(layer.weights for layer in layers) / 1e6, *np.concatenate(kinds)])


def _of_kinds(layers: Sequence[Layer]) -> list[float]:
    """The sums of a stage's depthwise convolutions, products of attention, and other layers."""
    parts = [layer for layer in layers if layer.depthwise], [layer for layer in layers if layer.share]
    others = [layer for layer in layers if not layer.depthwise and not layer.share]
    return [value for part in (*parts, others) for value in _sums(part)]


def _sums(layers: Sequence[Layer]) -> tuple[float, float, float]:
    """Number, multiply-accumulates and activations, the last two in millions."""
    macs, activations = (sum(layer.macs for layer in layers), sum(layer.activations for layer in layers))
    return float(len(layers)), macs / 1e6, activations / 1e6


def _of_blocks(architecture: Architecture, resolution: int) -> "NDArray[np.float64]":
    """The features of our own family in the order of `NAMES`, in blocks and in millions, without the head."""
    positions = located(architecture, resolution)
    totals, stages = dict.fromkeys(TOTALS, 0.0), []
    totals["stem macs"] = _stem_macs(architecture.stem, resolution)
    for row in architecture.blocks:
        sums = dict.fromkeys(PER_STAGE, 0.0)
        for _ in row:
            block, side = next(positions)
            kind, found = "T" if block.is_transformer else "C", _of_block(block, side)
            for name in OF_BLOCK:
                sums[f"{kind} {name}"] += found[name]
            for name in TOTALS[:-1]:
                totals[name] += found[name]
        stages += list(sums.values())
    return np.array([*totals.values(), *stages])


@lru_cache(maxsize=DIFFERENT_BLOCKS)
def _of_block(block: Block, side: int) -> dict[str, float]:
    """The quantities of a block: the number 1, and all others in millions.

    Its group convolutions gather elements under their kernels, and its attention writes some.
    """
    done = work(block, side)
    gathered = sum(layer.macs * layer.groups / layer.into for layer in done.layers if layer.groups > 1)
    written = sum(layer.activations for layer in done.layers if layer.share)
    counts: dict[str, float] = {"macs": done.macs, "activations": done.activations, "attention": done.attention}
    counts |= {"weights": done.weights, "gathered": gathered, "attention elements": written}
    return {"blocks": 1.0} | {name: count / 1e6 for name, count in counts.items()}


@lru_cache
def _stem_macs(widths: tuple[int, int, int], resolution: int) -> float:
    """In millions."""
    return stem(widths, resolution).macs / 1e6
