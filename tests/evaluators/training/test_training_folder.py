"""The folder of a full training: what is refused, and what is named."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluators.training.full_training import train_fully
from search_spaces.common.errors import NegativeAnswer, UsageError
from tests.evaluators.training.plans import PLAIN, plan
from tests.networks import TINY

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


def test_a_folder_that_is_taken_is_refused(photos: Path, begun: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not empty") as refused:
        train_fully(plan(photos), begun)
    assert "resume the training run" in refused.value.hint
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty") as refused:
        train_fully(plan(photos), tmp_path)
    assert "resume" not in refused.value.hint
    with pytest.raises(UsageError, match="no training to resume"):
        train_fully(plan(photos), tmp_path, resume=True)
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_written(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NegativeAnswer, match=r"training.json' was not written: Not a directory"):
        train_fully(plan(photos), tmp_path / "file" / "training")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"architecture": replace(TINY, stem=(8, 8, 16))}, "a training with another architecture"),
        ({"data": "digits"}, "a training with another data"),
        ({"recipe": replace(PLAIN, epochs=3, seed=2)}, "another recipe: epochs is 2, not 3, seed is 0, not 2"),
    ],
)
def test_another_training_does_not_go_on_there(
    photos: Path, begun: Path, changed: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        train_fully(replace(plan(photos), **changed), begun, resume=True)


def test_a_damaged_description_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('{"schema": "some')
    with pytest.raises(NegativeAnswer, match=r"training.json' cannot be read"):
        train_fully(plan(photos), tmp_path, resume=True)
