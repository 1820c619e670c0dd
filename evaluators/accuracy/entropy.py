"""Score from block entropy: how many directions a random network's features spread over, on noise. The default score.

For every block, the entropy of the normalised eigenvalues of the covariance of its output's channels; the score is
the mean over blocks ("expressivity" of AZ-NAS, Lee and Ham, CVPR 2024, arXiv 2403.19232, section 3.2; averaged, not
summed, so that depth alone does not win). A score is not an accuracy: `nas validate` tells what it ranks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.common.score import Score
from search_spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Entropy(Score):
    """Mean over blocks, in nats.

    32 px and three seeds take a quarter of the time of 64 px and four. Their orders differ (Kendall tau 0.76 over
    60 random networks), but they rank trained networks of this family alike (docs/truth.md) and repeat from seed to
    seed (tau 0.96). Fewer than 16 images make batch statistics meaningless.
    """

    unit: ClassVar[str] = "nats"

    resolution: int = 32

    def _score(self, architecture: Architecture, seed: int) -> float:
        from evaluators.common.probing import Noise, outputs

        noise = Noise(seed)
        images = noise.draw((self.batch, 3, self.resolution, self.resolution))
        entropies = [spectral_entropy(x) for x in outputs(architecture, images, noise, seed)]
        return sum(entropies) / len(entropies)


def spectral_entropy(features: "Tensor") -> float:
    """Entropy, in nats, of the normalised eigenvalues of the channels' covariance. Features are (B, C, H, W)."""
    import torch

    from evaluators.common.probing import spectrum

    shares = spectrum(features)
    return float(-torch.special.xlogy(shares, shares).sum())
