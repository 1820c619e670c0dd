"""A network with weights, observed block by block while it looks at images."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluators.mechanism import spectrum
from evaluators.mechanism.distance import Geometry, geometry, weights
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.parts import EfficientAttention

Values = NDArray[np.float64]
BATCH = 8  # images at once
ATTENTION, CONVOLUTION = "e_mhsa", "mhca"  # names of a block's parts


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The frequencies of a map, image by image, as `spectrum.py` defines them."""

    high_shares: Values  # (N,), from 0 to 1
    log_amplitudes: Values  # (N, F)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The mean attention distance, in pixels of the input, as `distance.py` defines it."""

    heads: Values  # (N, h): image by image and head by head
    uniform: float  # of an attention that is equal for all keys


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A block: its place, its map, and what was seen of it.

    `attention` and `convolution` are what these parts add to the map that they get, before the sum. A spectrum is None
    where the block has no such part, or where its map is smaller than `spectrum.SMALLEST` positions a side.
    """

    stage: int  # from 1
    position: int  # from 1
    kind: str
    side: int  # positions of its map
    stride: int  # pixels of the input in a position, in each direction
    output: Spectrum | None
    attention: Spectrum | None
    convolution: Spectrum | None
    reach: Reach | None

    @property
    def name(self) -> str:
        """The block as people name it: 3.5 is the fifth block of stage 3."""
        return f"{self.stage}.{self.position}"


@torch.inference_mode()
def observe(
    network: NextViT, images: Tensor, seen: Callable[[int], None] = lambda images: None
) -> tuple[Observed, ...]:
    """Runs a network on images (N, 3, H, W) and returns what was seen of its blocks, in their order.

    `seen` is called with the number of images so far.

    Raises:
        NegativeAnswer: its features are not finite.
    """
    with _watching(network) as watches:
        for first in range(0, len(images), BATCH):
            batch = images[first : first + BATCH]
            if not network.eval()(batch).isfinite().all():
                raise NegativeAnswer(f"the features of {network.architecture} are not finite", "give other weights")
            seen(first + len(batch))
    return tuple(watch.observed() for watch in watches)


@contextmanager
def _watching(network: NextViT) -> "Iterator[list[_Watch]]":
    """Watches every block inside the `with` statement."""
    watches = [
        _Watch(stage=stage, position=position, kind=block.kind, stride=stride)
        for stage, (row, stride) in enumerate(
            zip(network.architecture.blocks, network.feature_strides, strict=True), start=1
        )
        for position, block in enumerate(row, start=1)
    ]
    modules = [module for row in network.stages for module in row.blocks]  # type: ignore[union-attr]
    try:
        for watch, module in zip(watches, modules, strict=True):
            watch.begin(module)
        yield watches
    finally:
        for watch in watches:
            watch.end()


@dataclass(kw_only=True)
class _Watch:
    """The hooks of one block, and what they have seen."""

    stage: int
    position: int
    kind: str
    stride: int
    side: int = 0
    shares: dict[str, list[Tensor]] = field(default_factory=dict)  # by part
    logs: dict[str, list[Tensor]] = field(default_factory=dict)
    heads: list[Tensor] = field(default_factory=list)
    tokens: dict[str, Tensor] = field(default_factory=dict)  # of the queries and keys of this batch
    geometry: Geometry | None = None
    handles: list[torch.utils.hooks.RemovableHandle] = field(default_factory=list)

    def begin(self, block: nn.Module) -> None:
        """Hooks into a block and its parts."""
        self._see(block, "output")
        for path, part in block.named_modules():
            name = path.rpartition(".")[2]
            if name in (ATTENTION, CONVOLUTION):
                self._see(part, name)
            if isinstance(part, EfficientAttention):
                self._keep(part.q, "q")
                self._keep(part.k, "k")
                self.handles.append(part.register_forward_hook(self._attended))

    def end(self) -> None:
        """Takes the hooks off."""
        for handle in self.handles:
            handle.remove()

    def _see(self, part: nn.Module, name: str) -> None:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            self.side = output.shape[-1]
            if self.side >= spectrum.SMALLEST:
                amplitudes = spectrum.amplitudes(output)
                self.shares.setdefault(name, []).append(spectrum.high_shares(amplitudes))
                self.logs.setdefault(name, []).append(spectrum.log_amplitudes(amplitudes))

        self.handles.append(part.register_forward_hook(hook))

    def _keep(self, part: nn.Module, name: str) -> None:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            self.tokens[name] = output

        self.handles.append(part.register_forward_hook(hook))

    def _attended(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, EfficientAttention)
        self.geometry = self.geometry or geometry(module, output.shape[-1], self.stride)
        windows = len(self.geometry.counted)
        for first in range(0, len(self.tokens["q"]), windows):  # an image at a time: its attention may take a gigabyte
            queries, keys = (self.tokens[name][first : first + windows] for name in ("q", "k"))
            self.heads.append(self.geometry.mean(weights(module, queries, keys)))

    def observed(self) -> Observed:
        """What was seen, of all batches."""
        return Observed(
            stage=self.stage,
            position=self.position,
            kind=self.kind,
            side=self.side,
            stride=self.stride,
            output=self._spectrum("output"),
            attention=self._spectrum(ATTENTION),
            convolution=self._spectrum(CONVOLUTION),
            reach=Reach(heads=_joined(self.heads), uniform=self.geometry.uniform) if self.geometry else None,
        )

    def _spectrum(self, name: str) -> Spectrum | None:
        if name not in self.shares:
            return None
        return Spectrum(high_shares=_joined(self.shares[name]), log_amplitudes=_joined(self.logs[name]))


def _joined(parts: list[Tensor]) -> Values:
    return torch.cat(parts).double().numpy()
