"""Runs a Core ML package operator by operator with torch, on systems that have no Core ML.

The weights are those of the package, rounded to its precision; the arithmetic is fp32.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import coremltools
import numpy as np
import torch
import torch.nn.functional as F
from coremltools.converters.mil.frontend.milproto import load
from numpy.typing import NDArray

WEIGHTS = Path("Data/com.apple.CoreML/weights")
Values = dict[str, Any]


class Interpreter:
    """A package, read once; call it with images as often as needed."""

    def __init__(self, package: Path) -> None:
        spec = coremltools.utils.load_spec(str(package))
        self.main = load.load(spec, spec.specificationVersion, str(package / WEIGHTS)).functions["main"]

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits for images (B, 3, H, W), or for pixels from 0 to 255 where the package takes an image."""
        known: Values = {name: torch.from_numpy(images) for name in self.main.inputs}
        for operation in self.main.operations:
            if operation.op_type in ("const", "classify"):
                continue
            inputs = {name: _value(given, known) for name, given in operation.inputs.items() if given is not None}
            known[operation.outputs[0].name] = OPERATORS[operation.op_type](inputs)
        logits = [value for name, value in known.items() if name.startswith("logits")]
        return np.asarray(logits[-1], dtype=np.float32)


def _value(given: Any, known: Values) -> Any:
    """A tensor that was computed, or a constant: numbers as torch's, all else as it is."""
    if isinstance(given, list | tuple):
        return [_value(item, known) for item in given]
    if given.name in known:
        return known[given.name]
    value = given.val
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return torch.from_numpy(np.asarray(value, dtype=np.float32))
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _conv(i: Values) -> torch.Tensor:
    x = F.pad(i["x"], [i["pad"][2], i["pad"][3], i["pad"][0], i["pad"][1]])
    return F.conv2d(x, i["weight"], i.get("bias"), stride=i["strides"], groups=i["groups"])


def _avg_pool(i: Values) -> torch.Tensor:
    """Over one or two axes; a padded edge does not count, as `exclude_padding_from_average` says."""
    x, sizes, strides = i["x"], i["kernel_sizes"], i["strides"]
    if len(sizes) == 1:
        return F.avg_pool1d(x, sizes, strides)
    pad = [i["pad"][2], i["pad"][3], i["pad"][0], i["pad"][1]]
    sums, counts = (F.avg_pool2d(F.pad(each, pad), sizes, strides) for each in (x, torch.ones_like(x)))
    return sums / counts


def _batch_norm(i: Values) -> torch.Tensor:
    return F.batch_norm(i["x"], i["mean"], i["variance"], i["gamma"], i["beta"], eps=float(i["epsilon"]))


def _layer_norm(i: Values) -> torch.Tensor:
    """Over any axes; over one there is a scale and a shift."""
    x: torch.Tensor = i["x"]
    axes = i["axes"]
    deviations = x - x.mean(axes, keepdim=True)
    variance: torch.Tensor = deviations.square().mean(axes, keepdim=True) + i["epsilon"]
    normal = deviations * variance.rsqrt()
    if "gamma" not in i:
        return normal
    shape = [-1 if axis in axes else 1 for axis in range(x.ndim)]
    gamma, beta = (torch.as_tensor(i[name]).reshape(shape) for name in ("gamma", "beta"))
    return normal * gamma + beta


def _pad(i: Values) -> torch.Tensor:
    """The pairs are in the order of the axes; torch begins with the last."""
    pairs = zip(i["pad"][::2], i["pad"][1::2], strict=True)
    return F.pad(i["x"], [count for pair in reversed(list(pairs)) for count in pair])


def _slice(i: Values) -> torch.Tensor:
    """From the beginning of every axis; a size of -1 is all of it."""
    x: torch.Tensor = i["x"]
    return x[tuple(slice(None if size == -1 else size) for size in i["size"])]


OPERATORS: dict[str, Callable[[Values], torch.Tensor]] = {
    "add": lambda i: i["x"] + i["y"],
    "avg_pool": _avg_pool,
    "batch_norm": _batch_norm,
    "cast": lambda i: i["x"],
    "concat": lambda i: torch.cat(i["values"], dim=i["axis"]),
    "conv": _conv,
    "gelu": lambda i: F.gelu(i["x"]),
    "layer_norm": _layer_norm,
    "linear": lambda i: F.linear(i["x"], i["weight"], i["bias"]),
    "matmul": lambda i: torch.matmul(i["x"], i["y"]),
    "mul": lambda i: i["x"] * i["y"],
    "pad": _pad,
    "reduce_mean": lambda i: i["x"].mean(i["axes"], keepdim=bool(i["keep_dims"])),
    "relu": lambda i: i["x"].relu(),
    "reshape": lambda i: i["x"].reshape(i["shape"]),
    "slice_by_size": _slice,
    "softmax": lambda i: i["x"].softmax(int(i["axis"])),
    "sub": lambda i: i["x"] - i["y"],
    "transpose": lambda i: i["x"].permute(i["perm"]),
}
