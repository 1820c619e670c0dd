"""Score from synaptic flow: how much of every weight's size reaches the output, without any data.

All weights are made positive, the image is all ones, R is the sum of the last features, and the score is
ln of the sum over weights of |w| ln(1 + |dR/dw|) (log-synflow: Cavagnero and others, WACV 2023, arXiv 2207.05135;
synflow: Tanaka and others, NeurIPS 2020, arXiv 2006.05467). In float64. Norms would turn a constant image into nothing:
each divides by the mean of what it gets instead, a number that gradients do not see, which also keeps deep networks
from overflowing.
A score is not an accuracy: `nas validate` tells what it ranks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evaluators.scores.score import Score
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Synflow(Score):
    """One image; `batch` is not used by its formula."""

    unit: ClassVar[str] = "nats"
    smallest_batch: ClassVar[int] = 1

    batch: int = 1

    def _score(self, architecture: Architecture, seed: int) -> float:
        import torch

        from evaluators.scores.probing import Noise
        from search_spaces.nextvit.network import NextViT

        with torch.device("meta"):
            network = NextViT(architecture, num_classes=0, drop_path_rate=0)
        weights = Noise(seed).weights(network)
        positive = {name: each.abs().double().requires_grad_() for name, each in weights.items()}
        image = torch.ones(self.batch, 3, self.resolution, self.resolution, dtype=torch.float64)
        flow = log_flow(network, positive, image)
        if unreached := [name for name, each in positive.items() if each.grad is None and each.ndim > 1]:
            raise MeasurementFailed("untrainable: no gradient reaches some weights", ", ".join(unreached))
        return flow


def log_flow(network: "nn.Module", positive: "dict[str, Tensor]", image: "Tensor") -> float:
    """ln of the sum of w ln(1 + |dR/dw|) over matrices and kernels, R the sum of the outputs for that image."""
    import torch
    from torch import nn

    for name, part in list(network.named_modules()):
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            holder, _, last = name.rpartition(".")
            setattr(network.get_submodule(holder), last, nn.Identity())
            network.get_submodule(name).register_forward_hook(
                lambda part, inputs, output: output / output.mean().detach()
            )
    torch.func.functional_call(network, positive, (image,)).sum().backward()
    terms = [
        (each.detach() * each.grad.abs().log1p()).sum()
        for each in positive.values()
        if each.ndim > 1 and each.grad is not None
    ]
    return float(torch.stack(terms).sum().log())
