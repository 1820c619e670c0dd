"""Sets of the Hugging Face hub, from copies on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import evaluators
from evaluators.datasets import data, hugging_face
from evaluators.datasets.in_memory import load
from search_spaces.common.errors import Unavailable, UsageError
from tests.pictures import hugging_face_set

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


def test_a_hugging_face_set_on_disk(tmp_path: Path) -> None:
    hugging_face_set(tmp_path)
    images = load(f"hf:{tmp_path}", 32)
    assert (len(images.train_labels), len(images.valid_labels)) == (40, 20)
    assert images.heads[0].classes == 2


def test_a_hugging_face_set_that_cannot_be_had(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="Hugging Face's sets need the package datasets")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unavailable, match="is not available"):
        load(f"hf:{tmp_path / 'empty'}", 32)


@pytest.mark.parametrize(
    "name", ["", "a/../b", "../b", "a/b/c", "/no/such/folder", "a--b/c", "a b", "a/", "-x/y", "é/x"]
)
def test_what_cannot_be_the_name_of_a_hugging_face_set(name: str) -> None:
    with pytest.raises(UsageError, match="names no set of the Hugging Face hub"):
        data.missing(f"hf:{name}")
    with pytest.raises(UsageError, match="names no set of the Hugging Face hub"):
        evaluators.get(f"train:data=hf:{name}")


@pytest.mark.parametrize("name", ["mnist", "ylecun/mnist", "a/b.c_d-e", "A1/0"])
def test_what_can(name: str) -> None:
    hugging_face.check_name(name)


def test_rows_without_a_label_are_left_out_and_said(tmp_path: Path) -> None:
    """Some sets publish no labels of their test images, and say -1."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face's sets need the package datasets")
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["dark", "light"])})
    pixels = np.random.default_rng(0).integers(0, 60, (90, 12, 12, 3)).astype(np.uint8)
    images = [Image.fromarray(each + 150 * (n % 2)) for n, each in enumerate(pixels)]
    labels = [*([0, 1] * 30), None, *[-1] * 29]
    made = datasets.Dataset.from_dict({"img": images, "label": labels}, features=features)
    parts = {"train": made.select(range(70)), "test": made.select(range(70, 90))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path)
    found = load(f"hf:{tmp_path}", 32)
    assert (len(found.train_labels), len(found.valid_labels)) == (48, 12)
    assert found.remarks == (
        "30 of 90 images have no label: left out",
        "no image of its validation split has a label: every fifth of the others validates",
    )


def test_copies_in_a_hugging_face_set_are_left_out(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="Hugging Face's sets need the package datasets")
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["dark", "light"])})
    pixels = np.random.default_rng(0).integers(0, 60, (60, 12, 12, 3)).astype(np.uint8)
    images = [Image.fromarray(each + 150 * (n % 2)) for n, each in enumerate(pixels)]
    images[40:43] = images[:3]
    made = datasets.Dataset.from_dict({"img": images, "label": [0, 1] * 30}, features=features)
    datasets.DatasetDict({"train": made.select(range(40)), "test": made.select(range(40, 60))}).save_to_disk(tmp_path)
    found = load(f"hf:{tmp_path}", 32)
    assert (len(found.train_labels), len(found.valid_labels)) == (37, 20)
    assert found.remarks[0] == "3 images to train on are copies of validation images: left out"
