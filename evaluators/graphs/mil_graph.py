"""Writes the Core ML program of an architecture directly, without torch.

The language is MIL, that of an `mlprogram`. `search_spaces/nextvit/deployed.py` walks the network; this module
implements its operators. Weights have the names of the ONNX graph.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import coremltools
import numpy as np
from coremltools.converters.mil import Builder as mb  # noqa: N813, the name in its documentation

from search_spaces import Architecture
from search_spaces.nextvit.deployed import Deployed

if TYPE_CHECKING:
    from coremltools.converters.mil.mil import Program


class Pixels(NamedTuple):
    """How colours from 0 to 255 are normalised: mean and standard deviation of each, on a scale from 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


Weights = Callable[[str, tuple[int, ...]], "np.ndarray[Any, Any]"]


def random_weights(seed: int = 0) -> Weights:
    """Random weights of the scale of initialised ones, different in every layer so that none are shared."""
    rng = np.random.default_rng(seed)

    def weight(name: str, shape: tuple[int, ...]) -> "np.ndarray[Any, Any]":
        if name.endswith("running_var"):
            return np.ones(shape, dtype=np.float32)
        return np.asarray(0.02 * rng.standard_normal(shape, dtype=np.float32))

    return weight


def build(
    architecture: Architecture,
    weights: Weights,
    *,
    batch: int = 1,
    resolution: int = 224,
    num_classes: int = 1000,
    target: str = "iOS16",
    pixels: Pixels | None = None,
    probabilities: bool = False,
) -> "Program":
    """The program from `images` (batch, 3, resolution, resolution) to `logits` (batch, num_classes).

    With `pixels` the images are colours from 0 to 255 and the program normalises them; with `probabilities` it ends in
    a softmax.
    """
    version = getattr(coremltools.target, target)
    walk = _Program(weights, batch)

    @mb.program(input_specs=[mb.TensorSpec((batch, 3, resolution, resolution))], opset_version=version)  # type: ignore[untyped-decorator]
    def network(images: Any) -> Any:
        logits = walk.network(_normalised(images, pixels), architecture, resolution, num_classes)
        return mb.softmax(x=logits, axis=-1, name="probabilities") if probabilities else logits

    (output,) = network.functions["main"].outputs
    output.name = "probabilities" if probabilities else "logits"
    return network


def _normalised(images: Any, pixels: Pixels | None) -> Any:
    """(value / 255 - mean) / std, as one factor and one summand for each colour."""
    if not pixels:
        return images
    mean, std = (np.array(values, dtype=np.float32).reshape(1, 3, 1, 1) for values in (pixels.mean, pixels.std))
    return mb.add(x=mb.mul(x=images, y=1 / (255 * std)), y=-mean / std)


def convert(
    architecture: Architecture,
    weights: Weights,
    *,
    batch: int = 1,
    resolution: int = 224,
    num_classes: int = 1000,
    target: str = "iOS16",
    precision: str = "fp16",
    units: str = "all",
    pixels: Pixels | None = None,
    labels: tuple[str, ...] = (),
) -> Any:
    """The Core ML model (`mlprogram`), not loaded. Input and output are fp32, whatever the precision inside.

    With `pixels` the input is an image; with `labels` the model is a classifier that returns one of them.
    """
    program = build(
        architecture,
        weights,
        batch=batch,
        resolution=resolution,
        num_classes=num_classes,
        target=target,
        pixels=pixels,
        probabilities=bool(labels),
    )
    image = coremltools.ImageType(name="images", shape=(batch, 3, resolution, resolution))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its temporary folder to the garbage collector
        return coremltools.convert(
            program,
            inputs=[image] if pixels else None,
            classifier_config=coremltools.ClassifierConfig(list(labels)) if labels else None,
            convert_to="mlprogram",
            minimum_deployment_target=getattr(coremltools.target, target),
            compute_precision=getattr(coremltools.precision, {"fp16": "FLOAT16", "fp32": "FLOAT32"}[precision]),
            compute_units=getattr(coremltools.ComputeUnit, units.upper()),
            skip_model_load=True,
        )


class _Program(Deployed[Any]):
    """The operators as calls of MIL's builder."""

    def __init__(self, weights: Weights, batch: int) -> None:
        super().__init__(batch)
        self.weights = weights

    def conv(
        self,
        x: Any,
        name: str,
        into: int,
        out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> Any:
        weight = self.weights(f"{name}.weight", (out, into // groups, kernel, kernel))
        extra = {"bias": self.weights(f"{name}.bias", (out,))} if bias else {}
        pad = [kernel // 2] * 4
        return mb.conv(
            x=x, weight=weight, strides=[stride] * 2, pad_type="custom", pad=pad, groups=groups, name=name, **extra
        )

    def linear(self, x: Any, name: str, channels: int) -> Any:
        weight = self.weights(f"{name}.weight", (channels, channels)).T  # given as (in, out), as ONNX needs it
        return mb.linear(x=x, weight=weight, bias=self.weights(f"{name}.bias", (channels,)), name=name)

    def classifier(self, x: Any, name: str, channels: int, num_classes: int) -> Any:
        weight = self.weights(f"{name}.weight", (num_classes, channels))
        return mb.linear(x=x, weight=weight, bias=self.weights(f"{name}.bias", (num_classes,)), name="logits")

    def norm(self, x: Any, name: str, channels: int) -> Any:
        gamma, beta, mean, variance = (
            self.weights(f"{name}.{part}", (channels,)) for part in ("weight", "bias", "running_mean", "running_var")
        )
        return mb.batch_norm(x=x, mean=mean, variance=variance, gamma=gamma, beta=beta, epsilon=1e-5)

    def layer_norm(self, x: Any, name: str, channels: int, axis: int = 1) -> Any:
        gamma, beta = (self.weights(f"{name}.{part}", (channels,)) for part in ("weight", "bias"))
        return mb.layer_norm(x=x, axes=[axis], gamma=gamma, beta=beta, epsilon=1e-5)

    def group_norm(self, x: Any, name: str, channels: int) -> Any:
        weight, bias = (self.weights(f"{name}.{part}", (channels,)).reshape(-1, 1, 1) for part in ("weight", "bias"))
        return mb.add(x=mb.mul(x=mb.layer_norm(x=x, axes=[1, 2, 3], epsilon=1e-5), y=weight), y=bias)

    def relu(self, x: Any) -> Any:
        return mb.relu(x=x)

    def gelu(self, x: Any) -> Any:
        return mb.gelu(x=x, mode="EXACT")

    def softmax(self, x: Any) -> Any:
        return mb.softmax(x=x, axis=-1)

    def add(self, x: Any, y: Any) -> Any:
        return mb.add(x=x, y=y)

    def subtract(self, x: Any, y: Any) -> Any:
        return mb.sub(x=x, y=y)

    def scale(self, x: Any, factor: float) -> Any:
        return mb.mul(x=x, y=np.float32(factor))

    def matmul(self, x: Any, y: Any) -> Any:
        return mb.matmul(x=x, y=y)

    def concat(self, x: Any, y: Any) -> Any:
        return mb.concat(values=(x, y), axis=1)

    def average(self, x: Any, window: int, stride: int) -> Any:
        cut = -self.height % stride  # equals ceil_mode: positions beyond the edge do not count
        pad = [window // 2] * 4 if stride == 1 else [0, cut, 0, cut]
        return mb.avg_pool(
            x=x,
            kernel_sizes=[window] * 2,
            strides=[stride] * 2,
            pad_type="custom",
            pad=pad,
            exclude_padding_from_average=True,
        )

    def pool_tokens(self, x: Any, window: int) -> Any:
        return mb.avg_pool(x=x, kernel_sizes=[window], strides=[window], pad_type="valid")

    def spatial_mean(self, x: Any) -> Any:
        return mb.reduce_mean(x=x, axes=[2, 3], keep_dims=False)

    def pad(self, x: Any, count: int) -> Any:
        return mb.pad(x=x, pad=[0, 0, 0, count, 0, count, 0, 0], mode="constant", constant_val=0.0)

    def crop(self, x: Any, side: int) -> Any:
        return mb.slice_by_size(x=x, begin=[0, 0, 0, 0], size=[-1, side, side, -1])

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        return mb.reshape(x=x, shape=shape)

    def transpose(self, x: Any, order: tuple[int, ...]) -> Any:
        return mb.transpose(x=x, perm=order)
