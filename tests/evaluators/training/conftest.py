"""Fixtures of the tests that train."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators.training.full_training import train_fully
from tests.evaluators.training.plans import Interrupting, plan
from tests.pictures import cats_and_dogs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """A training seeds every randomness of its process."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])
    torch.set_rng_state(before[2])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two classes with 30 images each."""
    return cats_and_dogs(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def begun(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was interrupted in its second epoch."""
    folder = tmp_path_factory.mktemp("begun") / "training"
    with pytest.raises(KeyboardInterrupt):
        train_fully(plan(photos), folder, listener=Interrupting((2, 1)))
    return folder
