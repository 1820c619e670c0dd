"""The weights of a torch network as its ONNX graph wants them: every norm merged, linear layers as (in, out)."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from search_spaces.nextvit.blocks import ConvAttention, ConvNormAct, PatchEmbed, affine
from search_spaces.nextvit.network import NextViT


@torch.no_grad()
def folded(network: NextViT) -> dict[str, "np.ndarray[Any, Any]"]:
    """Weights by the names that `onnx_graph.build` asks for; the network itself is left as it is."""
    network = copy.deepcopy(network).eval().reparameterize()
    for module in network.modules():
        if isinstance(module, ConvNormAct | PatchEmbed) and isinstance(module.norm, nn.BatchNorm2d):
            _fold_after(module.conv, module.norm)
        elif isinstance(module, ConvAttention):
            _fold_after(module.group_conv3x3, module.norm)
    values = {name: value.numpy() for name, value in network.state_dict().items()}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and not name.startswith("head"):
            values[f"{name}.weight"] = values[f"{name}.weight"].T
    return values


def _fold_after(conv: nn.Module, norm: nn.BatchNorm2d) -> None:
    """Folds the norm behind a convolution without bias into it."""
    assert isinstance(conv, nn.Conv2d)
    scale, shift = affine(norm)
    conv.weight.mul_(scale.view(-1, 1, 1, 1))
    conv.bias = nn.Parameter(shift.clone())
