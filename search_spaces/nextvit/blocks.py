"""The blocks of Next-ViT (arXiv 2207.05501, section 3). Read `parts.py` first.

References:
    the paper           https://arxiv.org/abs/2207.05501; equations are numbered as there
    the official code   https://github.com/bytedance/Next-ViT
    timm                `timm.models.nextvit`; parameters have the same names here, so that its weights load

Shapes: B batch, C channels, H and W height and width.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from search_spaces.nextvit.folding import fold_into
from search_spaces.nextvit.parts import (
    ConvAttention,
    ConvMlp,
    DropPath,
    EfficientAttention,
    PatchEmbed,
    norm_layer,
)
from search_spaces.nextvit.stage import Block
from search_spaces.zoo import KINDS


class NextConvBlock(nn.Module):
    """NCB, Next Convolution Block (equation 1): convolutional attention, then an MLP, each with a residual."""

    def __init__(self, block: Block, drop_path: float = 0.0) -> None:
        super().__init__()
        channels = block.out_channels
        self.patch_embed = PatchEmbed(block.in_channels, channels, block.stride, block.normalization)
        self.mhca = ConvAttention(channels, block.head_dim, block.kernel, block.normalization, block.activation)
        self.attn_drop_path = DropPath(drop_path)
        self.norm: nn.Module = norm_layer(block.normalization, channels)
        self.mlp = ConvMlp(channels, block.mlp_channels, block.activation)
        self.mlp_drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)  # (B, C, H, W) -> (B, C', H / stride, W / stride)
        x = x + self.attn_drop_path(self.mhca(x))
        return x + self.mlp_drop_path(self.mlp(self.norm(x)))

    def reparameterize(self) -> None:
        """Folds the norm before the MLP into it. Weights change, outputs do not."""
        self.norm = fold_into(self.norm, self.mlp.fc1)


class NextTransformerBlock(nn.Module):
    """NTB, Next Transformer Block (equation 6): attention, convolution on its output, and an MLP on both together.

    Attention has the share r (the paper's shrink ratio) of the output channels, convolution the rest. r = 0 leaves only
    the convolution, r = 1 only the attention: the paper compares both, its code builds neither. With the order
    "convolution-first", attention works on the convolution's output.
    """

    __constants__ = ("attends", "convolves", "local_first")  # TorchScript then skips what is not there

    def __init__(self, block: Block, drop_path: float = 0.0) -> None:
        super().__init__()
        attention, convolution = block.attention_channels, block.conv_channels
        ratio = attention / block.out_channels
        self.attends, self.convolves = attention > 0, convolution > 0
        self.local_first = block.order == "convolution-first"
        first, second = (convolution, attention) if self.local_first else (attention, convolution)
        # Stochastic depth is shared between the two branches in proportion to their channels (official code).
        self.patch_embed = PatchEmbed(block.in_channels, first or second, block.stride, block.normalization)
        if self.attends:
            self.norm1: nn.Module = norm_layer(block.normalization, attention)
            self.e_mhsa = EfficientAttention(
                attention, block.head_dim, block.sr_ratio, block.pooling, block.normalization
            )
            self.mhsa_drop_path = DropPath(drop_path * ratio)
        if self.attends and self.convolves:
            self.projection = PatchEmbed(first, second, normalization=block.normalization)
        if self.convolves:
            self.mhca = ConvAttention(convolution, block.head_dim, block.kernel, block.normalization, block.activation)
            self.mhca_drop_path = DropPath(drop_path * (1 - ratio))
        self.norm2: nn.Module = norm_layer(block.normalization, block.out_channels)
        self.mlp = ConvMlp(block.out_channels, block.mlp_channels, block.activation)
        self.mlp_drop_path = DropPath(drop_path)

    def attend(self, x: Tensor) -> Tensor:
        return x + self.mhsa_drop_path(self.e_mhsa(self.norm1(x)))

    def convolve(self, x: Tensor) -> Tensor:
        return x + self.mhca_drop_path(self.mhca(x))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)
        if self.attends and self.convolves:
            x = self.convolve(x) if self.local_first else self.attend(x)  # (B, rC, H, W), or (B, (1 - r)C, H, W)
            y = self.projection(x)
            y = self.attend(y) if self.local_first else self.convolve(y)
            x = torch.cat([x, y], dim=1)  # (B, C, H, W): what was first, then what was made of it
        elif self.attends:
            x = self.attend(x)
        else:
            x = self.convolve(x)
        return x + self.mlp_drop_path(self.mlp(self.norm2(x)))

    def reparameterize(self) -> None:
        """Folds the batch norms before attention and before the MLP into the layers after them.

        This is exact although keys and values are pooled in between: an average commutes with a scale and a shift of
        each channel.
        """
        if self.attends:
            attention = self.e_mhsa
            if attention.norm is not None:
                fold_into(attention.norm, attention.k)
                attention.norm = fold_into(attention.norm, attention.v)
            fold_into(self.norm1, attention.k)
            fold_into(self.norm1, attention.v)
            self.norm1 = fold_into(self.norm1, attention.q)
        self.norm2 = fold_into(self.norm2, self.mlp.fc1)


def build(block: Block, drop_path: float = 0.0) -> nn.Module:
    """The module of one block of an architecture."""
    if block.kind in KINDS:
        embed = PatchEmbed(block.in_channels, block.out_channels, block.stride, block.normalization)
        return nn.Sequential(OrderedDict(patch_embed=embed, **KINDS[block.kind].parts(block, drop_path)))
    return NextConvBlock(block, drop_path) if block.kind == "C" else NextTransformerBlock(block, drop_path)
