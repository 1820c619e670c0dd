"""Int8 for ONNX graphs in QDQ form: all convolutions, linear layers and the operators between them, except attention.

Weights are int8 with a scale for each output channel, activations uint8, as in static quantisation. The scales are not
calibrated: latency does not depend on them, but accuracy must not be measured on such a graph.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from search_spaces.common.errors import MeasurementFailed

ACTIVATION_SCALE, WEIGHT_SCALE = 0.05, 0.0004
ACTIVATIONS = ("Conv", "Relu", "Add", "Concat", "AveragePool")  # operators whose outputs are uint8


def quantize(graph: onnx.ModelProto) -> None:
    """Quantises a graph with random weights, in place."""
    _Quantizer(graph.graph).run()


def check(kinds: Sequence[str]) -> dict[str, Any]:
    """Checks the operators that the run-time executed, and counts the int8 convolutions.

    Raises:
        MeasurementFailed: a convolution ran in fp32.
    """
    quantized, floating = kinds.count("QLinearConv"), kinds.count("Conv") + kinds.count("FusedConv")
    if floating or not quantized:
        raise MeasurementFailed(
            f"{floating} of {floating + quantized} convolutions stayed in fp32", "this ONNX Runtime has no int8 kernels"
        )
    return {"int8_convolutions": quantized}


class _Quantizer:
    """Adds QuantizeLinear and DequantizeLinear to every activation, and DequantizeLinear to every weight."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        self.pairs: dict[str, str] = {}  # from an activation to its dequantised form
        self.rng = np.random.default_rng(0)

    def run(self) -> None:
        """Walks the nodes in order, so that a tensor is quantised before it is read."""
        consumers: dict[str, list[str]] = {}
        for node in self.graph.node:
            for name in node.input:
                consumers.setdefault(name, []).append(node.op_type)
        self.constant("activation_scale", np.array(ACTIVATION_SCALE, dtype=np.float32))
        self.constant("activation_zero", np.array(128, dtype=np.uint8))
        self.constant("relu_zero", np.array(0, dtype=np.uint8))
        for node in list(self.graph.node):
            weighted = node.op_type in ("Conv", "Gemm") or (node.op_type == "MatMul" and node.input[1] in self.weights)
            self.inputs(node, weighted)
            self.nodes.append(node)
            alone = consumers.get(node.output[0]) == ["Relu"]  # a ReLU is fused with the convolution before it
            if node.op_type in ACTIVATIONS and not alone and not self.is_attention(node):
                self.pair(node.output[0], "relu_zero" if node.op_type == "Relu" else "activation_zero")
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)

    def is_attention(self, node: onnx.NodeProto) -> bool:
        """Whether a node works on tokens: a bias or a pool, which stay float like the attention around them."""
        tokens = node.op_type == "Add" and any(name in self.weights for name in node.input)
        windows = [list(a.ints) for a in node.attribute if a.name == "kernel_shape"]
        return tokens or (node.op_type == "AveragePool" and len(windows[0]) == 1)

    def inputs(self, node: onnx.NodeProto, weighted: bool) -> None:
        if weighted and node.input[0] not in self.pairs:
            self.pair(node.input[0], "activation_zero")
        for index, name in enumerate(node.input):
            if name in self.pairs:  # for all readers: one float reader would keep the operator in float
                node.input[index] = self.pairs[name]
            elif weighted and name in self.weights:
                node.input[index] = self.bias(name) if index == 2 else self.weight(name, node.op_type)

    def pair(self, name: str, zero: str) -> None:
        stored, back = f"{name}_uint8", f"{name}_float"
        self.nodes.append(helper.make_node("QuantizeLinear", [name, "activation_scale", zero], [stored]))
        self.nodes.append(helper.make_node("DequantizeLinear", [stored, "activation_scale", zero], [back]))
        self.pairs[name] = back

    def weight(self, name: str, kind: str) -> str:
        """Reinterprets a float weight as int8, with a scale for each output channel."""
        tensor = self.weights[name]
        axis = 1 if kind == "MatMul" else 0
        tensor.data_type = TensorProto.INT8
        for entry in tensor.external_data:
            if entry.key == "length":
                entry.value = str(int(np.prod(tensor.dims)))
        channels = tensor.dims[axis]
        scale = self.constant(f"{name}_scale", np.full(channels, WEIGHT_SCALE, dtype=np.float32))
        zero = self.constant(f"{name}_zero", np.zeros(channels, dtype=np.int8))
        return self.dequantized(name, scale, zero, axis)

    def bias(self, name: str) -> str:
        """Replaces a float bias by a random int32 one, at the scale of the products that it is added to."""
        channels = self.weights[name].dims[0]
        values = self.rng.integers(-1000, 1000, channels, dtype=np.int32)
        self.weights[name].CopyFrom(numpy_helper.from_array(values, name))
        scale = self.constant(f"{name}_scale", np.full(channels, ACTIVATION_SCALE * WEIGHT_SCALE, dtype=np.float32))
        return self.dequantized(name, scale, self.constant(f"{name}_zero", np.zeros(channels, dtype=np.int32)), 0)

    def dequantized(self, name: str, scale: str, zero: str, axis: int) -> str:
        self.nodes.append(helper.make_node("DequantizeLinear", [name, scale, zero], [f"{name}_float"], axis=axis))
        return f"{name}_float"

    def constant(self, name: str, value: "np.ndarray[Any, Any]") -> str:
        self.graph.initializer.append(numpy_helper.from_array(value, name))
        return name
