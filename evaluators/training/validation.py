"""The validation of a network in a full training, in all processes together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators.datasets.sources import Source
from evaluators.training.processes import Processes
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    from torch import Tensor

TOP = 5  # of top-5 accuracy


@dataclass(frozen=True, kw_only=True)
class ValidationResult:
    """Accuracies, from 0 to 1, and the mean loss on the validation images of all processes."""

    accuracies: dict[str, float]  # by head
    top1: float
    top5: float
    loss: float
    images: int


def validate(pairs: "Iterable[tuple[Tensor, Tensor]]", source: Source, processes: Processes) -> ValidationResult:
    """Compares logits (B, classes) with labels (B,), batch by batch, in all processes together.

    Raises:
        NegativeAnswer: no validation image can be read.
    """
    import torch
    import torch.nn.functional as F

    from evaluators.training.short_training import masked

    heads = source.heads
    sums = torch.zeros(2 + 2 * len(heads), dtype=torch.float64)  # loss, top-5 hits, then (hits, images) of each head
    for logits, labels in pairs:
        logits = masked(logits, labels, source)
        hits = logits.topk(min(TOP, logits.shape[1]), dim=1).indices == labels[:, None]  # (B, TOP)
        sums[0] += float(F.cross_entropy(logits, labels, reduction="sum"))
        sums[1] += float(hits.sum())
        for number, head in enumerate(heads):
            own = (labels >= head.first) & (labels < head.first + head.classes)
            sums[2 + 2 * number] += float(hits[own, 0].sum())
            sums[3 + 2 * number] += float(own.sum())
    loss, top5, *counts = processes.sum(sums.tolist())
    right, seen = counts[::2], counts[1::2]
    images = sum(seen)
    if not all(seen):
        raise NegativeAnswer("no validation image can be read", "repair them")
    return ValidationResult(
        accuracies={head.name: hits / count for head, hits, count in zip(heads, right, seen, strict=True)},
        top1=sum(right) / images,
        top5=top5 / images,
        loss=loss / images,
        images=int(images),
    )
