"""Score from sensitivity: how much the last features of a Gaussian network change with a small change of the image.

It is ln of the mean absolute change, plus ln of the standard deviations by which batch norms divide, because they hide
that much sensitivity (Zen-score, Lin et al., ICCV 2021, arXiv 2102.01063, section 3). It mostly reflects width. A score
is not an accuracy: check what it ranks before relying on it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.scores.score import Score
from search_spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor, nn

    from evaluators.scores.probing import Watch

STEP = 0.01


@dataclass(frozen=True, kw_only=True)
class Zen(Score):
    """The sensitivity in nats, of networks with weights from the unit normal distribution, as in the paper."""

    unit: ClassVar[str] = "nats"

    def _score(self, architecture: Architecture, seed: int) -> float:
        from torch import nn

        deviations: list[float] = []

        def watch(name: str, part: "nn.Module", x: "Tensor", out: "Tensor") -> None:
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                deviations.append(log_deviation(x))

        shape = (self.batch, 3, self.resolution, self.resolution)
        features = [self._features(architecture, shape, seed, step, None if step else watch) for step in (0.0, STEP)]
        return log_change(features[0], features[1]) + sum(deviations)

    @staticmethod
    def _features(
        architecture: Architecture, shape: tuple[int, ...], seed: int, step: float, watch: "Watch | None"
    ) -> "Tensor":
        """The features before the head; the same image and weights for both steps."""
        from evaluators.scores.probing import Noise, outputs

        noise = Noise(seed, kaiming=False)
        images = noise.draw(shape) + step * noise.draw(shape)
        *_, last = outputs(architecture, images, noise, seed, watch)
        return last


def log_change(features: "Tensor", moved: "Tensor") -> float:
    """ln of the mean of |f(x) - f(x + 0.01 e)|; minus infinity if nothing changes."""
    return float((features - moved).abs().mean(dtype=features.double().dtype).log())


def log_deviation(x: "Tensor") -> float:
    """ln of the root of the mean variance of the channels (dimension 1) of a batch norm's input."""
    channels = x.transpose(0, 1).flatten(1).double()
    return 0.5 * float(channels.var(1, unbiased=False).mean().log())
