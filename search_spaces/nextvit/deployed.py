"""The network as it is deployed, operator by operator: one walk that the ONNX and Core ML writers and the counts share.

Every batch norm next to a convolution or linear layer is merged into it. Weights have the names of the torch network.
Shapes are static: (batch, channels, height, width). A writer implements the operators; `X` is its type of a tensor.
Standard library only.
"""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from search_spaces.nextvit.architecture import PARTS, Architecture, output_side, stem_layers
from search_spaces.nextvit.stage import Block
from search_spaces.zoo import KINDS

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
        norm = self.norm if architecture.normalization == "batch" else self.layer_norm
        return self.classifier(self.spatial_mean(norm(x, "norm", channels)), "head.fc", channels, num_classes)

    def stem(self, x: X, architecture: Architecture, resolution: int) -> X:
        """Four 3x3 convolutions, two of stride 2."""
        self.height = resolution
        for index, (into, out, stride) in enumerate(stem_layers(architecture.stem)):
            normalization = architecture.normalization
            x = self.conv_norm(x, f"stem.{index}", normalization, into, out, kernel=3, stride=stride)
            x = self.activate(x, architecture.activation)
            self.height = output_side(self.height, stride)
        return x

    def block(self, x: X, name: str, block: Block) -> X:
        """An NCB, an NTB, or a block of the zoo."""
        if block.kind in KINDS:
            x = self.patch_embed(x, f"{name}.patch_embed", block, block.in_channels, block.out_channels, block.stride)
            zoo: X = KINDS[block.kind].deployed(self, x, name, block)
            return zoo
        branches = [(block.attention_channels, self._attend), (block.conv_channels, self._convolve)]
        if block.order == "convolution-first":
            branches.reverse()
        (width, run), *others = [(channels, run) for channels, run in branches if channels]
        x = run(self.patch_embed(x, f"{name}.patch_embed", block, block.in_channels, width, block.stride), name, block)
        for other, run in others:
            x = self.concat(x, run(self.patch_embed(x, f"{name}.projection", block, width, other), name, block))
        return self.mlp(x, f"{name}.mlp", f"{name}.{'norm' if block.kind == 'C' else 'norm2'}", block)

    def _attend(self, x: X, name: str, block: Block) -> X:
        return self.attention(x, f"{name}.e_mhsa", f"{name}.norm1", block)

    def _convolve(self, x: X, name: str, block: Block) -> X:
        """MHCA with its residual."""
        name, channels = f"{name}.mhca", block.conv_channels
        y = self.conv_norm(
            x,
            name,
            block.normalization,
            channels,
            channels,
            conv="group_conv3x3",
            kernel=block.kernel,
            groups=channels // block.head_dim,
        )
        y = self.conv(self.activate(y, block.activation), f"{name}.projection", channels, channels, bias=False)
        return self.add(x, y)

    def patch_embed(self, x: X, name: str, block: Block, into: int, out: int, stride: int = 1) -> X:
        """Changes a block's input to the block's width and resolution."""
        if stride == 2:
            x = self.average(x, 2, stride=2)
            self.height = output_side(self.height, 2)
        if stride == 1 and into == out:
            return x
        return self.conv_norm(x, name, block.normalization, into, out)

    def mlp(self, x: X, name: str, norm: str, block: Block) -> X:
        """The MLP of a block with its norm and residual."""
        y = self.norm_before(x, norm, block.out_channels, block.normalization)
        return self.add(x, self.perceptron(y, name, block))

    def perceptron(self, x: X, name: str, block: Block) -> X:
        """Two 1x1 convolutions."""
        out, hidden = block.out_channels, block.mlp_channels
        y = self.activate(self.conv(x, f"{name}.fc1", out, hidden), block.activation)
        return self.conv(y, f"{name}.fc2", hidden, out)

    def attention(self, x: X, name: str, norm: str, block: Block) -> X:
        """E-MHSA with its norm and residual: (B, C, H, W) to tokens (B, N, C) and back."""
        channels, side = block.attention_channels, self.height
        rows = self.reshape(x, (self.batch, channels, side * side))
        tokens = self.transpose(rows, (0, 2, 1))  # (B, N, C)
        tokens = self.norm_before(tokens, norm, channels, block.normalization, axis=2)
        pooled, count = tokens, side * side
        if block.sr_ratio > 1:
            pooled, count = self.pooled(x, tokens, block)  # (B, M, C)
            pooled = self.norm_before(pooled, f"{name}.norm", channels, block.normalization, axis=2)
        mixed = self.mix(tokens, pooled, name, block, (self.batch, side * side, count))
        out = self.linear(mixed, f"{name}.proj", channels)
        return self.add(x, self.reshape(self.transpose(out, (0, 2, 1)), (self.batch, channels, side, side)))

    def pooled(self, x: X, tokens: X, block: Block) -> tuple[X, int]:
        """Averages of the tokens (B, N, C) of a map, and how many they are."""
        channels, side, ratio = block.attention_channels, self.height, block.sr_ratio
        if block.pooling == "rows":
            window = min(ratio**2, side * side)
            rows = self.pool_tokens(self.transpose(tokens, (0, 2, 1)), window)
            return self.transpose(rows, (0, 2, 1)), side * side // window
        if block.normalization != "batch":  # a merged norm leaves the map with the values of the tokens
            x = self.reshape(self.transpose(tokens, (0, 2, 1)), (self.batch, channels, side, side))
        squares = self.average(x, ratio, stride=ratio)
        count = output_side(side, ratio) ** 2
        return self.transpose(self.reshape(squares, (self.batch, channels, count)), (0, 2, 1)), count

    def mix(self, tokens: X, pooled: X, name: str, block: Block, sizes: tuple[int, int, int]) -> X:
        """The values of `pooled` (B, M, C), mixed for each of `tokens` (B, N, C); `sizes` are (B, N, M)."""
        channels, dim = block.attention_channels, block.head_dim
        batch, queries, keys = sizes
        scale = dim**-0.25  # on q and on k: d^-1/2 in total

        def heads(x: X, part: str, count: int, order: tuple[int, ...]) -> X:
            """(B, N, C) to (B, N, h, d), then its axes in the given order."""
            x = self.linear(x, f"{name}.{part}", channels)
            return self.transpose(self.reshape(x, (batch, count, channels // dim, dim)), order)

        q = self.scale(heads(tokens, "q", queries, (0, 2, 1, 3)), scale)
        k = self.scale(heads(pooled, "k", keys, (0, 2, 3, 1)), scale)
        v = heads(pooled, "v", keys, (0, 2, 1, 3))
        share = self.softmax(self.matmul(q, k))  # (B, h, N, M)
        mixed = self.transpose(self.matmul(share, v), (0, 2, 1, 3))
        return self.reshape(mixed, (batch, queries, channels))

    # Norms and activations by their names

    def conv_norm(
        self,
        x: X,
        name: str,
        normalization: str,
        into: int,
        out: int,
        *,
        conv: str = "conv",
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> X:
        """The convolution `conv` and the norm of a part; a batch norm is merged into the convolution, as its bias."""
        merged = normalization == "batch"
        x = self.conv(x, f"{name}.{conv}", into, out, kernel=kernel, stride=stride, groups=groups, bias=merged)
        return x if merged else self.layer_norm(x, f"{name}.norm", out)

    def norm_before(self, x: X, name: str, channels: int, normalization: str, axis: int = 1) -> X:
        """The norm before a linear layer or a 1x1 convolution; a batch norm is merged into what follows."""
        return x if normalization == "batch" else self.layer_norm(x, name, channels, axis=axis)

    def activate(self, x: X, activation: str) -> X:
        """ReLU or GELU."""
        return self.relu(x) if activation == "relu" else self.gelu(x)

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
    def layer_norm(self, x: X, name: str, channels: int, axis: int = 1) -> X:
        """Layer norm over the channels of each position: axis 1 of a map (B, C, H, W), or the last one."""

    @abstractmethod
    def group_norm(self, x: X, name: str, channels: int) -> X:
        """Group norm of a map with one group: over all channels and positions of an image."""

    @abstractmethod
    def relu(self, x: X) -> X: ...

    @abstractmethod
    def gelu(self, x: X) -> X:
        """The exact one, with the error function."""

    @abstractmethod
    def softmax(self, x: X) -> X:
        """Over the last axis."""

    @abstractmethod
    def add(self, x: X, y: X) -> X: ...

    @abstractmethod
    def subtract(self, x: X, y: X) -> X: ...

    @abstractmethod
    def scale(self, x: X, factor: float) -> X: ...

    @abstractmethod
    def matmul(self, x: X, y: X) -> X: ...

    @abstractmethod
    def concat(self, x: X, y: X) -> X:
        """Along the channels."""

    @abstractmethod
    def average(self, x: X, window: int, stride: int) -> X:
        """Average pooling of a map by squares: side by side, or, with stride 1, around each position.

        At an edge, the positions that exist are averaged; side by side, a last square that is cut off stays.
        """

    @abstractmethod
    def pool_tokens(self, x: X, window: int) -> X:
        """Average pooling over the last axis of (B, C, N)."""

    @abstractmethod
    def spatial_mean(self, x: X) -> X:
        """(B, C, H, W) to (B, C)."""

    @abstractmethod
    def pad(self, x: X, count: int) -> X:
        """Adds rows and columns of zeros at the end of a map (B, H, W, C)."""

    @abstractmethod
    def crop(self, x: X, side: int) -> X:
        """The first rows and columns of a map (B, H, W, C)."""

    @abstractmethod
    def reshape(self, x: X, shape: tuple[int, ...]) -> X:
        """One size may be -1; the first may be 0, the batch of an ONNX graph that takes any."""

    @abstractmethod
    def transpose(self, x: X, order: tuple[int, ...]) -> X: ...
