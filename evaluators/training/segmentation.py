"""A short training for a class of every pixel: the read-out of all four stages, its loss, and its validation.

Optimiser, schedule and initial weights are those of every short training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluators.datasets.scenes import CLASSES, Scenes
from evaluators.training.loop import answers
from evaluators.training.short_training import Fit, Lesson, Recipe, fitted, initialise, normalised, shuffled
from search_spaces import Architecture
from search_spaces.nextvit.network import NextViT

Counts = NDArray[np.int64]  # (validation scenes, classes)
CHANNELS = 64  # of every stage's map in the read-out
BATCH = 16  # scenes: one holds as many answers as it has pixels, and more steps teach more


class DenseReadOut(nn.Module):
    """A network with a class for every pixel: images (B, 3, H, W) to logits (B, classes, H, W).

    The semantic branch of Panoptic FPN (Kirillov et al., arXiv 1901.02446, section 3.1) without its 3x3 convolutions:
    each stage's map is projected, normed, and enlarged to stride 4; the sum is classified, and enlarged again. What the
    read-out lacks, the network must supply: a position sees others only through the stages.
    """

    def __init__(self, network: NextViT, classes: int) -> None:
        super().__init__()
        self.network = network
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, CHANNELS, 1, bias=False), nn.BatchNorm2d(CHANNELS))
            for channels in network.feature_channels
        )
        self.classifier = nn.Conv2d(CHANNELS, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [project(map) for project, map in zip(self.projections, self.network.features(x), strict=True)]
        total = maps[0]  # (B, 64, H / 4, W / 4)
        for map in maps[1:]:
            total = total + _enlarged(map, total.shape[2:])
        return _enlarged(self.classifier(F.relu(total)), x.shape[2:])


@dataclass(frozen=True, kw_only=True)
class Segmented(Fit):
    """The result of a training: pixels of each class in each validation scene."""

    intersections: Counts  # of the class in truth and answer
    unions: Counts  # of the class in either

    @property
    def ious(self) -> dict[str, float]:
        """The intersection over union of each class, from 0 to 1, over all validation pixels together."""
        shares = self.intersections.sum(0) / np.maximum(self.unions.sum(0), 1)
        return dict(zip(CLASSES, shares.tolist(), strict=True))

    @property
    def mean_iou(self) -> float:
        """The mean over the classes."""
        return sum(self.ious.values()) / len(CLASSES)


def train(architecture: Architecture, scenes: Scenes, recipe: Recipe, device: str = "cpu") -> Segmented:
    """Trains a network with the read-out of all stages, and validates it after the last epoch.

    Raises:
        MeasurementFailed: the loss is no longer finite, or not even two scenes fit.
    """
    network = DenseReadOut(NextViT(architecture, num_classes=0, drop_path_rate=0), len(CLASSES))
    initialise(network, recipe.seed)
    nn.init.normal_(network.classifier.weight, std=0.01)  # so that all classes are equally likely at first
    lesson = Lesson(
        images=len(scenes.train_labels),
        batches=partial(batches, scenes),
        loss=lambda logits, labels: F.cross_entropy(logits, labels.long(), label_smoothing=recipe.label_smoothing),
    )
    fit = fitted(network, lesson, recipe, device)
    intersections, unions = validate(network, scenes, device)
    return Segmented(intersections=intersections, unions=unions, **vars(fit))


def batches(scenes: Scenes, size: int, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields one epoch of bytes (B, 3, H, W) and classes (B, H, W): shuffled, and mirrored in both directions.

    They are not shifted: a key beyond the edge would leave others without their class.
    """
    for batch in shuffled(len(scenes.train_labels), size, random):
        x, y = scenes.train_pixels[batch], scenes.train_labels[batch]
        for axis in (-1, -2):
            mirrored = torch.rand(len(batch), generator=random) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(axis), x)
            y = torch.where(mirrored[:, None, None], y.flip(axis), y)
        yield x, y


def validate(network: nn.Module, scenes: Scenes, device: str = "cpu", batch_size: int = 64) -> tuple[Counts, Counts]:
    """The intersections and unions of each class in each validation scene, in pixels."""
    starts = range(0, len(scenes.valid_labels), batch_size)
    slices = [slice(start, start + batch_size) for start in starts]
    parts = ((scenes.valid_pixels[part], scenes.valid_labels[part]) for part in slices)
    pairs = [
        _overlaps(logits.argmax(1), labels.long())
        for logits, labels in answers(network, parts, device, prepare=normalised)
    ]
    intersections, unions = (np.concatenate(counts) for counts in zip(*pairs, strict=True))
    return intersections, unions


def _overlaps(answer: Tensor, truth: Tensor) -> tuple[Counts, Counts]:
    """Intersections and unions (B, classes) of two maps of classes (B, H, W)."""
    count = len(CLASSES)
    scene = torch.arange(len(truth), device=truth.device)[:, None, None]
    pairs = torch.bincount(((scene * count + truth) * count + answer).flatten(), minlength=len(truth) * count**2)
    confusion = pairs.view(len(truth), count, count)  # (B, truth, answer)
    both = confusion.diagonal(dim1=1, dim2=2)
    either = confusion.sum(1) + confusion.sum(2) - both
    return both.cpu().numpy(), either.cpu().numpy()


def _enlarged(x: Tensor, size: torch.Size) -> Tensor:
    return x if x.shape[2:] == size else F.interpolate(x, size, mode="bilinear")
