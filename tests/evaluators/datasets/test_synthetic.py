"""The procedural set: a function of its seed, with equal shares of every class."""

import numpy as np
import torch

from evaluators.datasets import synthetic

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


def test_the_procedural_set_is_a_function_of_its_seed() -> None:
    first, again, other = (synthetic.draw(50, seed) for seed in (0, 0, 1))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert first[0].shape == (50, 64, 64, 3)


def test_every_head_and_every_answer_gets_its_share() -> None:
    _, labels = synthetic.draw(1200, 0)
    counts = np.bincount(labels)
    assert len(counts) == sum(head.classes for head in synthetic.HEADS)
    first = 0
    for head in synthetic.HEADS:
        mine = counts[first : first + head.classes]
        assert mine.sum() == 240
        assert mine.max() - mine.min() <= 1
        first += head.classes


def test_the_number_of_like_discs_is_the_answer() -> None:
    """The relation's label is what can be counted in the image: blobs of the ringed disc's colour, less its own."""
    random = np.random.default_rng(0)
    for label in (0, 1, 2, 3):
        image = synthetic.relation(label, random).astype(int)
        areas = [(np.abs(image - np.array(colour)).max(axis=2) < 40).sum() for colour in synthetic.COLOURS]
        assert max(area // 90 for area in areas) >= label
