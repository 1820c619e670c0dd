"""Batch norms folded into the layers next to them, as they are deployed. Outputs in evaluation mode do not change.

Other norms take their statistics from the image itself: they stay as they are.
"""

import torch
from torch import Tensor, nn


def affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) of a batch norm in evaluation mode: it computes `scale * x + shift` for each channel."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) and norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - scale * norm.running_mean


@torch.no_grad()
def fold_into(norm: nn.Module, layer: nn.Module) -> nn.Module:
    """Folds a norm into the linear layer or 1x1 convolution after it, in place; returns its replacement."""
    assert isinstance(layer, nn.Linear | nn.Conv2d) and layer.bias is not None
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        return norm
    scale, shift = affine(norm)
    matrix = layer.weight.flatten(1)  # (out, in): a 1x1 convolution is a matrix too
    layer.bias += matrix @ shift  # W (s x + t) + b = (W s) x + (W t + b)
    layer.weight.copy_((matrix * scale).view_as(layer.weight))
    return nn.Identity()


@torch.no_grad()
def fold_behind(conv: nn.Module, norm: nn.Module) -> nn.Module:
    """Folds a norm into the convolution without bias before it, in place; returns its replacement."""
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        return norm
    assert isinstance(conv, nn.Conv2d) and conv.bias is None
    scale, shift = affine(norm)
    conv.weight.mul_(scale.view(-1, 1, 1, 1))  # (out, in / groups, 3, 3)
    conv.bias = nn.Parameter(shift.clone())
    return nn.Identity()
