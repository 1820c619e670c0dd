"""The recipe of a full training: every setting with its default, range and help text. Standard library only.

The defaults are the official recipe of Next-ViT on ImageNet-1k (arXiv 2207.05501, section 4.1), completed by the
defaults of its training code.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from search_spaces.common.errors import UsageError

WARMUP = 1 / 15  # of the epochs: 20 of 300
SHALLOW, DROP_SHALLOW, DROP_DEEP = 20, 0.1, 0.2  # Next-ViT-S has 20 blocks and drops 0.1; B and L drop 0.2
REFERENCE_BATCH = 512  # batch size to which `learning_rate` refers
FREE = ("workers", "bad_images")  # settings that may change when a training resumes
INITIAL = ("official", "kaiming")
AUGMENT = re.compile(r"rand(-(mstd|inc|[mnpwt])\d+(\.\d+)?)*|original|originalr|v0|v0r|3a|none")
# For small sets: only crops and mirror images as augmentation, and initial weights that learn quickly.
PLAIN: dict[str, Any] = {
    "learning_rate": 0.01,  # that is, 0.00125 for a batch of 64
    "crop": 0.7,
    "augment": "none",
    "color_jitter": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "erase": 0.0,
    "drop_path": 0.0,
    "initial": "kaiming",
}


def setting(default: object, words: str, low: float = 0.0, high: float = float("inf"), kind: type | None = None) -> Any:
    """A field with its help text and range; `kind` is its type if the default None depends on other settings."""
    return field(default=default, metadata={"words": words, "low": low, "high": high, "kind": kind or type(default)})


@dataclass(frozen=True, kw_only=True)
class FullRecipe:
    """The settings of a full training.

    Raises:
        UsageError: a value out of its range, or two that do not go together.
    """

    epochs: int = setting(300, "Passes over the training images.", 1, 100_000)
    batch_size: int = setting(2048, "Images per step, over all processes.", 2, 1_000_000)
    learning_rate: float = setting(5e-4, f"Peak, for {REFERENCE_BATCH} images; scales with the batch.", 1e-9, 100)
    weight_decay: float = setting(0.1, "Of AdamW, on weights only.", 0, 10)
    warmup_epochs: float | None = setting(None, "Warm-up from 1e-6.  [default: a 15th of the epochs]", 0, 1e5, float)
    drop_path: float | None = setting(
        None, "Highest rate of stochastic depth.  [default: 0.1 up to 20 blocks, else 0.2]", 0, 0.9, float
    )
    initial: str = setting("official", "Initial weights: official (0.02 everywhere) or kaiming.")
    clip: float = setting(5.0, "Largest norm of the gradient; 0: no clipping.")
    resolution: int = setting(224, "Side of the images in pixels.", 32, 1024)
    crop: float = setting(0.08, "Smallest share of an image in a random crop.", 0.01, 1)
    augment: str = setting("rand-m9-mstd0.5-inc1", "An augmentation by its name in timm, or none.")
    color_jitter: float = setting(0.4, "Strength, if there is no augmentation.", 0, 1)
    mixup: float = setting(0.8, "Alpha of mixed images; 0: none.", 0, 100)
    cutmix: float = setting(1.0, "Alpha of images with a part of another; 0: none.", 0, 100)
    smoothing: float = setting(0.1, "Label smoothing.", 0, 0.9)
    erase: float = setting(0.25, "Probability that a part of an image is erased.", 0, 1)
    ema: float = setting(0.0, "Decay of averaged weights, such as 0.9999; 0: none.", 0, 0.999999)
    amp: bool = setting(True, "bfloat16 on a GPU.")
    seed: int = setting(0, "Seed of every random choice.", 0, 2**31 - 1)
    workers: int = setting(4, "Processes that read images, for each training process.", 0, 256)
    bad_images: int = setting(100, "Unreadable images to tolerate before the training stops.")

    def __post_init__(self) -> None:
        for option in fields(self):
            value, low, high = getattr(self, option.name), option.metadata["low"], option.metadata["high"]
            if isinstance(value, (int, float)) and not low <= value <= high:
                expected = f"from {low:g} to {high:g}" if high < float("inf") else f"of {low:g} or more"
                name = option.name.replace("_", " ")
                raise UsageError(f"{name} expects a number {expected}, got {value:g}", option.metadata["words"])
        if not AUGMENT.fullmatch(self.augment):
            raise UsageError(f"there is no augmentation '{self.augment}'", "for example rand-m9-mstd0.5-inc1, or none")
        if self.initial not in INITIAL:
            raise UsageError(f"initial expects one of {', '.join(INITIAL)}, got '{self.initial}'")
        if self.rising >= self.epochs:
            raise UsageError(f"{self.rising:g} warm-up epochs leave none of {self.epochs}", "shorten the warm-up")

    @classmethod
    def of(cls, given: Mapping[str, Any], *, plain: bool = False) -> "FullRecipe":
        """The recipe with the given settings; the others are those for small sets if `plain`, else the defaults."""
        return cls(**({**PLAIN, **given} if plain else given))

    @property
    def rising(self) -> float:
        """The number of warm-up epochs."""
        return self.epochs * WARMUP if self.warmup_epochs is None else self.warmup_epochs

    @property
    def highest_rate(self) -> float:
        """The peak learning rate for the batch size."""
        return self.learning_rate * self.batch_size / REFERENCE_BATCH

    @property
    def mixes(self) -> bool:
        """Whether images are mixed with each other."""
        return self.mixup > 0 or self.cutmix > 0

    def dropped(self, blocks: int) -> float:
        """The highest rate of stochastic depth for a network with that number of blocks."""
        return self.drop_path if self.drop_path is not None else (DROP_SHALLOW if blocks <= SHALLOW else DROP_DEEP)

    def protocol(self) -> dict[str, Any]:
        """The settings that change the result, for any network."""
        return {name: value for name, value in asdict(self).items() if name not in FREE}
