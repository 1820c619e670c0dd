"""Score from block entropy: how many directions a random network's features spread over, on noise. The default score.

For every block, the entropy of the normalised eigenvalues of the covariance of its output's channels; the score is
the mean over blocks ("expressivity" of AZ-NAS, Lee and Ham, CVPR 2024, arXiv 2403.19232, section 3.2; averaged, not
summed, so that depth alone does not win). Rules for networks with batch norm: norms in training mode, no dropped
paths, Kaiming initialisation, several seeds. A score is not an accuracy: it has not been validated on your data.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, ClassVar

from evaluators.common.evaluator import Evaluator, check_range
from evaluators.common.measurement import Direction, Kind, Reading
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

if TYPE_CHECKING:
    from torch import Tensor

    from search_spaces.nextvit.network import NextViT

UNVALIDATED = "unvalidated: no trained accuracy on your data has been compared with this score"
# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; beyond them the normal's 1.96 is close.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True, kw_only=True)
class Entropy(Evaluator):
    """Deterministic under its seed; its interval is the spread from seed to seed.

    16 images of 64 px rank networks of the space as 32 do (Kendall tau 0.97 over 24 random ones) in two thirds of the
    time; fewer images make batch statistics meaningless.
    """

    unit: ClassVar[str] = "nats"
    direction: ClassVar[Direction] = "maximize"
    kind: ClassVar[Kind] = "score"
    packages: ClassVar[tuple[str, ...]] = ("torch",)

    batch: int = 16
    resolution: int = 64
    seeds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("batch", self.batch, 16, 1024)
        check_range("resolution", self.resolution, 32, 512)
        check_range("seeds", self.seeds, 2, 100)

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        import numpy as np

        with ThreadPoolExecutor(min(self.seeds, os.cpu_count() or 1)) as pool:
            scores = pool.map(lambda index: self._score(architecture, self.seed + index), range(self.seeds))
            values = np.array(list(scores))
        if not np.isfinite(values).all():
            raise MeasurementFailed("the score is not finite", f"{architecture}: {values.tolist()}")
        freedom = self.seeds - 1
        quantile = STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96
        half = quantile * values.std(ddof=1) / self.seeds**0.5
        value = round(float(values.mean()), 6)
        return Reading(
            value=value,
            low=value - float(half),
            high=value + float(half),
            samples=self.seeds,
            quality="score",
            warnings=(UNVALIDATED,),
            details={"by_seed": values.round(6).tolist()},
        )

    def _score(self, architecture: Architecture, seed: int) -> float:
        import torch

        torch.set_num_threads(1)  # a thread for each seed: quicker, and the same sums on any number of cores
        noise = Noise(seed)
        network = _fresh(architecture, noise)
        entropies: list[float] = []
        for stage in network.stages:
            for block in stage.blocks:
                block.register_forward_hook(lambda module, inputs, output: entropies.append(spectral_entropy(output)))
        with torch.no_grad():
            network.stages(network.stem(noise.draw((self.batch, 3, self.resolution, self.resolution))))
        return sum(entropies) / len(entropies)


class Noise:
    """Normal numbers of a seed, drawn once for all networks: drawing them anew took a third of the score's time."""

    def __init__(self, seed: int) -> None:
        self.numbers, self.position = _numbers(seed), 0

    def draw(self, shape: tuple[int, ...]) -> "Tensor":
        """The next numbers, in the shape asked for; from the start again when they run out."""
        length = prod(shape)
        if self.position + length > len(self.numbers):
            self.position = (self.position + length) % 4093  # so that no two layers meet the same numbers in step
        start, self.position = self.position, self.position + length
        return self.numbers[start : self.position].view(shape)


@lru_cache(maxsize=128)
def _numbers(seed: int) -> "Tensor":
    import torch

    return torch.randn(1 << 24, generator=torch.Generator().manual_seed(seed))


def _fresh(architecture: Architecture, noise: Noise) -> "NextViT":
    """The network in training mode: Kaiming normal weights (fan in), zero biases, norms at 1 and 0, no dropped paths."""
    import torch
    from torch import nn

    from search_spaces.nextvit.network import NextViT

    with torch.device("meta"):  # its own initialisation would cost more than the score
        network = NextViT(architecture, num_classes=0, drop_path_rate=0.0)
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            with torch.no_grad():
                module.weight.copy_(noise.draw(tuple(module.weight.shape)) * (2 / fan_in) ** 0.5)
                if module.bias is not None:
                    module.bias.zero_()
    return network.train()


def spectral_entropy(features: "Tensor") -> float:
    """Entropy, in nats, of the normalised eigenvalues of the channels' covariance. Features are (B, C, H, W).

    Positions of all images are the samples; where they are fewer than channels, the Gram matrix of the samples has
    the same eigenvalues and is smaller.
    """
    import torch

    samples = features.transpose(0, 1).flatten(1)  # (C, n)
    samples = samples - samples.mean(1, keepdim=True)
    channels, count = samples.shape
    matrix = samples @ samples.T if channels <= count else samples.T @ samples
    eigenvalues = torch.linalg.eigvalsh(matrix.double()).clamp_min(0)
    shares = eigenvalues / eigenvalues.sum()
    return float(-torch.special.xlogy(shares, shares).sum())
