"""The features of a network from which accuracy is predicted: counts, positions of transformers, and fields.

Fields are what a network chooses as a whole, and the sr ratio of each stage. One that a network does not use has
Next-ViT's value, and where no network varies one, it says nothing to any model.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any

from evaluators.counts import networks
from evaluators.counts.formula import located, work
from evaluators.prediction import published_features
from search_spaces import PAPER, Architecture, Network
from search_spaces.nextvit.architecture import PAPER_WIDTHS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES = ("head_dim", "conv_mlp_ratio", "transformer_mlp_ratio", "conv_kernel")  # fields that are numbers
CHOICES = ("transformer_order", "attention_pooling", "normalization", "activation")  # fields that are names
BASELINES = ("log_weights", "log_macs", "log_activations", "log_sum_of_widths", "depth")  # a prediction must beat these


def structure(network: Network, resolution: int = 224) -> dict[str, float]:
    """All features that follow from the description alone, by name; those of other families are counts by a trace."""
    if isinstance(network, Architecture):
        return _of_blocks(network, resolution)
    work = networks.total(network, resolution)
    return published_features.of(network, resolution) | {"log_weights": log(work.weights)}


def _of_blocks(architecture: Architecture, resolution: int) -> dict[str, float]:
    """Those of our own family. Counts are by formula, without stem and head."""
    blocks = [block for row in architecture.blocks for block in row]
    counts = [work(block, side) for block, side in located(architecture, resolution)]
    widths = [block.out_channels for block in blocks]
    features = {
        "log_weights": log(sum(block.weights for block in counts)),
        "log_macs": log(sum(block.all_macs for block in counts)),
        "log_activations": log(sum(block.activations for block in counts)),
        "log_sum_of_widths": log(sum(widths)),
        "depth": float(len(widths)),
        "mean_log_width": sum(map(log, widths)) / len(widths),
        **_placement([block.is_transformer for block in blocks]),
        "attention_share": sum(block.attention_channels for block in blocks) / sum(widths),
    }
    for number, row in enumerate(architecture.blocks, start=1):
        transformers = sum(block.is_transformer for block in row)
        features[f"depth_{number}"] = float(len(row))
        features[f"log_width_{number}"] = log(row[-1].out_channels)
        features[f"transformers_{number}"] = float(transformers)
        features[f"ends_in_transformer_{number}"] = float(row[-1].is_transformer)
    return features | _fields(architecture)


def _fields(architecture: Architecture) -> dict[str, float]:
    """Ratios and sizes as logarithms, and 1 for each choice that is not Next-ViT's."""

    def used(name: str) -> Any:
        return getattr(architecture if name in architecture.uses else PAPER["next-vit-s"], name)

    features = {f"log_{name}": log(used(name)) for name in SIZES} | {"log_stem": log(sum(architecture.stem))}
    features |= {name: float(used(name) != getattr(PAPER["next-vit-s"], name)) for name in CHOICES}
    for number, (stage, (_, _, published)) in enumerate(zip(architecture.stages, PAPER_WIDTHS, strict=True), start=1):
        features[f"log_sr_ratio_{number}"] = log(stage.sr_ratio or published)
    return features


def _placement(transformers: Sequence[bool]) -> dict[str, float]:
    """Share and positions of transformers: 0 is the first block, 1 the last. Without any, the mean is 0.5."""
    positions = [index / max(1, len(transformers) - 1) for index, here in enumerate(transformers) if here]
    changes = sum(a != b for a, b in pairwise(transformers))
    return {
        "transformer_share": len(positions) / len(transformers),
        "mean_transformer_position": sum(positions) / len(positions) if positions else 0.5,
        "first_transformer_position": positions[0] if positions else 1.0,
        "alternations": changes / max(1, len(transformers) - 1),
    }


def matrix(rows: Sequence[dict[str, float]]) -> "tuple[NDArray[np.float64], list[str | None]]":
    """The features as an array (n, p), and for each column its name if it is a baseline, else None."""
    import numpy as np

    names = list(rows[0])
    values = np.array([[row[name] for name in names] for row in rows], dtype=float)
    return values, [name if name in BASELINES else None for name in names]
