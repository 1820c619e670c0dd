"""Score from distinct patterns: in how many different ways a random network's units respond to a batch of noise.

A unit's pattern is the set of images for which its ReLU fires; the score is the number of different patterns
(sample-wise activation patterns, Peng et al., ICLR 2024, arXiv 2403.04161). There are at most 2^batch patterns: with
fewer than 24 images the score saturates. A score is not an accuracy: check what it ranks before relying on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.scores.score import Score
from search_spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Swap(Score):
    """The number of different patterns."""

    unit: ClassVar[str] = "patterns"
    smallest_batch: ClassVar[int] = 24

    batch: int = 24

    def _score(self, architecture: Architecture, seed: int) -> float:
        from evaluators.scores.probing import Noise, relu_outputs

        noise = Noise(seed)
        images = noise.draw((self.batch, 3, self.resolution, self.resolution))
        return float(distinct_patterns(relu_outputs(architecture, images, noise, seed)))


def distinct_patterns(activations: "Iterable[Tensor]") -> int:
    """The number of different columns of the binary matrix (images, units); activations are (B, ...), B up to 62."""
    import torch

    codes = []
    for layer in activations:
        fired = (layer.flatten(1) > 0).long()  # (B, units)
        bits = 1 << torch.arange(len(fired))  # a column becomes one integer
        codes.append(torch.unique((fired * bits[:, None]).sum(0)))
    return len(torch.unique(torch.cat(codes)))
