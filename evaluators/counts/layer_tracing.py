"""The layers of any network, read off its run on an image without data (the meta device), as in `layers.py`.

torch breaks every module up into a few operators: convolutions, matrix products, norms, activations. These are seen
here, whatever module they come from and however it lays out its features: a linear layer is a product of two matrices
whose rows are positions, with a class token as one more, and an attention is two products of batches of matrices.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evaluators.counts.layers import Layer

LAYER_NORMS = ("native_layer_norm", "native_group_norm")  # both take their statistics from the image itself
NORMS = (*LAYER_NORMS, "native_batch_norm")
SMOOTH = ("gelu", "silu", "hardswish", "mish", "elu", "softplus")
ACTIVATIONS = (*SMOOTH, "relu", "leaky_relu", "hardtanh", "_prelu_kernel")  # hardtanh is ReLU6
PRODUCTS = ("bmm", "baddbmm")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a network does to one image. The shares are of all norms and of all activation functions."""

    layers: tuple[Layer, ...]
    params: int
    layer_norms: float
    smooth: float

    @classmethod
    def of(cls, layers: Iterable[Layer], params: int, operators: Counter[str]) -> "Trace":
        """The trace of these layers, whose run called these operators so often."""
        return cls(
            layers=tuple(layers),
            params=params,
            layer_norms=_share(operators, LAYER_NORMS, NORMS),
            smooth=_share(operators, SMOOTH, ACTIVATIONS),
        )


def _share(operators: Counter[str], some: Sequence[str], of: Sequence[str]) -> float:
    """How large a share of the operators `of` are `some`; 0 if there are none."""
    return sum(operators[name] for name in some) / max(1, sum(operators[name] for name in of))


def trace(module: nn.Module, resolution: int) -> Trace:
    """The layers of a module on the meta device, for one image of `resolution` pixels."""
    recorder = recorded(module, resolution)
    return Trace.of(recorder.layers, sum(parameter.numel() for parameter in module.parameters()), recorder.counts)


def recorded(module: nn.Module, resolution: int, watch: "Watch | None" = None) -> "Recorder":
    """The run of a module on one image; `watch` hears of every operator, and whether it is a layer."""
    image = torch.empty(1, 3, resolution, resolution, device="meta")
    recorder = Recorder(module, image, watch)
    with torch.no_grad(), recorder:
        module.eval()(image)
    return recorder


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operator of a run, and records the layers among those that depend on the image.

    What does not depend on it, such as a table of relative positions, can be computed once and is no work per image.
    """

    def __init__(self, module: nn.Module, image: Tensor, watch: "Watch | None" = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: list[Layer] = []
        self.watch = watch
        self.counts: Counter[str] = Counter()
        named = list(module.named_parameters())
        self.weights = {_storage(parameter) for name, parameter in named if "weight" in name.rpartition(".")[2]}
        self.tables = {_storage(parameter) for _, parameter in named} - self.weights  # of relative positions
        self.seen = {id(image): image}  # kept alive, or another tensor could get the same id
        self.maps: set[int] = set()  # of attention, in whose rows and columns positions stand

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        if any(id(value) in self.seen for value in tree_leaves((args, kwargs))):
            made = {id(value): value for value in tree_leaves(out) if isinstance(value, Tensor)}
            self.seen |= made
            name = function.overloadpacket.__name__.removesuffix("_")  # relu_ writes into its input
            if (name in PRODUCTS) != self.is_map(args):  # the first product makes a map, and the second uses it up
                self.maps |= made.keys()
            self.counts[name] += 1
            if self.watch:
                self.watch(name, name in READERS)
            if name in READERS:
                self.layers.append(READERS[name](self, args, out))
        return out

    def is_map(self, args: Any) -> bool:
        """Whether a map of attention is among these tensors."""
        return any(id(value) in self.maps for value in tree_leaves(args))


def _storage(tensor: Tensor) -> int:
    """A number that all views of a tensor share."""
    return int(tensor.untyped_storage()._cdata)


def _convolution(recorder: Recorder, args: tuple[Any, ...], out: Tensor) -> Layer:
    """aten::convolution(input (1, C, H, W), weight, bias, stride, padding, dilation, transposed, padding, groups)."""
    features, weight, groups = args[0], args[1], args[8]
    if features.ndim == 3:  # along the channels of the pooled image, as efficient channel attention does
        return Layer(positions=1, macs=out.numel() * weight.numel(), activations=out.numel(), into=1, out=1)
    return Layer(
        positions=0 if recorder.is_map(features) else prod(out.shape[2:]),  # talking heads mix maps, and no positions
        macs=out.numel() * weight[0].numel(),
        activations=out.numel(),
        weights=weight.numel(),
        into=features.shape[1],
        out=out.shape[1],
        kernel=max(weight.shape[2:]),
        groups=groups,
    )


def _matrix_product(recorder: Recorder, args: tuple[Any, ...], out: Tensor) -> Layer:
    """aten::mm(features (N, C), weight (C, C')) and aten::addmm(bias, features, weight); or both are features."""
    left, right = args[-2:]
    if _storage(left) in recorder.weights:  # channels first
        left, right = right.t(), left.t()
    if _storage(right) not in recorder.weights:
        return _product(recorder, (left, right), out)
    return Layer(
        positions=left.shape[0],
        macs=left.numel() * right.shape[1],
        activations=out.numel(),
        weights=right.numel(),
        into=left.shape[1],
        out=right.shape[1],
    )


def _product(recorder: Recorder, args: tuple[Any, ...], out: Tensor) -> Layer:
    """aten::bmm(left (b, N, d), right (b, d, M)) and aten::baddbmm(added, left, right)."""
    left, right = args[-2:]
    share = 0.0 if {_storage(left), _storage(right)} & recorder.tables else 1.0
    return Layer(positions=0, macs=left.numel() * right.shape[-1], activations=out.numel(), share=share)


Watch = Callable[[str, bool], None]
READERS: dict[str, Callable[[Recorder, tuple[Any, ...], Tensor], Layer]] = {
    "convolution": _convolution,
    "addmm": _matrix_product,
    "mm": _matrix_product,
    "bmm": _product,
    "baddbmm": _product,
}
