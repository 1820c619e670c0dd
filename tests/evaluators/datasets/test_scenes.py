"""Procedural scenes: a function of their seed, equal at any resolution, and every pixel has the class that it shows."""

import numpy as np
import pytest
import torch

from evaluators.datasets import scenes
from evaluators.datasets.scenes import CLASSES, DARK, FARTHER, KEY, LARGEST, NEAREST, SMALLER, classes, composed, draw

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other

COUNT = 120


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 64, 64, 3) as whole numbers, and the classes of their pixels (N, 64, 64)."""
    pixels, labels = draw(COUNT, 64, 0)
    return pixels.transpose(0, 2, 3, 1).astype(int), labels


def test_they_are_a_function_of_the_seed() -> None:
    first, again, other = (draw(60, 32, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[1], other[1])
    assert first[0].shape == (60, 3, 32, 32)


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    small, large = draw(7, 32, 0), draw(101, 32, 0)
    assert all(np.array_equal(one, two[:7]) for one, two in zip(small, large, strict=True))


def test_a_scene_is_the_same_at_another_resolution() -> None:
    (_, small), (_, large) = draw(50, 48, 0), draw(50, 144, 0)
    assert (small == large[:, 1::3, 1::3]).mean() > 0.99  # the centres of both grids coincide


def test_every_class_is_there_and_background_is_half(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    shares = np.bincount(drawn[1].ravel(), minlength=len(CLASSES)) / drawn[1].size
    assert len(shares) == len(CLASSES)
    assert 0.5 < shares[0] < 0.75
    assert shares.min() > 0.005


def test_an_objects_pixels_carry_its_class() -> None:
    """Whatever hides it, no other object of its scene has that class at its centre, unless it stands in front."""
    _, labels = draw(60, 128, 0)
    for number, label in enumerate(labels):
        things = composed(np.random.default_rng([0, number]))
        for place, (thing, expected) in enumerate(zip(things, classes(things), strict=True)):
            if all(thing.far_from(other) > other.reach + 0.01 for other in things[place + 1 :]):
                assert label[int(thing.y * 128), int(thing.x * 128)] == expected


def test_the_nearest_to_the_key_is_nearer_than_the_others() -> None:
    things = composed(np.random.default_rng(1))
    far = {kind: [] for kind in (NEAREST, FARTHER)}
    for thing, label in zip(things, classes(things), strict=True):
        if label in far:
            far[label].append(thing.far_from(things[-1]))
    assert len(far[NEAREST]) == 1 and far[NEAREST][0] < min(far[FARTHER])


def test_the_key_is_ringed_in_white(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    image, label = drawn
    assert 0.4 < (image[label == KEY].min(axis=1) > 200).mean() < 0.8
    assert (image[label != KEY].min(axis=1) > 200).mean() < 0.001


def test_chequered_objects_are_bright_and_dark_in_equal_parts(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    image, label = drawn
    for kind, chequered in ((LARGEST, True), (SMALLER, True), (NEAREST, False), (FARTHER, False)):
        dark = image[label == kind].max(axis=1) < 255 * (1 + DARK) / 2 * 0.85
        assert (0.35 < dark.mean() < 0.65) if chequered else dark.mean() < 0.1


def test_the_largest_is_larger_than_the_smaller_ones_of_its_scene() -> None:
    made = [composed(np.random.default_rng(seed)) for seed in range(200)]
    labelled = [list(zip(things, classes(things), strict=True)) for things in made]
    radii = [
        [[thing.radius for thing, kind in each if kind == wanted] for wanted in (LARGEST, SMALLER)] for each in labelled
    ]
    assert all(min(largest) > 1.3 * max(smaller) for largest, smaller in radii)
    alone = min(min(largest) for largest, _ in radii), max(max(smaller) for _, smaller in radii)
    assert alone[0] < alone[1], "the size of one alone must not tell"


def test_splits_differ_and_background_alone_is_chance() -> None:
    made = scenes.load(32, 40)
    assert made.train_pixels.shape == (40, 3, 32, 32)
    assert made.valid_labels.shape == (scenes.VALID, 32, 32)
    assert not torch.equal(made.train_pixels[0], made.valid_pixels[0])
    assert made.chance == pytest.approx(float((made.valid_labels == 0).float().mean()) / 8)
    assert scenes.load(32, 60).identity != made.identity
