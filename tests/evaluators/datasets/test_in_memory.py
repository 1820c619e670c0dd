"""Folders of images as they are loaded into memory."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from evaluators.datasets.in_memory import load, tried
from evaluators.datasets.sources import opened
from search_spaces.common.errors import UsageError
from tests.pictures import leaking, picture


def test_a_folder_of_classes(folder: Path) -> None:
    images = load(str(folder), 32)
    assert len(images.train_labels) == 48
    assert len(images.valid_labels) == 12
    assert images.heads[0].chance == 0.5
    assert images.mirrors
    assert images.train_pixels.shape == (48, 3, 32, 32)
    assert images.remarks == ()


def test_a_limit_leaves_the_validation_images_alone(folder: Path) -> None:
    whole, part = load(str(folder), 32), load(str(folder), 32, 20)
    assert len(part.train_labels) == 20
    assert torch.equal(whole.valid_pixels, part.valid_pixels)


def test_a_folder_with_validation_images_of_its_own(tmp_path: Path) -> None:
    for side, count in (("train", 20), ("val", 8)):
        for index in range(count):
            for colour, name in ((20, "cats"), (150, "dogs")):
                picture(tmp_path / side / name / f"{index}.png", colour, seed=index + 100 * (side == "val"))
    images = load(str(tmp_path), 32)
    assert (len(images.train_labels), len(images.valid_labels)) == (40, 16)


def test_copies_across_the_split_are_left_out(tmp_path: Path) -> None:
    leaking(tmp_path)
    images = load(str(tmp_path), 32)
    assert len(images.train_labels) == 34
    assert images.remarks == ("6 images to train on are copies of validation images: left out",)


def test_an_image_in_two_classes_is_counted(folder: Path) -> None:
    (folder / "cats" / "twice.jpg").write_bytes((folder / "dogs" / "0.jpg").read_bytes())
    assert any("1 images occur in several classes" in remark for remark in load(str(folder), 32).remarks)


def test_unreadable_and_tiny_images_are_counted_and_named(folder: Path) -> None:
    (folder / "cats" / "broken.png").write_bytes(b"no image")
    picture(folder / "dogs" / "tiny.png", 150, size=(4, 4))
    (remark,) = load(str(folder), 32).remarks
    assert remark.startswith("2 of 62 images are left out: ")
    assert "broken.png (UnidentifiedImageError)" in remark
    assert "tiny.png (4 x 4 pixels)" in remark


def test_strange_but_good_images_are_read(folder: Path) -> None:
    Image.new("LA", (50, 20), (9, 200)).save(folder / "cats" / "grey with alpha.png")
    Image.new("P", (9, 90)).save(folder / "cats" / "palette.gif")
    Image.new("I;16", (30, 30), 700).save(folder / "dogs" / "deep.png")
    images = load(str(folder), 32)
    assert len(images.train_labels) + len(images.valid_labels) == 63


def test_what_cameras_and_the_web_make_is_read(folder: Path) -> None:
    """An image of 40 megapixels, print colours, an animation of three frames, and half of a file, which is named."""
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(folder / "cats" / "animated.webp", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (40, 30), (9, 99, 9, 9)).save(folder / "cats" / "printed.jpg")
    Image.new("RGB", (8000, 5000), (9, 99, 9)).save(folder / "dogs" / "large.jpg")
    whole = (folder / "dogs" / "1.jpg").read_bytes()
    (folder / "dogs" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    images = load(str(folder), 32)
    assert len(images.train_labels) + len(images.valid_labels) == 63
    assert images.remarks == ("1 of 64 images are left out: dogs/cut.jpg (OSError)",)


def test_a_set_without_one_usable_image_is_refused_before_anything_is_trained(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert tried(opened(str(folder), 32)) > 0
    assert tried(opened("digits", 32)) == 0, "they are in memory"
    tiny = tmp_path_factory.mktemp("tiny")
    for name in ("cats", "dogs"):
        for number in range(60):
            picture(tiny / name / f"{number}.png", 90, size=(4, 4), seed=number)
    with pytest.raises(UsageError, match=r"none of 20 images .* can be used: .*\(4 x 4 pixels\)"):
        tried(opened(str(tiny), 32))
