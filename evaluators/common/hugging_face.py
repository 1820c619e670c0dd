"""An image set of the Hugging Face hub, or a copy of one on disk, through the package datasets.

A name that is not on this machine yet is fetched by that package, which says so and keeps it in its own cache.
"""

from pathlib import Path
from typing import Any

import numpy as np

from evaluators.common.data import VALID, Found, scaled
from search_spaces.common.errors import Unavailable, UsageError


def read(name: str, resolution: int) -> Found:
    """All images of the set, with its own validation split where it has one.

    Raises:
        Unavailable: it cannot be had.
        UsageError: it has no column of images, or none of class labels.
    """
    train, valid = opened_set(name)
    image, label = image_and_label(name, train.features)
    sides = [train] if valid is None else [train, valid]
    pixels = [scaled(row[image], resolution) for side in sides for row in side]
    labels = [int(row[label]) for side in sides for row in side.select_columns(label)]
    marks = [index > 0 for index, side in enumerate(sides) for _ in range(len(side))]
    return Found(
        pixels=np.stack(pixels),
        labels=np.array(labels, dtype=np.int64),
        classes=tuple(train.features[label].names),
        valid=None if valid is None else np.array(marks),
    )


def opened_set(name: str) -> tuple[Any, Any | None]:
    """The part of a set to train on, and the one to validate on where it has one.

    Raises:
        Unavailable: it cannot be had.
    """
    import datasets

    try:
        if Path(name).is_dir() and (Path(name) / "dataset_dict.json").exists():
            parts = datasets.load_from_disk(name)
        else:
            parts = datasets.load_dataset(name)
    except Exception as error:  # no such set, no network, a broken cache: the package has many ways to say no
        words = (str(error).splitlines() or [""])[0]
        raise Unavailable(f"the set '{name}' cannot be had: {words:.200}", "check its name and the network") from None
    train = parts.get("train") or next(iter(parts.values()))
    return train, next((parts[each] for each in VALID if each in parts and parts[each] is not train), None)


def image_and_label(name: str, features: Any) -> tuple[str, str]:
    """The names of the columns with the images and with their classes.

    Raises:
        UsageError: it has no such columns.
    """
    import datasets

    images = [key for key, feature in features.items() if isinstance(feature, datasets.Image)]
    labels = [key for key, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    if not images or not labels:
        raise UsageError(
            f"the set '{name}' has the columns {', '.join(features)}: no images, or no class labels among them",
            "name a set for image classification",
        )
    return images[0], labels[0]
