"""Score from activation codes: how differently a random network's ReLUs fire for different images of noise.

Every ReLU contributes a bit to the code of an image. K counts the bits on which two images agree, and the score is ln
|det K| (NASWOT, Mellor et al., ICML 2021, arXiv 2006.04647, section 3). It grows with the number of units, so at equal
size it says little, and choosing by it at a given latency loses much. A score is not an accuracy: check what it ranks
before relying on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.scores.score import Score
from search_spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Nwot(Score):
    """The natural logarithm of a determinant, in nats."""

    unit: ClassVar[str] = "nats"

    def _score(self, architecture: Architecture, seed: int) -> float:
        from evaluators.scores.probing import Noise, relu_outputs

        noise = Noise(seed)
        images = noise.draw((self.batch, 3, self.resolution, self.resolution))
        return log_determinant(relu_outputs(architecture, images, noise, seed))


def log_determinant(activations: "Iterable[Tensor]") -> float:
    """ln |det K|, where K[i, j] counts the units that are on, or off, for both images i and j; activations (B, ...)."""
    import torch

    agreements: Tensor | float = 0.0
    for layer in activations:
        signs = (layer.flatten(1) > 0).float() * 2 - 1  # (B, units); the product of two is agreements - disagreements
        agreements = agreements + ((signs @ signs.T + signs.shape[1]) / 2).double()
    return float(torch.linalg.slogdet(torch.as_tensor(agreements)).logabsdet)
