"""The training loop of short and of full trainings.

The caller supplies what differs: batches, loss and learning rate of each step. The loop handles the rest: gradient
accumulation over microbatches, gradient clipping, half precision, a loss that is not finite, and a device
without memory for a batch.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from search_spaces.common.errors import MeasurementFailed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Batches = Iterable[tuple[Tensor, Tensor]]  # images (B, 3, H, W) and labels (B,), or soft labels (B, classes)

FEWEST = 2  # images in a microbatch: batch norm cannot train on one
Result = TypeVar("Result")


def as_they_are(images: "Tensor") -> "Tensor":
    """The images without any preparation."""
    return images


@dataclass(kw_only=True)
class Loop:
    """The training of a network; `step` counts the steps so far."""

    network: "nn.Module"
    optimizer: "torch.optim.Optimizer"
    rate: Callable[[int], None]  # sets the learning rate for a step, counted from 0
    loss: "Callable[[Tensor, Tensor], Tensor]"  # of fp32 logits (B, classes) and labels: the mean over the batch
    microbatch: int  # images on the device at a time
    device: str
    clip: float = 0.0  # the largest norm of the gradient; 0: no limit
    half: bool = True  # bfloat16 where it is quicker
    prepare: "Callable[[Tensor], Tensor]" = field(default=as_they_are)  # of images on the device
    after: Callable[[int], None] = field(default=lambda step: None)  # called after a step, with its number
    step: int = 0

    def epoch(self, batches: "Batches", number: int) -> float:
        """Trains on every batch once; returns the sum of the losses over all images.

        Raises:
            MeasurementFailed: the loss is no longer finite.
        """
        import torch

        self.network.train()
        total = torch.zeros((), dtype=torch.float64, device=self.device)  # read once, so that a GPU does not wait
        for images, labels in batches:
            self.rate(self.step)
            self._gradients(images, labels, total)
            if self.clip:
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            self.after(self.step)
        loss = float(total)
        if not math.isfinite(loss):
            raise MeasurementFailed(
                "the training diverged", f"the loss is {loss} in epoch {number}: lower the learning rate"
            )
        return loss

    def _gradients(self, images: "Tensor", labels: "Tensor", total: "Tensor") -> None:
        """Accumulates the gradients of a batch over microbatches; processes synchronise only on the last one."""
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
    """Yields fp32 logits (B, classes) and labels of every batch, in evaluation mode."""
    import torch

    network.eval()
    for images, labels in batches:
        with torch.no_grad(), precision(device, half):
            logits = network(prepare(images.to(device))).float()
        yield logits, labels.to(device)


def within_memory(
    attempt: Callable[[int], Result], microbatch: int, restore: Callable[[], object] = lambda: None
) -> Result:
    """Calls `attempt` with `microbatch`, and with half of it, a quarter, ... while the device is out of memory.

    `restore` is called before another attempt. Returns the result of the attempt that succeeds.

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
    """A context for bfloat16, if `half`: on a GPU, and on a CPU that multiplies in it."""
    import torch

    kind = "cuda" if device.startswith("cuda") else "cpu"
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=half and (kind == "cuda" or multiplies_in_half()))


@cache
def multiplies_in_half() -> bool:
    """Whether this CPU has instructions for bfloat16; others would take longer in it than in full precision.

    A step of Next-ViT-S takes 0.6 to 0.7 of the time in it (64 and 32 px, one core of an AMD EPYC with AVX-512 BF16).
    """
    import torch

    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def step_down_note(microbatch: int, wanted: int) -> tuple[str, ...]:
    """A note for a training whose microbatch was reduced for want of memory."""
    return () if microbatch == wanted else (f"trained {microbatch} images at a time for want of memory",)
