"""What tests of data sets share."""

from pathlib import Path

import pytest
import torch

from tests.pictures import cats_and_dogs

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two classes with 30 images each."""
    return cats_and_dogs(tmp_path)
