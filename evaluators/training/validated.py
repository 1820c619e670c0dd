"""What a network answers on validation images, counted in all processes together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators.datasets.sources import Source
from evaluators.training.processes import Processes
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    from torch import Tensor

TOP = 5


@dataclass(frozen=True, kw_only=True)
class Validated:
    """What a network answered on the validation images of all processes: shares from 0 to 1, and the mean loss."""

    accuracies: dict[str, float]  # by head
    top1: float
    top5: float
    loss: float
    images: int


def validated(pairs: "Iterable[tuple[Tensor, Tensor]]", source: Source, processes: Processes) -> Validated:
    """Counts what is right among logits (B, classes) and labels (B,), in all processes together."""
    import torch
    import torch.nn.functional as F

    from evaluators.training.short_training import masked

    heads = source.heads
    sums = torch.zeros(2 + 2 * len(heads), dtype=torch.float64)  # loss, top-5, then (right, asked) of each head
    for logits, labels in pairs:
        logits = masked(logits, labels, source)
        places = logits.topk(min(TOP, logits.shape[1]), dim=1).indices == labels[:, None]
        sums[0] += float(F.cross_entropy(logits, labels, reduction="sum"))
        sums[1] += float(places.sum())
        for number, head in enumerate(heads):
            mine = (labels >= head.first) & (labels < head.first + head.classes)
            sums[2 + 2 * number] += float(places[mine, 0].sum())
            sums[3 + 2 * number] += float(mine.sum())
    loss, top5, *counts = processes.sum(sums.tolist())
    right, asked = counts[::2], counts[1::2]
    images = sum(asked)
    if not all(asked):
        raise NegativeAnswer("no validation image can be read", "mend them: nothing tells what is reached")
    return Validated(
        accuracies={head.name: r / a for head, r, a in zip(heads, right, asked, strict=True)},
        top1=sum(right) / images,
        top5=top5 / images,
        loss=loss / images,
        images=int(images),
    )
