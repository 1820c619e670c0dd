"""Accuracy after a short real training on your data: what the network reaches, not what a score believes.

The schedule is a whole one, warm-up and cosine to zero, however few its epochs, with one learning rate for all
networks; without stochastic depth and mixing of images. A short training ranks only networks that have learnt
something: `skill` tells how far they came from guessing.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from evaluators.core.evaluator import cores
from evaluators.core.measurement import Kind, Metric, Reading, SharedDetails
from evaluators.statistics.intervals import normal, share_error
from evaluators.targets import gpu
from evaluators.training.fidelity import USUAL_RATE, Fidelity
from search_spaces import Architecture

if TYPE_CHECKING:
    from evaluators.datasets.images import Images
    from evaluators.training.short_training import Outcome

MEMORY = 16 << 10  # MiB of a GPU's memory for each network that is trained on it
MOST = 8  # networks at once


@dataclass(frozen=True, kw_only=True)
class Train(Fidelity):
    """Top-1 on validation images. The interval covers the choice of those images and, with several seeds, of these."""

    kind: ClassVar[Kind] = "trained"

    @property
    def metric(self) -> Metric:
        """Accuracy; but what is reached on the procedural set is a skill."""
        unit = "% synthetic skill" if self.data == "synthetic" else self.unit
        return Metric(name=self.spec, unit=unit, direction=self.direction, kind=self.kind)

    def physical(self) -> str:
        """The GPU, where there is one: latencies are measured on it, too."""
        return gpu.physical() if _device() == "cuda" else super().physical()

    def at_once(self) -> int:
        """One network for each core; a GPU must have memory for each, too."""
        room = gpu.memory() // MEMORY if _device() == "cuda" else MOST
        return max(1, min(cores(), room, MOST))

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        from evaluators.datasets.in_memory import load

        images = load(self.data, self.resolution, self.images)
        outcomes = [_trained(architecture, images, self, seed) for seed in range(self.seeds)]
        values = [100 * (each.skill if self.data == "synthetic" else each.accuracy) for each in outcomes]
        mean = sum(values) / len(values)
        half = normal() * _error(mean, values, len(images.valid_labels))
        return Reading(
            value=round(mean, 4),
            low=max(round(mean - half, 4), self.bounds[0]),
            high=min(round(mean + half, 4), self.bounds[1]),
            samples=self.seeds,
            quality="trained",
            warnings=(*images.remarks, *dict.fromkeys(note for each in outcomes for note in each.notes)),
            details={
                **SharedDetails(
                    fidelity=self.fidelity, skill=round(sum(each.skill for each in outcomes) / len(outcomes), 5)
                ),
                "by_seed": [round(value, 4) for value in values],
                "accuracies": [each.accuracies for each in outcomes],
                "curves": [each.curve for each in outcomes],
                "images": images.identity,
                "samples": outcomes[0].samples,
                "validation_images": len(images.valid_labels),
                "seconds": [each.seconds for each in outcomes],
                "device": _device(),
            },
        )


def _trained(architecture: Architecture, images: "Images", fidelity: Fidelity, seed: int) -> "Outcome":
    from evaluators.training.short_training import Recipe, initialise, train
    from search_spaces.nextvit.network import NextViT

    network = NextViT(architecture, num_classes=images.classes, drop_path_rate=0)
    initialise(network, seed)
    recipe = Recipe(epochs=fidelity.epochs, learning_rate=fidelity.rate or USUAL_RATE, seed=seed)
    return train(network, images, recipe, _device())


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _error(mean: float, values: list[float], images: int) -> float:
    """The standard error in percent: of the sample of images and, with several seeds, of their mean."""
    sampling = 100 * share_error(mean / 100, images)
    count = len(values)
    between = sum((value - mean) ** 2 for value in values) / (count - 1) / count if count > 1 else 0.0
    return sqrt(sampling**2 + between)
