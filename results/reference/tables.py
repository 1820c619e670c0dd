"""Published tables of networks or epochs, as columns. `scripts/make_reference_tables.py` makes their files."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from results.reference.facts import SIZES, rows

Vector = NDArray[np.float64]
NOT_TIMES = ("model", "size", "labels_alone", "top-1", "params", "macs", "activations")


@dataclass(frozen=True, kw_only=True)
class Networks:
    """Networks at an image size, a row each: columns are (n,). A time is NaN where it was not published."""

    model: tuple[str, ...]
    size: Vector  # pixels
    top1: Vector  # percent
    macs: Vector  # G
    activations: Vector  # M
    times: dict[str, Vector]  # by setting: ms an image, or ms a batch on T4 and iPhone
    labels_alone: NDArray[np.bool_]  # trained with nothing but the images and labels of ImageNet-1k

    def row(self, model: str, size: int = 224) -> int:
        """The row of a model at a size."""
        return next(i for i, name in enumerate(self.model) if name == model and self.size[i] == size)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """ImageNet top-1, in percent, after each of 300 epochs of one schedule: (epochs,) for each network."""

    top1: dict[str, Vector]


@cache
def timm() -> Networks:
    """timm's models that were timed compiled on an RTX 4090 and on a Core i7: one row for each set of weights."""
    return _networks("timm.csv")


@cache
def across_devices() -> Networks:
    """The models of Next-ViT's figure that timm has measured too, with their times in nine settings."""
    return _networks("across_devices.csv")


@cache
def training_curves() -> Curves:
    """The published training runs of Next-ViT-S, B and L."""
    lines = rows("training_curves.csv")
    return Curves(top1={model: np.array([float(line[model]) for line in lines]) for model in SIZES})


def _networks(name: str) -> Networks:
    lines = rows(name)

    def column(key: str) -> Vector:
        return np.array([float(line[key] or "nan") for line in lines])

    return Networks(
        model=tuple(line["model"] for line in lines),
        size=column("size"),
        top1=column("top-1"),
        macs=column("macs"),
        activations=column("activations"),
        times={key: column(key) for key in lines[0] if key not in NOT_TIMES},
        labels_alone=np.array([line.get("labels_alone", "1") == "1" for line in lines]),
    )
