"""Checkpoints that are damaged or belong to another training."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from evaluators.training.full_training import train_fully
from evaluators.training.training_folder import TrainingFolder
from search_spaces.common.errors import NegativeAnswer
from tests.evaluators.training.plans import plan

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


@pytest.mark.parametrize("damage", ["cut", "foreign", "garbage"])
def test_a_damaged_checkpoint_is_named(photos: Path, begun: Path, damage: str) -> None:
    checkpoint = TrainingFolder(begun).checkpoint
    whole = checkpoint.read_bytes()
    try:
        if damage == "cut":
            checkpoint.write_bytes(whole[: len(whole) // 2])
        elif damage == "foreign":
            save_file({"weight": torch.zeros(2)}, checkpoint)
        else:
            checkpoint.write_bytes(b"no tensors at all")
        with pytest.raises(NegativeAnswer, match=r"last.safetensors'"):
            train_fully(plan(photos), begun, resume=True)
    finally:
        checkpoint.write_bytes(whole)
