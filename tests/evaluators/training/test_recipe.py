"""The recipe of a full training."""

import pytest
import torch

from evaluators.training.recipe import FullRecipe
from search_spaces import PAPER

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


@pytest.mark.parametrize(("name", "rate"), [("next-vit-s", 0.1), ("next-vit-b", 0.2), ("next-vit-l", 0.2)])
def test_paths_are_dropped_as_in_the_published_networks(name: str, rate: float) -> None:
    assert FullRecipe().dropped(sum(len(row) for row in PAPER[name].blocks)) == rate
