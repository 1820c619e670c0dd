"""The parts of blocks, from the smallest to the largest: norms, convolutions, MLP, attention.

Equations are those of Next-ViT (arXiv 2207.05501). Shapes: B batch, C channels, H and W height and width, N = H * W
tokens, M tokens after pooling, h heads, d channels per head (C = h * d).
"""

from collections import OrderedDict

import torch
import torch.fx
import torch.nn.functional as F
from torch import Tensor, nn


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


class Residual(nn.Sequential):
    """Parts in sequence, added to their input: a residual branch."""

    def __init__(self, drop_path: float, **parts: nn.Module) -> None:
        super().__init__(OrderedDict(parts, drop_path=DropPath(drop_path)))

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for part in self:
            out = part(out)
        return x + out


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position (dimension 1), for maps (B, C, H, W) and rows (B, C, N)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(1, -1)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).movedim(-1, 1)


def norm_layer(normalization: str, channels: int) -> nn.Module:
    """The norm of a map (B, C, H, W): "batch" or "layer"."""
    return nn.BatchNorm2d(channels) if normalization == "batch" else ChannelNorm(channels)


def activation_layer(activation: str) -> nn.Module:
    """An activation function: "relu", "gelu", or "none"."""
    return {"relu": nn.ReLU(inplace=True), "gelu": nn.GELU(), "none": nn.Identity()}[activation]


class ConvNormAct(nn.Module):
    """Convolution, norm, activation: a layer of the stem by default, 3x3 with batch norm and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        kernel: int = 3,
        groups: int = 1,
        normalization: str = "batch",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.norm: nn.Module = norm_layer(normalization, out_channels)
        self.act = activation_layer(activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))  # (B, C, H, W) -> (B, C', H / stride, W / stride)


class PatchEmbed(nn.Module):
    """Changes a block's input to the block's width and resolution; the identity where both fit already."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, normalization: str = "batch") -> None:
        super().__init__()
        self.pool: nn.Module = nn.Identity()
        self.conv: nn.Module = nn.Identity()
        self.norm: nn.Module = nn.Identity()
        if stride == 2:  # an odd edge is averaged over the positions that exist
            self.pool = nn.AvgPool2d(2, stride=2, ceil_mode=True, count_include_pad=False)
        if stride == 2 or in_channels != out_channels:
            self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
            self.norm = norm_layer(normalization, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.pool(x)))  # (B, C, H, W) -> (B, C', H / stride, W / stride)


class ConvAttention(nn.Module):
    """MHCA, multi-head convolutional attention (equations 2 and 3).

    A convolution, 3x3 in the paper, works in each head, one group of `head_dim` channels; a 1x1 convolution mixes the
    heads. The names of parameters are timm's, whatever the kernel.
    """

    def __init__(
        self, channels: int, head_dim: int, kernel: int = 3, normalization: str = "batch", activation: str = "relu"
    ) -> None:
        super().__init__()
        groups = channels // head_dim
        self.group_conv3x3 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm: nn.Module = norm_layer(normalization, channels)
        self.act = activation_layer(activation)
        self.projection = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.group_conv3x3(x)))  # (B, C, H, W), each head by itself
        return self.projection(x)  # (B, C, H, W), across the heads


class ConvMlp(nn.Module):
    """Two 1x1 convolutions with an activation in between: the MLP of every position."""

    def __init__(self, channels: int, hidden_channels: int, activation: str = "relu") -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden_channels, 1)
        self.act = activation_layer(activation)
        self.fc2 = nn.Conv2d(hidden_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))  # (B, C, H, W) -> (B, hidden, H, W) -> (B, C, H, W)


@torch.fx.wrap  # a tracer sees a size only as a symbol
def row_averages(x: Tensor, window: int) -> Tensor:
    """Averages of `window` tokens in a row, (B, C, N) to (B, C, M); where there are fewer, the average of them all."""
    return F.avg_pool1d(x, min(window, x.shape[-1]))


class RowPool(nn.Module):
    """Averages of `window` tokens in a row."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        return row_averages(x, self.window)


class EfficientAttention(nn.Module):
    """E-MHSA, efficient multi-head self-attention (equations 4 and 5), on a map (B, C, H, W).

    Keys and values come from averages of `sr_ratio`^2 tokens, so attention costs N * M instead of N * N. The pool runs
    over flattened tokens, along rows and not over squares, as in the official code: trained weights depend on it. With
    `pooling` "squares" it runs over squares of `sr_ratio` positions a side; one that the edge cuts off averages the
    positions that it has. A map smaller than one row or square has one key.
    """

    __constants__ = ("squares",)

    def __init__(
        self, channels: int, head_dim: int, sr_ratio: int = 1, pooling: str = "rows", normalization: str = "batch"
    ) -> None:
        super().__init__()
        self.head_dim, self.squares = head_dim, pooling == "squares"
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.proj = nn.Linear(channels, channels)
        self.sr: nn.Module | None = None
        self.norm: nn.Module | None = None
        if sr_ratio > 1:
            self.sr = RowPool(sr_ratio**2)
            if self.squares:
                self.sr = nn.AvgPool2d(sr_ratio, ceil_mode=True, count_include_pad=False)
            self.norm = nn.BatchNorm1d(channels) if normalization == "batch" else ChannelNorm(channels)

    def heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], -1, self.head_dim).transpose(1, 2)  # (B, N, C) -> (B, h, N, d)

    def mix(self, tokens: Tensor, pooled: Tensor) -> Tensor:
        """The values of `pooled` (B, M, C), mixed for each of `tokens` (B, N, C)."""
        q = self.heads(self.q(tokens))  # (B, h, N, d)
        k, v = self.heads(self.k(pooled)), self.heads(self.v(pooled))  # (B, h, M, d)
        out = F.scaled_dot_product_attention(q, k, v)  # (B, h, N, d)
        return out.transpose(1, 2).flatten(2)  # (B, N, C)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)  # (B, C, H, W) -> (B, N, C)
        pooled = tokens
        if self.sr is not None and self.norm is not None:
            rows = self.sr(x).flatten(2) if self.squares else self.sr(tokens.transpose(1, 2))  # (B, C, M)
            pooled = self.norm(rows).transpose(1, 2)  # (B, M, C)
        out = self.proj(self.mix(tokens, pooled))
        return out.transpose(1, 2).unflatten(2, x.shape[2:])  # (B, N, C) -> (B, C, H, W)


class WindowAttention(EfficientAttention):
    """Self-attention within windows of positions, on a map (B, C, H, W): each window by itself.

    A map that windows do not fill is padded with zeros at the bottom and on the right, and these attend as well.
    """

    def __init__(self, channels: int, head_dim: int, window: int) -> None:
        super().__init__(channels, head_dim)
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        size, channels, height, width = self.window, x.shape[1], x.shape[2], x.shape[3]
        x = F.pad(x, (0, (size - width % size) % size, 0, (size - height % size) % size))
        down, across = x.shape[2] // size, x.shape[3] // size  # windows: n in all
        windows = x.reshape(-1, channels, down, size, across, size).permute(0, 2, 4, 3, 5, 1)
        tokens = windows.reshape(-1, size * size, channels)  # (B n, N, C)
        out = self.mix(tokens, tokens).reshape(-1, down, across, size, size, channels).permute(0, 1, 3, 2, 4, 5)
        out = out.reshape(-1, down * size, across * size, channels)[:, :height, :width]  # (B, H, W, C)
        return self.proj(out).permute(0, 3, 1, 2)


class Neighbourhood(nn.Module):
    """The average of the positions around each, less the position itself (PoolFormer's mixer)."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(window, stride=1, padding=window // 2, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x) - x
