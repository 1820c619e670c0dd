"""A short training of one network on images in memory, with a complete schedule.

The first epochs of a long schedule are misleading: in the published curves of Next-ViT, S leads B and L for 30 of 300
epochs. A short training therefore warms up, and its learning rate falls to zero along a cosine within its own epochs.
It uses AdamW, weight decay on matrices and kernels only, label smoothing 0.1, no stochastic depth and no mixing.

`fitted` trains for any task; the rest is the task of this module, one label for each image.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from evaluators.datasets.images import Images, Task
from evaluators.training.loop import Loop, answers, step_down_note, within_memory
from search_spaces.zoo import KINDS

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from evaluators.training.loop import Batches

# The last layers of residual branches; if a batch norm follows, which would undo their scale, the norm.
BRANCH_ENDS = ("mhca.projection", "e_mhsa.proj", "mlp.fc2", *(end for kind in KINDS.values() for end in kind.ENDS))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every setting of a short training that changes its result, apart from data and network."""

    epochs: int
    learning_rate: float  # at its peak
    batch_size: int = 128
    warmup: float = 0.1  # share of the steps
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    clip: float = 1.0  # the largest norm of the gradient
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What differs between the tasks of a training: its batches, and the loss of logits for their labels."""

    images: int  # of an epoch
    batches: (
        "Callable[[int, torch.Generator], Batches]"  # of an epoch, from the batch size and the source of randomness
    )
    loss: "Callable[[Tensor, Tensor], Tensor]"


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a training went."""

    loss: float  # mean training loss of the last epoch
    curve: list[dict[str, float]]
    samples: int  # images seen
    seconds: float  # without the validation
    microbatch: int  # images on the device at a time
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome(Fit):
    """The result of a training. Accuracies, from 0 to 1 on the validation images, are by head."""

    accuracies: dict[str, float]
    skill: float  # mean over heads of (accuracy - chance) / (1 - chance)

    @property
    def accuracy(self) -> float:
        """The mean accuracy over the heads."""
        return sum(self.accuracies.values()) / len(self.accuracies)


def train(network: "nn.Module", images: Images, recipe: Recipe, device: str = "cpu") -> Outcome:
    """Trains a network to the end of its schedule and validates it after the last epoch.

    Raises:
        MeasurementFailed: the loss is no longer finite, or not even two images fit.
    """
    lesson = Lesson(
        images=len(images.train_labels),
        batches=partial(batches, images),
        loss=lambda logits, labels: _loss(logits, labels, images, recipe.label_smoothing),
    )
    fit = fitted(network, lesson, recipe, device)
    accuracies = validate(network, images, device, fit.microbatch)
    return Outcome(accuracies=accuracies, skill=images.skill(accuracies), **vars(fit))


def fitted(network: "nn.Module", lesson: Lesson, recipe: Recipe, device: str = "cpu") -> Fit:
    """Trains a network to the end of its schedule.

    If a batch does not fit into the device's memory, its gradients are accumulated over halves, quarters, ...: the
    schedule stays the same, batch norm sees fewer images at a time, and a note says so.

    Raises:
        MeasurementFailed: the loss is no longer finite, or not even two images fit.
    """
    start = {name: value.clone() for name, value in network.state_dict().items()}
    return within_memory(
        lambda microbatch: _fitted(network, lesson, recipe, device, microbatch),
        recipe.batch_size,
        restore=lambda: network.load_state_dict(start),
    )


def _fitted(network: "nn.Module", lesson: Lesson, recipe: Recipe, device: str, microbatch: int) -> Fit:
    import torch

    started = time.perf_counter()
    random = torch.Generator().manual_seed(recipe.seed)
    loop = _loop(network, lesson, recipe, device, microbatch)
    totals = [loop.epoch(lesson.batches(recipe.batch_size, random), epoch) for epoch in range(1, recipe.epochs + 1)]
    curve = [{"loss": round(total / lesson.images, 5)} for total in totals]
    return Fit(
        loss=curve[-1]["loss"],
        curve=curve,
        samples=recipe.epochs * lesson.images,
        seconds=round(time.perf_counter() - started, 3),
        microbatch=microbatch,
        notes=step_down_note(microbatch, recipe.batch_size),
    )


def _loop(network: "nn.Module", lesson: Lesson, recipe: Recipe, device: str, microbatch: int) -> Loop:
    import torch

    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = recipe.epochs * math.ceil(lesson.images / recipe.batch_size)
    optimizer = _optimizer(network, recipe)

    def rate(step: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _share(step, steps, recipe.warmup)

    return Loop(
        network=network,
        optimizer=optimizer,
        rate=rate,
        loss=lesson.loss,
        microbatch=microbatch,
        device=device,
        clip=recipe.clip,
        prepare=normalised,
    )


def initialise(network: "nn.Module", seed: int) -> None:
    """Draws initial weights for a short training: Kaiming (fan out) for convolutions, 0.02 for linear layers.

    The last layer of every residual branch is divided by the square root of the number of branches, as in GPT-2: depth
    then does not change the size of what the branches add up to. The official initialisation, 0.02 everywhere, leaves
    narrow networks with many transformers at chance: on digits the widest of 64 small networks reached a skill of 0.29
    with it and 0.97 with Kaiming's, all else equal.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    last = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
        if name.endswith(BRANCH_ENDS):
            last.append(module)
    with torch.no_grad():
        for module in last:
            module.weight.mul_(len(last) ** -0.5)


def validate(network: "nn.Module", images: Images, device: str = "cpu", batch_size: int = 256) -> dict[str, float]:
    """The accuracy on the validation images, from 0 to 1, by head."""
    right: dict[str, list[float]] = {head.name: [] for head in images.heads}
    starts = range(0, len(images.valid_labels), batch_size)
    slices = [slice(start, start + batch_size) for start in starts]
    parts = ((images.valid_pixels[part], images.valid_labels[part]) for part in slices)
    for logits, y in answers(network, parts, device, prepare=normalised):
        predicted = masked(logits, y, images).argmax(1)
        for head in images.heads:
            own = (y >= head.first) & (y < head.first + head.classes)
            right[head.name] += (predicted[own] == y[own]).double().tolist()
    return {name: sum(hits) / len(hits) for name, hits in right.items()}


def batches(images: Images, size: int, random: "torch.Generator") -> "Iterator[tuple[Tensor, Tensor]]":
    """Yields one epoch of bytes (B, 3, H, W) and labels (B,): shuffled, shifted by up to an eighth, mirrored."""
    import torch
    import torch.nn.functional as F

    side = images.train_pixels.shape[-1]
    reach = side // 8
    for batch in shuffled(len(images.train_labels), size, random):
        x = F.pad(images.train_pixels[batch], [reach] * 4)
        top, left = torch.randint(0, 2 * reach + 1, (2, len(batch)), generator=random)
        rows, columns = top[:, None] + torch.arange(side), left[:, None] + torch.arange(side)
        # Indexing with a slice between index arrays puts the channels last: (B, H, W, 3), then (B, 3, H, W).
        x = x[torch.arange(len(batch))[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if images.mirrors:
            mirrored = torch.rand(len(batch), generator=random) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        yield x, images.train_labels[batch]


def shuffled(count: int, size: int, random: "torch.Generator") -> "Iterator[Tensor]":
    """Yields the numbers of an epoch's images in random order, batch by batch."""
    import torch

    for batch in torch.randperm(count, generator=random).split(size):  # type: ignore[no-untyped-call]
        if len(batch) > 1 or count == 1:  # batch norm cannot train on one image
            yield batch


def normalised(pixels: "Tensor") -> "Tensor":
    """Bytes as numbers around 0, with one mean and scale for all data sets."""
    import torch

    return ((pixels.float() - 127.5) / 63.75).contiguous(memory_format=torch.channels_last)


def masked(logits: "Tensor", labels: "Tensor", images: Task) -> "Tensor":
    """Logits (B, classes) in which only the classes of the label's head are possible: an image belongs to one head."""
    import torch

    if len(images.heads) == 1:
        return logits
    heads = torch.tensor([n for n, head in enumerate(images.heads) for _ in range(head.classes)], device=labels.device)
    return logits.masked_fill(heads[None] != heads[labels][:, None], -1e4)


def _loss(logits: "Tensor", labels: "Tensor", images: Images, smoothing: float) -> "Tensor":
    """Cross-entropy with label smoothing among the classes of each image's own head."""
    import torch

    logs = masked(logits, labels, images).log_softmax(1)
    sizes = torch.tensor([h.classes for h in images.heads for _ in range(h.classes)], device=labels.device)[labels]
    own = logs > -5e3  # the classes that are not masked
    even = torch.where(own, logs, torch.zeros_like(logs)).sum(1) / sizes
    right = logs.gather(1, labels[:, None]).squeeze(1)
    return -((1 - smoothing) * right + smoothing * even).mean()


def _optimizer(network: "nn.Module", recipe: Recipe) -> "torch.optim.Optimizer":
    import torch

    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def _share(step: int, steps: int, warmup: float) -> float:
    """The share of the peak learning rate in a step: a linear warm-up, then a cosine to 0 after the last step."""
    warmup_steps = max(1, round(steps * warmup))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))))
