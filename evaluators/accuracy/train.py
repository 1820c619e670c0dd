"""Accuracy after a short real training on your data.

However few the epochs, the schedule is complete: warm-up, then a cosine to zero. All networks have one learning rate,
without stochastic depth and without mixing of images. A short training ranks only networks that have learnt something:
the detail `skill` says how far they are above guessing.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from evaluators.core.measurement import Metric, Reading
from evaluators.statistics.intervals import share_error
from evaluators.training.fidelity import Fidelity, Trained, trains_on
from search_spaces import Architecture

if TYPE_CHECKING:
    from evaluators.datasets.images import Images
    from evaluators.training.short_training import Outcome


@dataclass(frozen=True, kw_only=True)
class Train(Trained):
    """Top-1 on validation images. The interval covers the sample of images and, with several seeds, their spread."""

    revision: ClassVar[int] = 3  # 2: in bfloat16 on CPUs that multiply in it; 3: branches scaled by depth, lower rates

    @property
    def metric(self) -> Metric:
        """Accuracy; on the procedural set, a skill."""
        unit = "% synthetic skill" if self.data == "synthetic" else self.unit
        return Metric(name=self.spec, unit=unit, direction=self.direction, kind=self.kind)

    def _read(self, architecture: Architecture) -> Reading:
        from evaluators.datasets.in_memory import load

        images = load(self.data, self.resolution, self.images)
        outcomes = [_trained(architecture, images, self, seed) for seed in range(self.seeds)]
        values = [100 * (outcome.skill if self.data == "synthetic" else outcome.accuracy) for outcome in outcomes]
        share, count = sum(values) / len(values) / 100, len(images.valid_labels)
        reading = self.reached(
            values,
            100 * share_error(share, count),
            outcomes,
            sum(outcome.skill for outcome in outcomes) / len(outcomes),
            accuracies=[outcome.accuracies for outcome in outcomes],
            images=images.identity,
            validation_images=count,
        )
        return replace(reading, warnings=(*images.remarks, *reading.warnings))


def _trained(architecture: Architecture, images: "Images", fidelity: Fidelity, seed: int) -> "Outcome":
    from evaluators.training.short_training import Recipe, initialise, train
    from search_spaces.nextvit.network import NextViT

    network = NextViT(architecture, num_classes=images.classes, drop_path_rate=0)
    initialise(network, seed)
    recipe = Recipe(epochs=fidelity.epochs, learning_rate=fidelity.rate or fidelity.usual_rate, seed=seed)
    return train(network, images, recipe, trains_on())
