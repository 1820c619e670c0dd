"""The network as it is deployed, operator by operator: one walk that the ONNX and the Core ML writer share.

Every batch norm next to a convolution or linear layer is merged into it. Weights have the names of the torch network.
Shapes are static: (batch, channels, height, width). A writer implements the operators; `X` is its type of a tensor.
"""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from search_spaces import Architecture, Block
from search_spaces.nextvit.architecture import PARTS, output_side, stem_layers

X = TypeVar("X")


class Deployed(ABC, Generic[X]):
    """The walk. `height` is the side of the current square feature map, `part` the current part of the network."""

    def __init__(self, batch: int) -> None:
        self.batch, self.height, self.part = batch, 0, PARTS[0]

    def network(self, images: X, architecture: Architecture, resolution: int, num_classes: int) -> X:
        """From images (batch, 3, resolution, resolution) to logits (batch, num_classes)."""
        x = self.stem(images, architecture, resolution)
        for stage, row in enumerate(architecture.blocks):
            self.part = PARTS[stage + 1]
            for index, block in enumerate(row):
                x = self.block(x, f"stages.{stage}.blocks.{index}", block)
        self.part, channels = PARTS[-1], architecture.feature_channels[-1]
        return self.classifier(self.spatial_mean(self.norm(x, "norm", channels)), "head.fc", channels, num_classes)

    def stem(self, x: X, architecture: Architecture, resolution: int) -> X:
        """Four 3x3 convolutions, two of stride 2."""
        self.height = resolution
        for index, (into, out, stride) in enumerate(stem_layers(architecture.stem)):
            x = self.relu(self.conv(x, f"stem.{index}.conv", into, out, kernel=3, stride=stride))
            self.height = output_side(self.height, stride)
        return x

    def block(self, x: X, name: str, block: Block) -> X:
        """An NCB or an NTB."""
        width = block.attention_channels or block.conv_channels
        x = self.patch_embed(x, f"{name}.patch_embed", block.in_channels, width, block.stride)
        if block.attention_channels:
            x = self.attention(x, f"{name}.e_mhsa", block)
        if block.attention_channels and block.conv_channels:
            local = self.patch_embed(x, f"{name}.projection", width, block.conv_channels)
            x = self.concat(x, self.conv_attention(local, f"{name}.mhca", block))
        elif block.conv_channels:
            x = self.conv_attention(x, f"{name}.mhca", block)
        return self.mlp(x, f"{name}.mlp", block)

    def patch_embed(self, x: X, name: str, into: int, out: int, stride: int = 1) -> X:
        """Changes a block's input to the block's width and resolution."""
        if stride == 2:
            x = self.halve(x)
            self.height = output_side(self.height, 2)
        return self.conv(x, f"{name}.conv", into, out) if stride == 2 or into != out else x

    def conv_attention(self, x: X, name: str, block: Block) -> X:
        """MHCA with its residual."""
        channels, groups = block.conv_channels, block.conv_channels // block.head_dim
        y = self.relu(self.conv(x, f"{name}.group_conv3x3", channels, channels, kernel=3, groups=groups))
        return self.add(x, self.conv(y, f"{name}.projection", channels, channels, bias=False))

    def mlp(self, x: X, name: str, block: Block) -> X:
        """Two 1x1 convolutions with their residual."""
        out, hidden = block.out_channels, block.mlp_channels
        y = self.relu(self.conv(x, f"{name}.fc1", out, hidden))
        return self.add(x, self.conv(y, f"{name}.fc2", hidden, out))

    def attention(self, x: X, name: str, block: Block) -> X:
        """E-MHSA with its residual: (B, C, H, W) to tokens (B, N, C) and back."""
        channels, side, dim = block.attention_channels, self.height, block.head_dim
        rows = self.reshape(x, (self.batch, channels, side * side))
        tokens = self.transpose(rows, (0, 2, 1))  # (B, N, C)
        pooled, count, window = tokens, side * side, block.sr_ratio**2
        if window > 1:
            rows = self.pool_tokens(self.transpose(tokens, (0, 2, 1)), window)
            pooled, count = self.transpose(rows, (0, 2, 1)), count // window  # (B, M, C)
        scale = dim**-0.25  # on q and on k: d^-1/2 in total
        q = self.scale(self.heads(self.linear(tokens, f"{name}.q", channels), side * side, dim, (0, 2, 1, 3)), scale)
        k = self.scale(self.heads(self.linear(pooled, f"{name}.k", channels), count, dim, (0, 2, 3, 1)), scale)
        v = self.heads(self.linear(pooled, f"{name}.v", channels), count, dim, (0, 2, 1, 3))
        share = self.softmax(self.matmul(q, k))  # (B, h, N, M)
        mixed = self.transpose(self.matmul(share, v), (0, 2, 1, 3))
        out = self.linear(self.reshape(mixed, (self.batch, side * side, channels)), f"{name}.proj", channels)
        return self.add(x, self.reshape(self.transpose(out, (0, 2, 1)), (self.batch, channels, side, side)))

    def heads(self, x: X, tokens: int, dim: int, order: tuple[int, ...]) -> X:
        """(B, N, C) to (B, N, h, d), then its axes in the given order."""
        return self.transpose(self.reshape(x, (self.batch, tokens, -1, dim)), order)

    # The operators, which a writer implements

    @abstractmethod
    def conv(
        self,
        x: X,
        name: str,
        into: int,
        out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> X:
        """A square convolution, padded by half its kernel."""

    @abstractmethod
    def linear(self, x: X, name: str, channels: int) -> X:
        """A linear layer on the last axis, with as many output as input channels."""

    @abstractmethod
    def classifier(self, x: X, name: str, channels: int, num_classes: int) -> X:
        """The last linear layer, (B, channels) to (B, num_classes)."""

    @abstractmethod
    def norm(self, x: X, name: str, channels: int) -> X:
        """The batch norm before the classifier, the only one that is not merged."""

    @abstractmethod
    def relu(self, x: X) -> X: ...

    @abstractmethod
    def softmax(self, x: X) -> X:
        """Over the last axis."""

    @abstractmethod
    def add(self, x: X, y: X) -> X: ...

    @abstractmethod
    def scale(self, x: X, factor: float) -> X: ...

    @abstractmethod
    def matmul(self, x: X, y: X) -> X: ...

    @abstractmethod
    def concat(self, x: X, y: X) -> X:
        """Along the channels."""

    @abstractmethod
    def halve(self, x: X) -> X:
        """2x2 average pooling of stride 2; an odd edge is averaged over the positions that exist."""

    @abstractmethod
    def pool_tokens(self, x: X, window: int) -> X:
        """Average pooling over the last axis of (B, C, N)."""

    @abstractmethod
    def spatial_mean(self, x: X) -> X:
        """(B, C, H, W) to (B, C)."""

    @abstractmethod
    def reshape(self, x: X, shape: tuple[int, ...]) -> X: ...

    @abstractmethod
    def transpose(self, x: X, order: tuple[int, ...]) -> X: ...
