"""The training loop: one for the short trainings of the accuracy evaluators and for a full training.

What differs between them is handed in: the batches, the loss, the learning rate of each step. What is the same is
here: gradients of a batch gone through in parts, their length bounded, half precision on a GPU, a loss that is not
finite, and a device without memory for the batch.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from search_spaces.common.errors import MeasurementFailed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Batches = Iterable[tuple[Tensor, Tensor]]  # images (B, 3, H, W) and what is right: (B,), or shares (B, classes)

FEWEST = 2  # images at a time: batch norm cannot train on one
Reached = TypeVar("Reached")


def as_they_are(images: "Tensor") -> "Tensor":
    """Images that need no preparing."""
    return images


@dataclass(kw_only=True)
class Loop:
    """A network on its way through a schedule of steps; `step` counts those that were made."""

    network: "nn.Module"
    optimizer: "torch.optim.Optimizer"
    rate: Callable[[int], None]  # sets the learning rate of a step, counted from 0
    loss: "Callable[[Tensor, Tensor], Tensor]"  # of logits (B, classes) in full precision and labels: their mean
    microbatch: int  # images at a time on the device
    device: str
    clip: float = 0.0  # the longest gradient; 0: any
    half: bool = True  # half precision, where the device is a GPU
    prepare: "Callable[[Tensor], Tensor]" = field(default=as_they_are)  # on the device, before the network
    after: Callable[[int], None] = field(default=lambda step: None)  # when a step was made
    step: int = 0

    def epoch(self, batches: "Batches", number: int) -> float:
        """Trains on every batch once; returns the sum of the losses of all images.

        Raises:
            MeasurementFailed: the loss is not finite any more.
        """
        import torch

        self.network.train()
        total = torch.zeros((), dtype=torch.float64, device=self.device)  # read once: a GPU need not wait for us
        for images, labels in batches:
            self.rate(self.step)
            self._gradients(images, labels, total)
            if self.clip:
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            self.after(self.step)
        reached = float(total)
        if not math.isfinite(reached):
            raise MeasurementFailed("the training diverged", f"the loss is {reached} in epoch {number}: lower the rate")
        return reached

    def _gradients(self, images: "Tensor", labels: "Tensor", total: "Tensor") -> None:
        """Adds up the gradients of a batch, part by part; processes beside this one hear of the last part alone."""
        count = len(labels)
        for start in range(0, count, self.microbatch):
            x = images[start : start + self.microbatch].to(self.device)
            y = labels[start : start + self.microbatch].to(self.device)
            last = start + self.microbatch >= count
            with nullcontext() if last else getattr(self.network, "no_sync", nullcontext)():
                with precision(self.device, self.half):
                    logits = self.network(self.prepare(x))
                loss = self.loss(logits.float(), y) * (len(y) / count)
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach().double() * count


def answers(
    network: "nn.Module",
    batches: "Batches",
    device: str,
    *,
    prepare: "Callable[[Tensor], Tensor]" = as_they_are,
    half: bool = True,
) -> "Iterator[tuple[Tensor, Tensor]]":
    """The logits (B, classes) of every batch, in full precision, beside its labels, as a trained network gives them."""
    import torch

    network.eval()
    for images, labels in batches:
        with torch.no_grad(), precision(device, half):
            logits = network(prepare(images.to(device))).float()
        yield logits, labels.to(device)


def within_memory(
    attempt: Callable[[int], Reached], microbatch: int, restore: Callable[[], object] = lambda: None
) -> Reached:
    """What `attempt` returns, given as many images at a time as the device has memory for: all, half, a quarter, ...

    Raises:
        MeasurementFailed: not even two images fit.
    """
    import torch

    while True:
        try:
            return attempt(microbatch)
        except torch.OutOfMemoryError:
            if microbatch <= FEWEST:
                raise MeasurementFailed("not even two images fit into the device's memory") from None
        microbatch //= 2
        restore()


def precision(device: str, half: bool = True) -> Any:
    """bfloat16 where a GPU multiplies, if wanted; full precision on a CPU."""
    import torch

    return torch.autocast("cuda", dtype=torch.bfloat16, enabled=half and device.startswith("cuda"))


def step_down_note(microbatch: int, wanted: int) -> tuple[str, ...]:
    """What is to be said of a training that went through its batches in parts for want of memory."""
    return () if microbatch == wanted else (f"trained {microbatch} images at a time for want of memory",)
