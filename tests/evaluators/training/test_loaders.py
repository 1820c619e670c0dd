"""The batches of a full training."""

from pathlib import Path

import torch

from evaluators.datasets.sources import opened
from evaluators.training.loaders import Loaders
from evaluators.training.processes import Processes
from evaluators.training.recipe import FullRecipe
from tests.evaluators.training.plans import SMALL

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


EVERYTHING = FullRecipe.of({**SMALL, "epochs": 3, "ema": 0.9, "drop_path": 0.2})  # all that is random in the recipe


def test_an_epoch_follows_from_the_seed_and_its_number(photos: Path) -> None:
    loaders = Loaders(opened(str(photos), 32), EVERYTHING, Processes())
    (x1, y1), (x2, y2), (x3, _), (x4, _) = (
        next(iter(each.training(epoch))) for each, epoch in ((loaders, 1), (loaders, 1), (loaders, 2), (loaders, 3))
    )
    assert torch.equal(x1, x2)
    assert torch.equal(y1, y2)
    assert not torch.equal(x1, x3)
    assert not torch.equal(x3, x4)
    assert x1.shape == (16, 3, 32, 32)
    assert torch.allclose(y1.sum(1), torch.ones(16))
