"""Networks with the weights that ByteDance trained and timm hosts."""

import torch

from search_spaces.common.errors import UnknownName
from search_spaces.nextvit import weights
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.network import NextViT

DEFAULT_TAG = "bd_in1k"
TIMM_NAMES = {"next-vit-s": "nextvit_small", "next-vit-b": "nextvit_base", "next-vit-l": "nextvit_large"}


def create(architecture: Architecture, *, pretrained: bool | str = False, drop_path_rate: float = 0.1) -> NextViT:
    """The network of an architecture, with timm's ImageNet weights where `pretrained` asks for them.

    `pretrained` is True for the default weights or names a tag (`bd_in1k_384`, `bd_ssld_6m_in1k`, ...).

    Raises:
        UnknownName: only Next-ViT-S, B and L have published weights.
        Unavailable: timm's hub cannot be reached, or has no such weights.
    """
    network = NextViT(architecture, drop_path_rate=drop_path_rate)
    if pretrained:
        tag = pretrained if isinstance(pretrained, str) else DEFAULT_TAG
        network.load_state_dict(download(architecture, tag))
    return network


def download(architecture: Architecture, tag: str = DEFAULT_TAG) -> dict[str, torch.Tensor]:
    """timm's published weights for one of the paper's networks, by parameter name."""
    size = next((name for name, known in PAPER.items() if known == architecture), None)
    if size is None:
        raise UnknownName("pretrained network", str(architecture), (f"{name} ({PAPER[name]})" for name in PAPER))
    model = f"{TIMM_NAMES[size]}.{tag}"
    return weights.from_timm(model)
