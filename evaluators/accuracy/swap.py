"""Score from distinct patterns: in how many different ways a random network's units respond to a batch of noise.

A unit's pattern is the set of images for which its ReLU fires; the score is the number of different patterns
(sample-wise activation patterns, Peng and others, ICLR 2024, arXiv 2403.04161). No more than 2^batch can exist: with
fewer than 24 images it saturates. A score is not an accuracy: `nas validate` tells what it ranks.
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
    """Different patterns."""

    unit: ClassVar[str] = "patterns"
    smallest_batch: ClassVar[int] = 24

    batch: int = 24

    def _score(self, architecture: Architecture, seed: int) -> float:
        from evaluators.scores.probing import Noise, relu_outputs

        noise = Noise(seed)
        images = noise.draw((self.batch, 3, self.resolution, self.resolution))
        return float(distinct_patterns(relu_outputs(architecture, images, noise, seed)))


def distinct_patterns(activations: "Iterable[Tensor]") -> int:
    """How many different columns the matrix (images, units) of all codes has; activations are (B, ...), B up to 62."""
    import torch

    codes = []
    for each in activations:
        fired = (each.flatten(1) > 0).long()
        bits = 1 << torch.arange(len(fired))
        codes.append(torch.unique((fired * bits[:, None]).sum(0)))
    return len(torch.unique(torch.cat(codes)))
