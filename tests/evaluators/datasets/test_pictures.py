"""One split of a data set among several processes."""

from pathlib import Path

import pytest

from evaluators.datasets.sources import opened
from tests.pictures import cats_and_dogs


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cats_and_dogs(tmp_path_factory.mktemp("photos"))


def test_processes_share_the_validation_images_without_remainder(photos: Path) -> None:
    whole = opened(str(photos), 32).valid
    parts = [whole.every(number, 5) for number in range(5)]
    assert sorted(index for part in parts for index in part.numbers) == sorted(whole.numbers)
