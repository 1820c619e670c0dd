"""What a predictor of accuracy looks at: counts of the network, and where its transformers stand."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

from evaluators.counts.formula import located, work
from search_spaces import Architecture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BASELINES = ("log_weights", "log_macs", "log_activations", "log_sum_of_widths", "depth")  # a prediction must beat these


def structure(architecture: Architecture, resolution: int = 224) -> dict[str, float]:
    """Everything that the description alone tells, by name. Counts are of the blocks, by formula."""
    blocks = [block for row in architecture.blocks for block in row]
    done = [work(block, side) for block, side in located(architecture, resolution)]
    widths = [block.out_channels for block in blocks]
    features = {
        "log_weights": log(sum(each.weights for each in done)),
        "log_macs": log(sum(each.macs + each.attention for each in done)),
        "log_activations": log(sum(each.activations for each in done)),
        "log_sum_of_widths": log(sum(widths)),
        "depth": float(len(widths)),
        "mean_log_width": sum(map(log, widths)) / len(widths),
        **_placement([block.kind for block in blocks]),
        "attention_share": sum(block.attention_channels for block in blocks) / sum(widths),
    }
    for number, row in enumerate(architecture.blocks, start=1):
        transformers = sum(block.kind == "T" for block in row)
        features[f"depth_{number}"] = float(len(row))
        features[f"log_width_{number}"] = log(row[-1].out_channels)
        features[f"transformers_{number}"] = float(transformers)
        features[f"ends_in_transformer_{number}"] = float(row[-1].kind == "T")
    return features


def _placement(kinds: Sequence[str]) -> dict[str, float]:
    """How many transformers, and where: 0 is the first block, 1 the last; without any, in the middle by convention."""
    places = [index / max(1, len(kinds) - 1) for index, kind in enumerate(kinds) if kind == "T"]
    changes = sum(a != b for a, b in pairwise(kinds))
    return {
        "transformer_share": len(places) / len(kinds),
        "mean_transformer_position": sum(places) / len(places) if places else 0.5,
        "first_transformer_position": places[0] if places else 1.0,
        "alternations": changes / max(1, len(kinds) - 1),
    }


def matrix(rows: Sequence[dict[str, float]]) -> "tuple[NDArray[np.float64], list[str | None]]":
    """The features as (n, p), and for each column its name if it is a baseline."""
    import numpy as np

    names = list(rows[0])
    values = np.array([[row[name] for name in names] for row in rows], dtype=float)
    return values, [name if name in BASELINES else None for name in names]
