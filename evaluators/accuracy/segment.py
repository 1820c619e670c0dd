"""Segmentation after a short real training on procedural scenes: a task that reads all four stages.

The value is the mean intersection over union (mIoU) of eight classes, background included. A classifier reads the last
stage alone; here a pixel's class comes from the sum of all stages (`training/segmentation.py`), so that what the early
stages see matters, too. Scenes are not photographs: the value compares networks, and is no accuracy on anything else.
"""

from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import always, check_range
from evaluators.core.measurement import Reading
from evaluators.datasets.data import SCENES
from evaluators.statistics.intervals import mean_ratio_error
from evaluators.training.fidelity import Trained, trains_on
from search_spaces import Architecture
from search_spaces.common.errors import Unavailable


@dataclass(frozen=True, kw_only=True)
class Segment(Trained):
    """mIoU on 1,000 validation scenes. The interval covers their choice and, with several seeds, the spread."""

    unit: ClassVar[str] = "% mIoU"
    usual_rate: ClassVar[float] = 0.004

    data: str = always(SCENES)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("resolution", self.resolution, 32, 256)
        check_range("images", self.images, 0, 100_000)

    def missing(self) -> Unavailable | None:
        """Only the procedural scenes have a class for every pixel."""
        if self.data == SCENES:
            return None
        return Unavailable(f"'{self.data}' has no class for every pixel", f"segment trains on data={SCENES} alone")

    def _read(self, architecture: Architecture) -> Reading:
        from evaluators.datasets.scenes import load
        from evaluators.training.segmentation import BATCH, train
        from evaluators.training.short_training import Recipe

        scenes = load(self.resolution, self.images)
        rate = self.rate or self.usual_rate
        recipes = [
            Recipe(epochs=self.epochs, learning_rate=rate, batch_size=BATCH, seed=seed) for seed in range(self.seeds)
        ]
        outcomes = [train(architecture, scenes, recipe, trains_on()) for recipe in recipes]
        values = [outcome.mean_iou for outcome in outcomes]
        mean = sum(values) / len(values)
        sampling = mean_ratio_error(
            [outcome.intersections for outcome in outcomes], [outcome.unions for outcome in outcomes]
        )
        return self.reached(
            [100 * value for value in values],
            100 * sampling,
            outcomes,
            (mean - scenes.chance) / (1 - scenes.chance),
            ious=[{name: round(iou, 5) for name, iou in outcome.ious.items()} for outcome in outcomes],
            images=scenes.identity,
            validation_images=len(scenes.valid_labels),
        )
