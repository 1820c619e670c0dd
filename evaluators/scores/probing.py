"""Random networks on noise: what training-free scores look at, and how.

One set of rules for all (networks with batch norm mislead without them): norms work on the batch alone, no path is
dropped, weights are Kaiming normal (fan in) with zero biases unless a score's own formula says otherwise, and noise is
a function of the seed. Blocks are run one after the other; a block is built once and filled with numbers each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from search_spaces import Architecture, Block

if TYPE_CHECKING:
    from torch import Tensor, nn

Watch = Callable[[str, "nn.Module", "Tensor", "Tensor"], None]  # name in its block, module, its input, its output


class Noise:
    """Normal numbers of a seed, drawn once for all networks: drawing them anew took a third of a score's time."""

    def __init__(self, seed: int, *, kaiming: bool = True) -> None:
        self.numbers, self.position, self.kaiming = _numbers(seed), 0, kaiming
        self.scaled = _scratch(seed)

    def draw(self, shape: tuple[int, ...]) -> "Tensor":
        """The next numbers, in the shape asked for; from the start again when they run out."""
        length = prod(shape)
        if self.position + length > len(self.numbers):
            self.position = (self.position + length) % 4093  # so that no two layers meet the same numbers in step
        start, self.position = self.position, self.position + length
        return self.numbers[start : self.position].view(shape)

    def weights(self, module: "nn.Module") -> "dict[str, Tensor]":
        """New weights for a module, by name: normal ones of that width, zero biases, norms at 1 and 0.

        They hold until weights are asked for again: the next module has the same room.
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
    """Room for the weights of one module, which the next one may have: fresh memory took as long as scaling them."""
    import torch

    return torch.empty(1 << 24)


@lru_cache(maxsize=128)
def _numbers(seed: int) -> "Tensor":
    import torch

    return torch.randn(1 << 24, generator=torch.Generator().manual_seed(seed))


def outputs(
    architecture: Architecture, images: "Tensor", noise: Noise, seed: int, watch: Watch | None = None
) -> "Iterator[Tensor]":
    """The features (B, C, H, W) after every block of a random network; `watch` sees every layer."""
    import torch

    modules = [_stem(architecture.stem, seed), *(_block(b, seed) for row in architecture.blocks for b in row)]
    x = images
    for index, module in enumerate(modules):
        with torch.no_grad(), watched(module, watch):
            x = torch.func.functional_call(module, noise.weights(module), (x,))
        if index:
            yield x


def relu_outputs(architecture: Architecture, images: "Tensor", noise: Noise, seed: int) -> "Iterator[Tensor]":
    """What comes out of every ReLU of a random network, (B, C, H, W), block after block."""
    from torch import nn

    found: list[Tensor] = []

    def watch(name: str, part: "nn.Module", x: "Tensor", out: "Tensor") -> None:
        if isinstance(part, nn.ReLU):
            found.append(out.clone())  # the next layer may work in place

    for _ in outputs(architecture, images, noise, seed, watch):
        yield from found
        found.clear()


# Modules without numbers, one for each seed because seeds run at the same time: building them anew for every network
# cost more than running them.
@lru_cache(maxsize=4096)
def _block(block: Block, seed: int) -> "nn.Module":
    import torch

    from search_spaces.nextvit import blocks

    with torch.device("meta"):
        return skeleton(blocks.build(block))


@lru_cache(maxsize=128)
def _stem(widths: tuple[int, int, int], seed: int) -> "nn.Module":
    import torch

    from search_spaces.nextvit.network import stem

    with torch.device("meta"):
        return skeleton(stem(3, widths))


def skeleton(module: "nn.Module") -> "nn.Module":
    """The module in training mode, its norms working on the batch alone."""
    from torch import nn

    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return module.train()


@contextmanager
def watched(module: "nn.Module", watch: Watch | None) -> Iterator[None]:
    """Shows `watch` what goes into and comes out of every layer of a module while it runs."""
    handles = []
    for name, part in module.named_modules() if watch else ():
        if not list(part.children()):
            handles.append(part.register_forward_hook(_shown(name, watch)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shown(name: str, watch: Watch | None) -> "Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]":
    def hook(part: "nn.Module", inputs: "tuple[Tensor, ...]", output: "Tensor") -> None:
        assert watch
        watch(name, part, inputs[0], output)

    return hook


def spectrum(features: "Tensor") -> "Tensor":
    """The eigenvalues of the channels' covariance, as shares of their sum. Features are (B, C, H, W).

    Positions of all images are the samples; where they are fewer than channels, the Gram matrix of the samples has
    the same eigenvalues and is smaller.
    """
    import torch

    samples = features.transpose(0, 1).flatten(1)  # (C, n)
    samples = samples - samples.mean(1, keepdim=True)
    channels, count = samples.shape
    matrix = samples @ samples.T if channels <= count else samples.T @ samples
    eigenvalues = torch.linalg.eigvalsh(matrix.double()).clamp_min(0)
    shares: Tensor = eigenvalues / eigenvalues.sum()
    return shares
