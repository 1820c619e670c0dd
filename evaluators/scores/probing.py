"""Runs random networks on noise, for training-free scores.

All scores share these rules, without which networks with batch norm mislead: norms use the statistics of the batch, no
path is dropped, weights are Kaiming normal (fan in; He et al. 2015) with zero biases unless a score's formula differs,
and noise is a function of the seed. Blocks run one after the other. A block is built once, without weights, and gets
new weights for every run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from search_spaces import Architecture, Block

if TYPE_CHECKING:
    from torch import Tensor, nn

Watch = Callable[[str, "nn.Module", "Tensor", "Tensor"], None]  # a layer's name in its block, module, input, output


class Noise:
    """Normal numbers of a seed, drawn once for all networks: drawing them again took a third of a score's time."""

    def __init__(self, seed: int, *, kaiming: bool = True) -> None:
        self.numbers, self.position, self.kaiming = _numbers(seed), 0, kaiming
        self.scaled = _scratch(seed)

    def draw(self, shape: tuple[int, ...]) -> "Tensor":
        """The next numbers in the given shape; they begin again when they run out."""
        length = prod(shape)
        if self.position + length > len(self.numbers):
            self.position = (self.position + length) % 4093  # another offset in each round
        start, self.position = self.position, self.position + length
        return self.numbers[start : self.position].view(shape)

    def weights(self, module: "nn.Module") -> "dict[str, Tensor]":
        """New weights for a module, by name: scaled normal numbers, biases 0, norms with scale 1 and shift 0.

        They are valid until the next call, which reuses their memory.
        """
        import torch

        weights, used = {}, 0
        for name, parameter in module.named_parameters():
            shape = tuple(parameter.shape)
            if len(shape) > 1:
                scale = (2 / prod(shape[1:])) ** 0.5 if self.kaiming else 1.0
                start, used = used, used + prod(shape)
                room = self.scaled[start:used].view(shape) if used <= len(self.scaled) else None
                weights[name] = torch.mul(self.draw(shape), scale, out=room)
            else:
                weights[name] = torch.zeros(shape) if name.endswith("bias") else torch.ones(shape)
        return weights


@lru_cache(maxsize=128)
def _scratch(seed: int) -> "Tensor":
    """Memory for the weights of one module, reused for the next: allocating it took as long as scaling them."""
    import torch

    return torch.empty(1 << 24)


@lru_cache(maxsize=128)
def _numbers(seed: int) -> "Tensor":
    import torch

    return torch.randn(1 << 24, generator=torch.Generator().manual_seed(seed))


def outputs(
    architecture: Architecture, images: "Tensor", noise: Noise, seed: int, watch: Watch | None = None
) -> "Iterator[Tensor]":
    """Yields the features (B, C, H, W) after every block of a random network; `watch` is called for every layer."""
    import torch

    blocks = (block for row in architecture.blocks for block in row)
    stem = _stem(architecture.stem, architecture.normalization, architecture.activation, seed)
    modules = [stem, *(_block(block, seed) for block in blocks)]
    x = images
    for index, module in enumerate(modules):
        with torch.no_grad(), watched(module, watch):
            x = torch.func.functional_call(module, noise.weights(module), (x,))
        if index:  # not after the stem
            yield x


def relu_outputs(architecture: Architecture, images: "Tensor", noise: Noise, seed: int) -> "Iterator[Tensor]":
    """Yields the output (B, C, H, W) of every ReLU or GELU of a random network, block after block.

    Both are positive where their input is.
    """
    from torch import nn

    activations: list[Tensor] = []

    def watch(name: str, part: "nn.Module", x: "Tensor", out: "Tensor") -> None:
        if isinstance(part, nn.ReLU | nn.GELU):
            activations.append(out.clone())  # the next layer may work in place

    for _ in outputs(architecture, images, noise, seed, watch):
        yield from activations
        activations.clear()


# Modules without weights, cached because building them for every network cost more than running them; one for each seed
# because seeds run in parallel threads.
@lru_cache(maxsize=4096)
def _block(block: Block, seed: int) -> "nn.Module":
    import torch

    from search_spaces.nextvit import blocks

    with torch.device("meta"):
        return skeleton(blocks.build(block))


@lru_cache(maxsize=128)
def _stem(widths: tuple[int, int, int], normalization: str, activation: str, seed: int) -> "nn.Module":
    import torch

    from search_spaces.nextvit.network import stem

    with torch.device("meta"):
        return skeleton(stem(3, widths, normalization, activation))


def skeleton(module: "nn.Module") -> "nn.Module":
    """The module in training mode, with norms that use the statistics of the batch and keep none."""
    from torch import nn

    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return module.train()


@contextmanager
def watched(module: "nn.Module", watch: Watch | None) -> Iterator[None]:
    """Calls `watch` for every layer of a module that runs inside the `with` statement."""
    handles = []
    for name, part in module.named_modules() if watch else ():
        if not list(part.children()):
            handles.append(part.register_forward_hook(_hook(name, watch)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(name: str, watch: Watch | None) -> "Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]":
    def hook(part: "nn.Module", inputs: "tuple[Tensor, ...]", output: "Tensor") -> None:
        assert watch
        watch(name, part, inputs[0], output)

    return hook


def spectrum(features: "Tensor") -> "Tensor":
    """The ascending eigenvalues of the channels' covariance of features (B, C, H, W), as shares of their sum.

    The positions of all images are the samples. If there are fewer samples than channels, their Gram matrix is used: it
    has the same nonzero eigenvalues and is smaller.
    """
    import torch

    samples = features.transpose(0, 1).flatten(1)  # (C, n)
    samples = samples - samples.mean(1, keepdim=True)
    channels, count = samples.shape
    matrix = samples @ samples.T if channels <= count else samples.T @ samples
    eigenvalues = torch.linalg.eigvalsh(matrix.double()).clamp_min(0)
    shares: Tensor = eigenvalues / eigenvalues.sum()
    return shares
