"""Score from principal components: how many directions carry 99 % of the hidden features of every MLP, on noise.

The V-PCA part of W-PCA (Wang, ICLR 2025, arXiv 2504.15983): the number of principal components with 99 % of the
variance of an MLP's hidden layer, summed over MLPs. It mostly reflects width, and cannot exceed the number of
positions: in the last stage, an image of 64 px has four. A score is not an accuracy: check what it ranks before relying
on it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.scores.score import Score
from search_spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor, nn

SHARE = 0.99


@dataclass(frozen=True, kw_only=True)
class Vpca(Score):
    """The number of components, summed over the MLPs."""

    unit: ClassVar[str] = "components"

    def _score(self, architecture: Architecture, seed: int) -> float:
        from evaluators.scores.probing import Noise, outputs

        counts: list[int] = []

        def watch(name: str, part: "nn.Module", x: "Tensor", out: "Tensor") -> None:
            if name == "mlp.fc2":
                counts.append(components(x))

        noise = Noise(seed)
        images = noise.draw((self.batch, 3, self.resolution, self.resolution))
        for _ in outputs(architecture, images, noise, seed, watch):
            pass
        return float(sum(counts))


def components(features: "Tensor") -> int:
    """The least number of principal components with 99 % of the variance over the channels of (B, C, H, W)."""
    import torch

    from evaluators.scores.probing import spectrum

    shares = spectrum(features).flip(0)
    return int(torch.searchsorted(shares.cumsum(0), SHARE - 1e-9).item()) + 1
