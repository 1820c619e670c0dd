"""The features of a network from which accuracy is predicted: its counts, and the positions of its transformers."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

from evaluators.counts import networks
from evaluators.counts.formula import located, work
from evaluators.prediction import published_features
from search_spaces import Architecture, Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
