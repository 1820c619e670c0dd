"""Accuracy after a short real training on your data.

However few the epochs, the schedule is complete: warm-up, then a cosine to zero. All networks have one learning rate,
without stochastic depth and without mixing of images. A short training ranks only networks that have learnt something:
the detail `skill` says how far they are above guessing.
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

MEMORY = 16 << 10  # MiB of GPU memory for each network in training
MOST = 8  # networks in parallel


@dataclass(frozen=True, kw_only=True)
class Train(Fidelity):
    """Top-1 on validation images. The interval covers the sample of images and, with several seeds, their spread."""

    kind: ClassVar[Kind] = "trained"
    revision: ClassVar[int] = 3  # 2: in bfloat16 on CPUs that multiply in it; 3: branches scaled by depth, lower rates

    @property
    def metric(self) -> Metric:
        """Accuracy; on the procedural set, a skill."""
        unit = "% synthetic skill" if self.data == "synthetic" else self.unit
        return Metric(name=self.spec, unit=unit, direction=self.direction, kind=self.kind)

    def physical(self) -> str:
        """The GPU, if there is one, because latencies are measured on it, too."""
        return gpu.physical() if _device() == "cuda" else super().physical()

    def at_once(self) -> int:
        """One network per core, as far as the memory of a GPU allows."""
        room = gpu.memory() // MEMORY if _device() == "cuda" else MOST
        return max(1, min(cores(), room, MOST))

    def _read(self, architecture: Architecture) -> Reading:
        from evaluators.datasets.in_memory import load
        from evaluators.training.loop import multiplies_in_half

        images = load(self.data, self.resolution, self.images)
        outcomes = [_trained(architecture, images, self, seed) for seed in range(self.seeds)]
        values = [100 * (outcome.skill if self.data == "synthetic" else outcome.accuracy) for outcome in outcomes]
        mean = sum(values) / len(values)
        half = normal() * _error(mean, values, len(images.valid_labels))
        return Reading(
            value=round(mean, 4),
            low=max(round(mean - half, 4), self.bounds[0]),
            high=min(round(mean + half, 4), self.bounds[1]),
            samples=self.seeds,
            quality="trained",
            warnings=(*images.remarks, *dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
            details={
                **SharedDetails(
                    fidelity=self.fidelity, skill=round(sum(outcome.skill for outcome in outcomes) / len(outcomes), 5)
                ),
                "by_seed": [round(value, 4) for value in values],
                "accuracies": [outcome.accuracies for outcome in outcomes],
                "curves": [outcome.curve for outcome in outcomes],
                "images": images.identity,
                "samples": outcomes[0].samples,
                "validation_images": len(images.valid_labels),
                "seconds": [outcome.seconds for outcome in outcomes],
                "device": _device(),
                "precision": "bfloat16" if _device() == "cuda" or multiplies_in_half() else "float32",
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
