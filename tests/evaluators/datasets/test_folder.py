"""Folders of images: what is refused, and what identifies their data."""

from pathlib import Path

import pytest

from evaluators.datasets import data
from evaluators.datasets.in_memory import load
from search_spaces.common.errors import UsageError
from tests.pictures import picture


def test_a_folder_from_which_nothing_can_be_learnt(tmp_path: Path) -> None:
    empty, one, few = (tmp_path / name for name in ("empty", "one", "few"))
    empty.mkdir()
    with pytest.raises(UsageError, match="holds no images in sub-folders"):
        load(str(empty), 32)
    picture(one / "cats" / "0.png", 9)
    with pytest.raises(UsageError, match="has one class, 'cats'"):
        load(str(one), 32)
    for name in ("cats", "dogs"):
        picture(few / name / "0.png", 9 if name == "cats" else 90)
    with pytest.raises(UsageError, match="are the least"):
        load(str(few), 32)


def test_classes_that_are_only_validated(tmp_path: Path) -> None:
    for side, names in (("train", ("cats", "dogs")), ("val", ("cats", "birds"))):
        for name in names:
            picture(tmp_path / side / name / "0.png", 9)
    with pytest.raises(UsageError, match="validates classes that it never trains: birds"):
        load(str(tmp_path), 32)


def test_the_same_folder_elsewhere_is_the_same_data(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    elsewhere = tmp_path_factory.mktemp("copy") / "photos"
    shutil.copytree(folder, elsewhere)
    assert data.identity(str(folder)) == data.identity(str(elsewhere))
    fuller = shutil.copytree(elsewhere, elsewhere.parent / "fuller")
    picture(fuller / "cats" / "another.png", 9)
    assert data.identity(str(folder)) != data.identity(str(fuller))
