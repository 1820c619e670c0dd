"""The images that a network sees are those of its validation, prepared in the same way."""

from pathlib import Path

import pytest
import torch

from evaluators.datasets.sources import opened
from evaluators.mechanism.sample import sample
from evaluators.training.loaders import Loaders
from evaluators.training.processes import join
from evaluators.training.recipe import FullRecipe
from search_spaces.common.errors import NegativeAnswer, Unavailable
from search_spaces.nextvit.preparation import MEAN, STD
from tests.pictures import cats_and_dogs, picture


@pytest.mark.parametrize("resolution", [32, 48])
def test_images_are_those_of_a_trainings_validation(tmp_path: Path, resolution: int) -> None:
    name = str(cats_and_dogs(tmp_path))
    recipe = FullRecipe.of({"resolution": resolution, "batch_size": 16, "workers": 0}, plain=True)
    loaders = Loaders(opened(name, resolution), recipe, join())
    images = torch.cat([batch for batch, _ in loaders.validation()])
    seen = sample(name, 5, resolution)
    assert torch.allclose(seen.images, images[:5], atol=1e-5)
    assert (seen.identity, seen.unreadable) == (loaders.source.identity, 0)


@pytest.mark.parametrize("name", ["scenes", "synthetic", "digits"])
def test_drawn_sets_are_equal_every_time_and_normalised(name: str) -> None:
    seen, same = sample(name, 3, 40), sample(name, 3, 40)
    assert seen.images.shape == (3, 3, 40, 40) and torch.equal(seen.images, same.images)
    lightness = seen.images * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]
    assert lightness.min() > -0.01 and lightness.max() < 1.01


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        for number in range(10):
            picture(tmp_path / "val" / name / f"{number}.png", 20, seed=number)
            picture(tmp_path / "train" / name / f"{number}.png", 90, seed=number)
        for number in range(5):
            (tmp_path / "val" / name / f"{number}.png").write_text(f"{name} {number}")
    seen = sample(str(tmp_path), 64, 32)
    assert (len(seen.images), seen.unreadable) == (10, 10)


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        for number in range(10):
            picture(tmp_path / "train" / name / f"{number}.png", 90, seed=number)
            (tmp_path / "val" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "val" / name / f"{number}.png").write_text(f"{name} {number}")
    with pytest.raises(NegativeAnswer, match="has 0 images that can be read, and 20 that cannot"):
        sample(str(tmp_path), 64, 32)
    with pytest.raises(Unavailable, match="there is no data"):
        sample("no-such-folder", 64, 32)
