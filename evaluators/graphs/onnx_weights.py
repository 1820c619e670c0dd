"""The weights of a torch network in the form of its ONNX graph: norms merged, linear layers as (in, out)."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from search_spaces.nextvit.network import NextViT


@torch.no_grad()
def folded(network: NextViT) -> dict[str, "np.ndarray[Any, Any]"]:
    """Weights by the names that `onnx_graph.build` uses; the network itself does not change."""
    network = copy.deepcopy(network).eval().merge()
    values = {name: value.numpy() for name, value in network.state_dict().items()}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and not name.startswith("head"):
            values[f"{name}.weight"] = values[f"{name}.weight"].T
    return values
