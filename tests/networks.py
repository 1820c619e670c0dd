"""Architectures and networks for tests: the corners of the family, random ones, and torch networks with live norms."""

from dataclasses import replace

import optuna
import torch
from torch import nn

import search_spaces
from search_spaces import Architecture, Stage
from search_spaces.nextvit.network import NextViT
from search_spaces.zoo import KINDS


def small(blocks: tuple[str, str, str, str], ratio: float = 0.75) -> Architecture:
    """A narrow network: quick, and with every kind of block that the notation names."""
    widths = ((64, 128, 8), (64, 128, 4), (96, 192, 2), (128, 256, 1))
    return Architecture(
        stages=tuple(
            Stage(blocks=row, conv_width=conv, transformer_width=transformer, mix_block_ratio=ratio, sr_ratio=sr)
            for row, (conv, transformer, sr) in zip(blocks, widths, strict=True)
        )
    )


# Trains in seconds.
TINY = Architecture(
    stages=tuple(
        Stage(blocks=blocks, conv_width=32, transformer_width=64, mix_block_ratio=0.5, sr_ratio=1)
        for blocks in ("C", "C", "CT", "C")
    ),
    stem=(8, 8, 8),
    head_dim=16,
)

CORNERS = {
    "all convolution": small(("CC", "C", "CCC", "C")),
    "all transformer": small(("T", "TT", "T", "T")),
    "transformer first": small(("T", "TC", "TCC", "TC")),
    "no attention": small(("C", "CT", "CT", "T"), ratio=0),
    "attention alone": small(("T", "CT", "CTT", "T"), ratio=1),
    "half": small(("T", "CT", "CTCT", "CT"), ratio=0.5),
}


MIXED = small(("T", "CT", "CT", "T"), ratio=0.5)
VARIANTS = {
    "layer norm": replace(MIXED, normalization="layer"),
    "gelu": replace(MIXED, activation="gelu"),
    "convolution first": replace(MIXED, transformer_order="convolution-first"),
    "squares": replace(MIXED, attention_pooling="squares"),
    "kernel 5": replace(MIXED, conv_kernel=5),
    "all variants": replace(
        MIXED,
        normalization="layer",
        activation="gelu",
        transformer_order="convolution-first",
        attention_pooling="squares",
        conv_kernel=7,
    ),
}
ZOO = {kind: small((kind, f"C{kind}", f"{kind}T", kind * 2), ratio=0.5) for kind in sorted(KINDS)}
EVERYTHING = replace(VARIANTS["all variants"], stages=small(("RX", "VWC", "PMT", "CT"), ratio=0.5).stages)
EVERY = {**CORNERS, **VARIANTS, **ZOO}
WHOLE = {**CORNERS, "everything": EVERYTHING}  # where each block or variant by itself would take long


def random_networks(count: int, space: str = "nhs", seed: int = 0) -> list[Architecture]:
    """Random members of a space."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [search_spaces.get(space).suggest(study.ask()) for _ in range(count)]


@torch.no_grad()
def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """Gives every norm statistics and weights of its own, as training would: fresh ones hide mistakes."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_(0, 0.1)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_(0, 0.1)
    return network


def built(architecture: Architecture, num_classes: int = 10) -> NextViT:
    """The network in evaluation mode, its norms alive."""
    network = NextViT(architecture, num_classes=num_classes).eval()
    lively(network)
    return network
