"""The blocks of Next-ViT (arXiv 2207.05501, section 3), from the smallest part to the largest.

References:
    the paper           https://arxiv.org/abs/2207.05501; equations are numbered as there
    the official code   https://github.com/bytedance/Next-ViT
    timm                `timm.models.nextvit`; parameters have the same names here, so that its weights load

Shapes: B batch, C channels, H and W height and width, N = H * W tokens, M tokens after pooling, h heads, d channels per
head (C = h * d).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.nextvit.architecture import Block


class DropPath(nn.Module):
    """Drops a residual branch for whole samples while training (stochastic depth, arXiv 1603.09382)."""

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keep = x.new_empty([x.shape[0]] + [1] * (x.ndim - 1)).bernoulli_(1 - self.rate)  # (B, 1, 1, 1): 0 or 1
        return x * keep / (1 - self.rate)  # divided, so that the expectation stays the same


class ConvNormAct(nn.Module):
    """3x3 convolution, batch norm, ReLU: one layer of the stem."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))  # (B, C, H, W) -> (B, C', H / stride, W / stride)


class PatchEmbed(nn.Module):
    """Changes a block's input to the block's width and resolution; the identity where both fit already."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.pool: nn.Module = nn.Identity()
        self.conv: nn.Module = nn.Identity()
        self.norm: nn.Module = nn.Identity()
        if stride == 2:  # an odd edge is averaged over the positions that exist
            self.pool = nn.AvgPool2d(2, stride=2, ceil_mode=True, count_include_pad=False)
        if stride == 2 or in_channels != out_channels:
            self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
            self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.pool(x)))  # (B, C, H, W) -> (B, C', H / stride, W / stride)


class ConvAttention(nn.Module):
    """MHCA, multi-head convolutional attention (equations 2 and 3).

    A 3x3 convolution works in each head, one group of `head_dim` channels; a 1x1 convolution mixes the heads.
    """

    def __init__(self, channels: int, head_dim: int) -> None:
        super().__init__()
        self.group_conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels // head_dim, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)
        self.projection = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.group_conv3x3(x)))  # (B, C, H, W), each head by itself
        return self.projection(x)  # (B, C, H, W), across the heads


class ConvMlp(nn.Module):
    """Two 1x1 convolutions with a ReLU in between: the MLP of every position."""

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden_channels, 1)
        self.act = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(hidden_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))  # (B, C, H, W) -> (B, hidden, H, W) -> (B, C, H, W)


class EfficientAttention(nn.Module):
    """E-MHSA, efficient multi-head self-attention (equations 4 and 5), on tokens (B, N, C).

    Keys and values come from averages of `sr_ratio`^2 tokens, so attention costs N * M instead of N * N. The pool runs
    over flattened tokens, along rows and not over squares, as in the official code: trained weights depend on it.
    """

    def __init__(self, channels: int, head_dim: int, sr_ratio: int) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.proj = nn.Linear(channels, channels)
        self.sr = nn.AvgPool1d(sr_ratio**2) if sr_ratio > 1 else None
        self.norm: nn.Module | None = nn.BatchNorm1d(channels) if sr_ratio > 1 else None

    def heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], -1, self.head_dim).transpose(1, 2)  # (B, N, C) -> (B, h, N, d)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x
        if self.sr is not None and self.norm is not None:
            pooled = self.norm(self.sr(x.transpose(1, 2))).transpose(1, 2)  # (B, N, C) -> (B, M, C)
        q = self.heads(self.q(x))  # (B, h, N, d)
        k, v = self.heads(self.k(pooled)), self.heads(self.v(pooled))  # (B, h, M, d)
        out = F.scaled_dot_product_attention(q, k, v)  # (B, h, N, d)
        return self.proj(out.transpose(1, 2).flatten(2))  # (B, N, C)


class NextConvBlock(nn.Module):
    """NCB, Next Convolution Block (equation 1): convolutional attention, then an MLP, each with a residual."""

    def __init__(self, block: Block, drop_path: float = 0.0) -> None:
        super().__init__()
        channels = block.out_channels
        self.patch_embed = PatchEmbed(block.in_channels, channels, block.stride)
        self.mhca = ConvAttention(channels, block.head_dim)
        self.attn_drop_path = DropPath(drop_path)
        self.norm: nn.Module = nn.BatchNorm2d(channels)
        self.mlp = ConvMlp(channels, block.mlp_channels)
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
    the convolution, r = 1 only the attention: the paper compares both, its code builds neither.
    """

    __constants__ = ("attends", "convolves")  # TorchScript then skips the branches whose modules are not there

    def __init__(self, block: Block, drop_path: float = 0.0) -> None:
        super().__init__()
        attention, convolution = block.attention_channels, block.conv_channels
        ratio = attention / block.out_channels
        self.attends, self.convolves = attention > 0, convolution > 0
        # Stochastic depth is shared between the two branches in proportion to their channels (official code).
        self.patch_embed = PatchEmbed(block.in_channels, attention or convolution, block.stride)
        if self.attends:
            self.norm1: nn.Module = nn.BatchNorm2d(attention)
            self.e_mhsa = EfficientAttention(attention, block.head_dim, block.sr_ratio)
            self.mhsa_drop_path = DropPath(drop_path * ratio)
        if self.attends and self.convolves:
            self.projection = PatchEmbed(attention, convolution)
        if self.convolves:
            self.mhca = ConvAttention(convolution, block.head_dim)
            self.mhca_drop_path = DropPath(drop_path * (1 - ratio))
        self.norm2: nn.Module = nn.BatchNorm2d(block.out_channels)
        self.mlp = ConvMlp(block.out_channels, block.mlp_channels)
        self.mlp_drop_path = DropPath(drop_path)

    def attend(self, x: Tensor) -> Tensor:
        tokens = self.norm1(x).flatten(2).transpose(1, 2)  # (B, C, H, W) -> (B, N, C)
        out = self.mhsa_drop_path(self.e_mhsa(tokens))
        return x + out.transpose(1, 2).unflatten(2, x.shape[2:])  # (B, N, C) -> (B, C, H, W)

    def convolve(self, x: Tensor) -> Tensor:
        return x + self.mhca_drop_path(self.mhca(x))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)
        if self.attends:
            x = self.attend(x)  # (B, rC, H, W)
        if self.attends and self.convolves:
            local = self.convolve(self.projection(x))  # (B, (1 - r)C, H, W)
            x = torch.cat([x, local], dim=1)  # (B, C, H, W): global features first, local ones behind
        elif self.convolves:
            x = self.convolve(x)
        return x + self.mlp_drop_path(self.mlp(self.norm2(x)))

    def reparameterize(self) -> None:
        """Folds the norms before attention and before the MLP into the layers after them.

        This is exact although keys and values are pooled in between: an average commutes with a scale and a shift of
        each channel.
        """
        if self.attends:
            attention = self.e_mhsa
            for projection in (attention.k, attention.v):
                if attention.norm is not None:
                    fold_into(attention.norm, projection)
                fold_into(self.norm1, projection)
            attention.norm = nn.Identity() if attention.sr is not None else None
            self.norm1 = fold_into(self.norm1, attention.q)
        self.norm2 = fold_into(self.norm2, self.mlp.fc1)


def build(block: Block, drop_path: float = 0.0) -> NextConvBlock | NextTransformerBlock:
    """The module of one block of an architecture."""
    return NextConvBlock(block, drop_path) if block.kind == "C" else NextTransformerBlock(block, drop_path)


def affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) of a batch norm in evaluation mode: it computes `scale * x + shift` for each channel."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) and norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - scale * norm.running_mean


@torch.no_grad()
def fold_into(norm: nn.Module, layer: nn.Module) -> nn.Identity:
    """Folds a norm into the linear layer or 1x1 convolution after it, in place; returns its replacement."""
    assert isinstance(layer, nn.Linear | nn.Conv2d) and layer.bias is not None
    if isinstance(norm, nn.Identity):
        return norm
    scale, shift = affine(norm)
    matrix = layer.weight.flatten(1)  # (out, in): a 1x1 convolution is a matrix too
    layer.bias += matrix @ shift  # W (s x + t) + b = (W s) x + (W t + b)
    layer.weight.copy_((matrix * scale).view_as(layer.weight))
    return nn.Identity()


@torch.no_grad()
def fold_behind(conv: nn.Module, norm: nn.Module) -> nn.Identity:
    """Folds a norm into the convolution without bias before it, in place; returns its replacement."""
    if isinstance(norm, nn.Identity):
        return norm
    assert isinstance(conv, nn.Conv2d) and conv.bias is None
    scale, shift = affine(norm)
    conv.weight.mul_(scale.view(-1, 1, 1, 1))  # (out, in / groups, 3, 3)
    conv.bias = nn.Parameter(shift.clone())
    return nn.Identity()
