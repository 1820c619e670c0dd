"""The batches of a full training: augmented, collated and normalised by timm's loaders, then mixed.

The order, crops and mixtures of an epoch follow from the seed and the number of the epoch alone, so a resumed training
sees the same batches as an uninterrupted one.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluators.core.evaluator import cores
from evaluators.datasets.pictures import NO_LABEL, Pictures
from evaluators.datasets.sources import Source
from evaluators.training.processes import Processes
from evaluators.training.recipe import FullRecipe
from search_spaces.common.errors import NegativeAnswer, UsageError
from search_spaces.nextvit.preparation import CROP, INTERPOLATION, MEAN, STD

if TYPE_CHECKING:
    from torch import Tensor

VALIDATION_BATCH = 256
NAMED = 3  # unreadable images named in a message; all are counted


class Loaders:
    """The batches of this process.

    Raises:
        UsageError: the batch size does not divide among the processes, or exceeds the set.
    """

    def __init__(self, source: Source, recipe: FullRecipe, processes: Processes) -> None:
        self.source, self.recipe, self.processes = source, recipe, processes
        self.train, self.valid = source.train, source.valid.every(processes.number, processes.count)
        self._training = self._loader(self.train, _share(source, recipe, processes), is_training=True)
        self._validation = self._loader(self.valid, VALIDATION_BATCH, is_training=False)
        self._mixed = _mixing(recipe, source.classes)

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""
        return len(self._training)

    def training(self, epoch: int) -> "Iterator[tuple[Tensor, Tensor]]":
        """Yields the batches of an epoch: images (B, 3, H, W) and soft labels (B, classes).

        Raises:
            NegativeAnswer: more images are unreadable than the recipe allows.
        """
        reseed(self.recipe.seed, epoch, self.processes.number)
        if self.processes.count > 1:
            self._training.sampler.seed = self.recipe.seed
            self._training.sampler.set_epoch(epoch)
        for images, labels in self._training:
            self.check(int(self.train.bad.sum()))
            if (labels == NO_LABEL).any():
                raise NegativeAnswer("no image can be read", f"for example {', '.join(self.train.named(NAMED))}")
            yield self._mixed(images, labels)

    def validation(self) -> "Iterator[tuple[Tensor, Tensor]]":
        """Yields the validation batches of this process: images (B, 3, H, W) and labels (B,)."""
        for images, labels in self._validation:
            known = labels != NO_LABEL
            yield images[known], labels[known]

    def bad(self) -> int:
        """The number of unreadable images, in all processes together.

        Raises:
            NegativeAnswer: more than the recipe allows.
        """
        self.processes.union(self.train.bad)  # an image is read by one process in this epoch and by another in the next
        (valid,) = self.processes.sum([float(self.valid.bad.sum())])
        count = int(self.train.bad.sum() + valid)
        self.check(count)
        return count

    def remark(self, count: int) -> str:
        """A remark on unreadable images; it names some that this process found."""
        named = [*self.train.named(NAMED), *self.valid.named(NAMED)][:NAMED]
        rest = f" and {count - len(named)} more" if count > len(named) else ""
        total = len(self.source.train) + len(self.source.valid)
        return f"{count} of {total} images cannot be read: {', '.join(named)}{rest}"

    def check(self, count: int) -> None:
        """Checks that the recipe allows so many unreadable images.

        Raises:
            NegativeAnswer: it does not.
        """
        if count > self.recipe.bad_images:
            raise NegativeAnswer(
                f"{self.remark(count)}; the limit is {self.recipe.bad_images}",
                "repair or remove them, or raise the limit on bad images",
            )

    def _loader(self, pictures: Pictures, size: int, *, is_training: bool) -> Any:
        import torch
        from timm.data.loader import create_loader

        recipe, device = self.recipe, torch.device(self.processes.device)
        return create_loader(
            pictures,  # type: ignore[arg-type]  # not a torch data set, but timm's loaders accept it
            recipe.resolution,
            size,
            is_training=is_training,
            scale=(recipe.crop, 1.0),
            hflip=0.5 if self.source.mirrors else 0.0,
            color_jitter=recipe.color_jitter,
            auto_augment=None if recipe.augment == "none" else recipe.augment,
            re_prob=recipe.erase,
            re_mode="pixel",
            interpolation=INTERPOLATION,
            crop_pct=CROP,
            mean=MEAN,
            std=STD,
            num_workers=0 if self.source.is_sized else min(recipe.workers, cores()),
            distributed=is_training and self.processes.count > 1,
            pin_memory=device.type == "cuda",
            persistent_workers=False,  # they would carry random state into the next epoch
            device=device,
        )


def _share(source: Source, recipe: FullRecipe, processes: Processes) -> int:
    """The images of a batch for each process."""
    size, count, images = recipe.batch_size, processes.count, len(source.train)
    if size % (2 * count):  # images are mixed in pairs
        raise UsageError(f"the batch size {size} is not a multiple of {2 * count}", "each process takes an even number")
    if size > images:
        fitting = max(2 * count, 1 << max(1, (images // 16).bit_length() - 1))
        raise UsageError(
            f"the batch size {size} is more than the {images} images of '{source.name}' to train on",
            f"for example a batch size of {fitting}",
        )
    return size // count


def _mixing(recipe: FullRecipe, classes: int) -> Any:
    """A function that mixes images (B, 3, H, W) and turns labels (B,) into soft labels (B, classes)."""
    from timm.data.mixup import Mixup

    mixed = Mixup(  # type: ignore[no-untyped-call]
        recipe.mixup, recipe.cutmix, label_smoothing=recipe.smoothing, num_classes=classes
    )
    mixed.mixup_enabled = recipe.mixes
    return mixed


def reseed(seed: int, epoch: int, process: int) -> None:
    """Seeds all random generators from seed, epoch and process: no random state is carried over."""
    import torch

    numbers = np.random.SeedSequence([seed, epoch, process]).generate_state(3)
    random.seed(int(numbers[0]))
    np.random.seed(int(numbers[1]))
    torch.manual_seed(int(numbers[2]))
