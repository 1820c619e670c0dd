"""Folders and sets of small images for tests."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def picture(path: Path, colour: int, size: tuple[int, int] = (40, 30), seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([seed, colour]).integers(0, 60, (size[1], size[0], 3))
    Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8)).save(path)


def leaking(root: Path) -> None:
    """A folder in which six validation images are copies of images to train on."""
    for index in range(20):
        for colour, name in ((20, "cats"), (150, "dogs")):
            picture(root / "train" / name / f"{index}.png", colour, seed=index)
            picture(root / "val" / name / f"{index}.png", colour, seed=index + (0 if index < 3 else 100))


def hugging_face_set(root: Path) -> None:
    """Forty images to train on and twenty of a part of their own, saved as the package datasets does."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face's sets need the package datasets")
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["dark", "light"])})
    pixels = np.random.default_rng(0).integers(0, 60, (60, 12, 12, 3)).astype(np.uint8)
    rows = {"img": [Image.fromarray(each + 150 * (n % 2)) for n, each in enumerate(pixels)], "label": [0, 1] * 30}
    made = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": made.select(range(40)), "test": made.select(range(40, 60))}).save_to_disk(root)


def cats_and_dogs(folder: Path) -> Path:
    """Writes two classes of 30 images each, dark and bright, as PNG and JPEG."""
    for index in range(30):
        picture(folder / "cats" / f"{index}.png", 20, seed=index)
        picture(folder / "dogs" / f"{index}.jpg", 150, seed=index)
    return folder
