"""The rule that splits a data set."""

from pathlib import Path

import numpy as np

from evaluators.datasets.images import Pixels, scaled
from evaluators.datasets.pictures import ArrayImages, Pictures
from evaluators.datasets.sources import opened
from evaluators.datasets.split import Listing, split
from tests.pictures import picture

SIDE = 16


def pixels(pictures: Pictures) -> list[Pixels]:
    """What can be read of a side, as a training in memory would hold it."""
    found = [pictures.read(number) for number in range(len(pictures))]
    return [scaled(image, SIDE) for image in found if not isinstance(image, str)]


def labels(pictures: Pictures) -> list[int]:
    return [label for label, bad in zip(pictures.labels, pictures.bad.tolist(), strict=True) if not bad]


def test_classes_with_few_images_are_named_and_one_image_trains(tmp_path: Path) -> None:
    for label, count in (("a", 40), ("b", 20), ("few", 3), ("single", 1)):
        for number in range(count):
            picture(tmp_path / label / f"{number}.png", 9 + 20 * len(label), seed=number + 100 * ord(label[0]))
    source = opened(str(tmp_path), SIDE)
    assert source.remarks == ("classes with fewer than 5 images: few (3), single (1)",)
    assert 3 in source.train.labels
    assert 3 not in source.valid.labels


def test_every_fifth_image_of_each_class_validates() -> None:
    pixels, labels = np.random.default_rng(0).integers(0, 255, (100, 8, 8, 3), np.uint8), np.repeat([0, 1], [80, 20])
    sides = split("x", Listing(images=ArrayImages(pixels), labels=labels, classes=("a", "b")))
    assert np.bincount(labels[sides.valid]).tolist() == [16, 4]
    assert sorted([*sides.train, *sides.valid]) == list(range(100))
