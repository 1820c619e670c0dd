"""Score from synaptic flow: how much of every weight's size reaches the output, without any data.

All weights are made positive, the image is all ones, R is the sum of the last features, and the score is the logarithm
of the sum over weights of |w| ln(1 + |dR/dw|), in float64 (log-synflow: Cavagnero et al., WACV 2023, arXiv 2207.05135;
synflow: Tanaka et al., NeurIPS 2020, arXiv 2006.05467). Norms would map a constant image to zero: they are
replaced by a division by the mean of their input, through which no gradient flows and which keeps deep networks from
overflowing. A score is not an accuracy: check what it ranks before relying on it.
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
    """The logarithm of the flow, in nats. One image suffices: the formula does not use `batch`."""

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
        positive = {name: weight.abs().double().requires_grad_() for name, weight in weights.items()}
        image = torch.ones(self.batch, 3, self.resolution, self.resolution, dtype=torch.float64)
        flow = log_flow(network, positive, image)
        if unreached := [name for name, weight in positive.items() if weight.grad is None and weight.ndim > 1]:
            raise MeasurementFailed("untrainable: no gradient reaches some weights", ", ".join(unreached))
        return flow


def log_flow(network: "nn.Module", positive: "dict[str, Tensor]", image: "Tensor") -> float:
    """ln of the sum of w ln(1 + |dR/dw|) over matrices and kernels, where R is the sum of the outputs for an image."""
    import torch
    from torch import nn

    for name, part in list(network.named_modules()):
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm):
            holder, _, last = name.rpartition(".")
            setattr(network.get_submodule(holder), last, nn.Identity())
            network.get_submodule(name).register_forward_hook(
                lambda part, inputs, output: output / output.mean().detach()
            )
    torch.func.functional_call(network, positive, (image,)).sum().backward()
    terms = [
        (weight.detach() * weight.grad.abs().log1p()).sum()
        for weight in positive.values()
        if weight.ndim > 1 and weight.grad is not None
    ]
    return float(torch.stack(terms).sum().log())
