"""The ONNX graph of an architecture, written directly: milliseconds and kilobytes instead of a torch export.

The graph is the deployed network: every batch norm that stands beside a convolution or linear layer is merged into it.
Names of weights equal the torch network's. Shapes are static: (batch, channels, height, width).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from search_spaces import Architecture, Block

OPSET, IR_VERSION = 17, 9  # the oldest that holds every operator used here: the most run-times read it
WEIGHTS_FILE = "weights.bin"
Weights = Callable[[str, tuple[int, ...]], TensorProto]


class SharedWeights:
    """Every weight is the start of one block of random numbers on disk, so that a graph of any size costs kilobytes.

    Random and of the scale of initialised weights: zeros, constants and denormals change what a CPU or GPU does.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.largest = seed, 0

    def __call__(self, name: str, shape: tuple[int, ...]) -> TensorProto:
        if name.endswith("running_var"):  # the one weight that must not be negative
            return onnx.numpy_helper.from_array(np.ones(shape, dtype=np.float32), name)
        length = int(np.prod(shape))
        self.largest = max(self.largest, length)
        tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS_FILE), ("offset", 0), ("length", 4 * length)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def save(self, folder: Path) -> None:
        """Writes the block beside the graph that uses it."""
        numbers = np.random.default_rng(self.seed).standard_normal(self.largest, dtype=np.float32)
        (folder / WEIGHTS_FILE).write_bytes((0.02 * numbers).tobytes())


def given_weights(values: Mapping[str, "np.ndarray[Any, Any]"]) -> Weights:
    """Weights of a real network, stored in the graph (`onnx_weights.folded` makes them)."""

    def weight(name: str, shape: tuple[int, ...]) -> TensorProto:
        assert values[name].shape == shape, f"{name}: {values[name].shape}, expected {shape}"
        return onnx.numpy_helper.from_array(np.ascontiguousarray(values[name], dtype=np.float32), name)

    return weight


def build(
    architecture: Architecture, weights: Weights, *, batch: int = 1, resolution: int = 224, num_classes: int = 1000
) -> onnx.ModelProto:
    """The graph from `images` (batch, 3, resolution, resolution) to `logits` (batch, num_classes)."""
    graph = _Graph(weights, batch)
    x = graph.stem(architecture, resolution)
    for stage, row in enumerate(architecture.blocks):
        for index, block in enumerate(row):
            x = graph.block(x, f"stages.{stage}.blocks.{index}", block)
    graph.head(x, architecture.feature_channels[-1], num_classes)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, resolution, resolution])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, num_classes])
    body = helper.make_graph(graph.nodes, str(architecture), [images], [logits], graph.initializers)
    return helper.make_model(body, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])


class _Graph:
    """Nodes and weights gathered while walking the network; `height` is that of the current (square) feature map."""

    def __init__(self, weights: Weights, batch: int) -> None:
        self.weights, self.batch, self.height = weights, batch, 0
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.known: set[str] = set()

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def weight(self, name: str, *shape: int) -> str:
        self.initializers.append(self.weights(name, shape))
        return name

    def constant(self, name: str, value: "np.ndarray[Any, Any]") -> str:
        if name not in self.known:
            self.known.add(name)
            self.initializers.append(onnx.numpy_helper.from_array(value, name))
        return name

    def reshape(self, x: str, *shape: int) -> str:
        name = "shape_" + "_".join(map(str, shape))
        return self.node("Reshape", x, self.constant(name, np.array(shape, dtype=np.int64)))

    def conv(
        self, x: str, name: str, channels: tuple[int, int], kernel: int = 1, bias: bool = True, **options: Any
    ) -> str:
        into, out = channels
        inputs = [x, self.weight(f"{name}.weight", out, into // options.get("group", 1), kernel, kernel)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", out))
        pads = [kernel // 2] * 4
        return self.node("Conv", *inputs, kernel_shape=[kernel, kernel], pads=pads, **options)

    def linear(self, x: str, name: str, channels: int) -> str:
        product = self.node("MatMul", x, self.weight(f"{name}.weight", channels, channels))
        return self.node("Add", product, self.weight(f"{name}.bias", channels))

    def stem(self, architecture: Architecture, resolution: int) -> str:
        first, second, third = architecture.stem
        x, self.height = "images", resolution
        for index, (into, out, stride) in enumerate(
            ((3, first, 2), (first, second, 1), (second, third, 1), (third, third, 2))
        ):
            x = self.node("Relu", self.conv(x, f"stem.{index}.conv", (into, out), 3, strides=[stride, stride]))
            self.height = (self.height - 1) // stride + 1
        return x

    def block(self, x: str, name: str, block: Block) -> str:
        width = block.attention_channels or block.conv_channels
        x = self.patch_embed(x, f"{name}.patch_embed", block.in_channels, width, block.stride)
        if block.attention_channels:
            x = self.attention(x, f"{name}.e_mhsa", block)
        if block.attention_channels and block.conv_channels:
            local = self.patch_embed(x, f"{name}.projection", width, block.conv_channels)
            x = self.node("Concat", x, self.conv_attention(local, f"{name}.mhca", block), axis=1)
        elif block.conv_channels:
            x = self.conv_attention(x, f"{name}.mhca", block)
        return self.mlp(x, f"{name}.mlp", block)

    def patch_embed(self, x: str, name: str, into: int, out: int, stride: int = 1) -> str:
        if stride == 2:
            x = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, count_include_pad=0)
            self.height = -(-self.height // 2)
        return self.conv(x, f"{name}.conv", (into, out)) if stride == 2 or into != out else x

    def conv_attention(self, x: str, name: str, block: Block) -> str:
        channels = (block.conv_channels, block.conv_channels)
        groups = block.conv_channels // block.head_dim
        y = self.node("Relu", self.conv(x, f"{name}.group_conv3x3", channels, 3, group=groups))
        return self.node("Add", x, self.conv(y, f"{name}.projection", channels, bias=False))

    def mlp(self, x: str, name: str, block: Block) -> str:
        out, hidden = block.out_channels, block.mlp_channels
        y = self.node("Relu", self.conv(x, f"{name}.fc1", (out, hidden)))
        return self.node("Add", x, self.conv(y, f"{name}.fc2", (hidden, out)))

    def attention(self, x: str, name: str, block: Block) -> str:
        channels, side, dim = block.attention_channels, self.height, block.head_dim
        rows = self.reshape(x, self.batch, channels, side * side)
        tokens = self.node("Transpose", rows, perm=[0, 2, 1])  # (B, N, C)
        pooled, count, window = tokens, side * side, block.sr_ratio**2
        if window > 1:
            rows = self.node("Transpose", tokens, perm=[0, 2, 1])
            rows = self.node("AveragePool", rows, kernel_shape=[window], strides=[window])
            pooled, count = self.node("Transpose", rows, perm=[0, 2, 1]), count // window  # (B, M, C)
        scale = self.constant(f"scale_{dim}", np.array(dim**-0.25, dtype=np.float32))  # on both sides: d^-1/2 in all
        q = self.node(
            "Mul", self.heads(self.linear(tokens, f"{name}.q", channels), side * side, dim, (0, 2, 1, 3)), scale
        )
        k = self.node("Mul", self.heads(self.linear(pooled, f"{name}.k", channels), count, dim, (0, 2, 3, 1)), scale)
        v = self.heads(self.linear(pooled, f"{name}.v", channels), count, dim, (0, 2, 1, 3))
        share = self.node("Softmax", self.node("MatMul", q, k), axis=-1)  # (B, h, N, M)
        mixed = self.node("Transpose", self.node("MatMul", share, v), perm=[0, 2, 1, 3])
        out = self.linear(self.reshape(mixed, self.batch, side * side, channels), f"{name}.proj", channels)
        out = self.node("Transpose", out, perm=[0, 2, 1])
        return self.node("Add", x, self.reshape(out, self.batch, channels, side, side))

    def heads(self, x: str, tokens: int, dim: int, order: tuple[int, ...]) -> str:
        return self.node("Transpose", self.reshape(x, self.batch, tokens, -1, dim), perm=list(order))

    def head(self, x: str, channels: int, num_classes: int) -> None:
        norm = [self.weight(f"norm.{part}", channels) for part in ("weight", "bias", "running_mean", "running_var")]
        x = self.node("BatchNormalization", x, *norm, epsilon=1e-5)
        x = self.node("ReduceMean", x, axes=[2, 3], keepdims=0)
        weight = self.weight("head.fc.weight", num_classes, channels)
        self.node("Gemm", x, weight, self.weight("head.fc.bias", num_classes), output="logits", transB=1)
