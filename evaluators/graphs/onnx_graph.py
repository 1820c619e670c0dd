"""Writes the ONNX graph of an architecture directly: in milliseconds and kilobytes, unlike a torch export.

`search_spaces/nextvit/deployed.py` walks the network; this module implements its operators. The graph contains the
precision, as a strongly typed run-time requires: with fp16 or bf16 every weight and operator has that type, while
images and logits stay fp32.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from search_spaces import Architecture
from search_spaces.nextvit.deployed import Deployed

WEIGHTS_FILE = "weights.bin"
Weights = Callable[[str, tuple[int, ...]], TensorProto]
# (operator set, IR version): the oldest with all operators used here in that type, which most run-times read.
OPSETS = {"fp32": (17, 9), "fp16": (17, 9), "bf16": (22, 10)}
TYPES = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}


class SharedWeights:
    """Weights that all share one block of random numbers, so that a graph of any size takes kilobytes.

    They are random and of the scale of initialised weights, because zeros, constants and denormals change the speed of
    CPUs and GPUs.
    """

    def __init__(self, seed: int = 0, precision: str = "fp32") -> None:
        self.seed, self.precision, self.largest = seed, precision, 0

    def __call__(self, name: str, shape: tuple[int, ...]) -> TensorProto:
        if name.endswith("running_var"):  # the only weight that must not be negative
            return constant(name, np.ones(shape), self.precision)
        length = int(np.prod(shape))
        self.largest = max(self.largest, length)
        tensor = TensorProto(name=name, dims=shape, data_type=TYPES[self.precision])
        tensor.data_location = TensorProto.EXTERNAL
        size = 4 if self.precision == "fp32" else 2
        for key, value in (("location", WEIGHTS_FILE), ("offset", 0), ("length", size * length)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def block(self) -> bytes:
        """The bytes of the block, which every weight reads from the start."""
        numbers = np.random.default_rng(self.seed).standard_normal(self.largest, dtype=np.float32)
        return constant("", 0.02 * numbers, self.precision).raw_data

    def arrays(self, graph: onnx.ModelProto) -> dict[str, "np.ndarray[Any, Any]"]:
        """The weights of a graph by name, as views of one block in memory, for a run-time that takes no file."""
        block, arrays = self.block(), {}
        for tensor in graph.graph.initializer:
            if tensor.data_location == TensorProto.EXTERNAL:
                kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
                shape = tuple(tensor.dims)
                arrays[tensor.name] = np.frombuffer(block, kind, int(np.prod(shape))).reshape(shape)
        return arrays


def given_weights(values: Mapping[str, "np.ndarray[Any, Any]"], precision: str = "fp32") -> Weights:
    """Weights of a real network, from `onnx_weights.folded`, stored in the graph."""

    def weight(name: str, shape: tuple[int, ...]) -> TensorProto:
        assert values[name].shape == shape, f"{name}: {values[name].shape}, expected {shape}"
        return constant(name, values[name], precision)

    return weight


def constant(name: str, value: "np.ndarray[Any, Any]", precision: str = "fp32") -> TensorProto:
    """A constant tensor in the graph's precision; integers (shapes, axes) keep their type."""
    if value.dtype.kind == "i":
        return onnx.numpy_helper.from_array(value, name)
    kind = helper.tensor_dtype_to_np_dtype(TYPES[precision])
    return onnx.numpy_helper.from_array(np.ascontiguousarray(value).astype(kind), name)


def build(
    architecture: Architecture,
    weights: Weights,
    *,
    batch: int = 1,
    resolution: int = 224,
    num_classes: int = 1000,
    precision: str = "fp32",
) -> onnx.ModelProto:
    """The graph from `images` (batch, 3, resolution, resolution) to `logits` (batch, num_classes), both fp32.

    With batch 0 the graph takes any number of images: in ONNX, a 0 in a shape keeps the size of that dimension.
    """
    size = batch or "batch"
    graph = _Graph(weights, batch, precision)
    x = graph.network(graph.cast("images", precision), architecture, resolution, num_classes)
    graph.cast(x, "fp32", output="logits")
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [size, 3, resolution, resolution])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [size, num_classes])
    body = helper.make_graph(graph.nodes, str(architecture), [images], [logits], graph.initializers)
    opset, ir_version = OPSETS[precision]
    return helper.make_model(body, ir_version=ir_version, opset_imports=[helper.make_opsetid("", opset)])


def save(
    architecture: Architecture, folder: Path, *, batch: int, resolution: int, precision: str = "fp32"
) -> tuple[Path, onnx.ModelProto]:
    """Writes the graph with random weights into a new folder; returns its file and the graph."""
    weights = SharedWeights(precision=precision)
    graph = build(architecture, weights, batch=batch, resolution=resolution, precision=precision)
    folder.mkdir()
    (folder / WEIGHTS_FILE).write_bytes(weights.block())
    path = folder / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    return path, graph


class _Graph(Deployed[str]):
    """Collects nodes and weights during the walk. A tensor is its name."""

    def __init__(self, weights: Weights, batch: int, precision: str) -> None:
        super().__init__(batch)
        self.weights, self.precision = weights, precision
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.known: set[str] = set()

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = f"{self.part}/{kind}_{len(self.nodes)}"
        output = output or name
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))
        return output

    def weight(self, name: str, *shape: int) -> str:
        self.initializers.append(self.weights(name, shape))
        return name

    def constant(self, name: str, value: "np.ndarray[Any, Any]") -> str:
        if name not in self.known:
            self.known.add(name)
            self.initializers.append(constant(name, value, self.precision))
        return name

    def cast(self, x: str, precision: str, output: str = "") -> str:
        """Casts between the graph's precision and the fp32 of its input and output; no node if they are the same."""
        if self.precision == "fp32":
            if output:
                self.nodes[-1].output[0] = output
            return output or x
        return self.node("Cast", x, output=output, to=TYPES[precision])

    def conv(
        self,
        x: str,
        name: str,
        into: int,
        out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> str:
        inputs = [x, self.weight(f"{name}.weight", out, into // groups, kernel, kernel)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", out))
        return self.node(
            "Conv",
            *inputs,
            kernel_shape=[kernel] * 2,
            pads=[kernel // 2] * 4,
            strides=[stride] * 2,
            group=groups,
        )

    def linear(self, x: str, name: str, channels: int) -> str:
        product = self.node("MatMul", x, self.weight(f"{name}.weight", channels, channels))
        return self.node("Add", product, self.weight(f"{name}.bias", channels))

    def classifier(self, x: str, name: str, channels: int, num_classes: int) -> str:
        weight = self.weight(f"{name}.weight", num_classes, channels)
        return self.node("Gemm", x, weight, self.weight(f"{name}.bias", num_classes), transB=1)

    def norm(self, x: str, name: str, channels: int) -> str:
        parts = [self.weight(f"{name}.{part}", channels) for part in ("weight", "bias", "running_mean", "running_var")]
        return self.node("BatchNormalization", x, *parts, epsilon=1e-5)

    def layer_norm(self, x: str, name: str, channels: int, axis: int = 1) -> str:
        """ONNX normalises over the last axes."""
        x = self.transpose(x, (0, 2, 3, 1)) if axis == 1 else x
        parts = [self.weight(f"{name}.{part}", channels) for part in ("weight", "bias")]
        x = self.node("LayerNormalization", x, *parts, axis=-1, epsilon=1e-5)
        return self.transpose(x, (0, 3, 1, 2)) if axis == 1 else x

    def group_norm(self, x: str, name: str, channels: int) -> str:
        """As torch exports it, an instance norm of one channel: GroupNormalization came with operator set 18."""
        shape, side = (self.batch, 1, -1), self.height
        units = [self.constant("group_scale", np.ones(1)), self.constant("group_shift", np.zeros(1))]
        x = self.node("InstanceNormalization", self.reshape(x, shape), *units, epsilon=1e-5)
        x = self.reshape(x, (self.batch, channels, side, side))
        weight, bias = (
            self.reshape(self.weight(f"{name}.{part}", channels), (-1, 1, 1)) for part in ("weight", "bias")
        )
        return self.node("Add", self.node("Mul", x, weight), bias)

    def relu(self, x: str) -> str:
        return self.node("Relu", x)

    def gelu(self, x: str) -> str:
        """x (1 + erf(x / sqrt(2))) / 2, in the form that run-times fuse; GELU itself came with operator set 20."""
        root, one, half = (
            self.constant(f"gelu_{name}", np.array(value))
            for name, value in (("root", 2**0.5), ("one", 1.0), ("half", 0.5))
        )
        erf = self.node("Erf", self.node("Div", x, root))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, one)), half)

    def softmax(self, x: str) -> str:
        return self.node("Softmax", x, axis=-1)

    def add(self, x: str, y: str) -> str:
        return self.node("Add", x, y)

    def subtract(self, x: str, y: str) -> str:
        return self.node("Sub", x, y)

    def scale(self, x: str, factor: float) -> str:
        return self.node("Mul", x, self.constant(f"scale_{factor:.6f}", np.array(factor)))

    def matmul(self, x: str, y: str) -> str:
        return self.node("MatMul", x, y)

    def concat(self, x: str, y: str) -> str:
        return self.node("Concat", x, y, axis=1)

    def average(self, x: str, window: int, stride: int) -> str:
        padding = {"pads": [window // 2] * 4} if stride == 1 else {"ceil_mode": 1}
        kernel, strides = [window] * 2, [stride] * 2
        return self.node("AveragePool", x, kernel_shape=kernel, strides=strides, count_include_pad=0, **padding)

    def pool_tokens(self, x: str, window: int) -> str:
        return self.node("AveragePool", x, kernel_shape=[window], strides=[window])

    def spatial_mean(self, x: str) -> str:
        if OPSETS[self.precision][0] < 18:
            return self.node("ReduceMean", x, axes=[2, 3], keepdims=0)
        return self.node("ReduceMean", x, self.constant("spatial", np.array([2, 3])), keepdims=0)

    def pad(self, x: str, count: int) -> str:
        return self.node("Pad", x, self.constant(f"pad_{count}", np.array([0, 0, 0, 0, 0, count, count, 0])))

    def crop(self, x: str, side: int) -> str:
        bounds = {"start": (0, 0), f"end_{side}": (side, side), "axes": (1, 2)}
        return self.node("Slice", x, *(self.constant(f"crop_{name}", np.array(each)) for name, each in bounds.items()))

    def reshape(self, x: str, shape: tuple[int, ...]) -> str:
        return self.node("Reshape", x, self.constant("shape_" + "_".join(map(str, shape)), np.array(shape)))

    def transpose(self, x: str, order: tuple[int, ...]) -> str:
        return self.node("Transpose", x, perm=list(order))
