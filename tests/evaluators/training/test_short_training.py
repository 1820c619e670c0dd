"""Short real training: it learns, repeats itself, keeps its schedule without memory, and says what its data lacks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import evaluators
from evaluators.datasets import data, hugging_face, synthetic
from evaluators.datasets.images import Head, Images
from evaluators.datasets.in_memory import load
from evaluators.datasets.sources import ArrayImages, Listing, split
from evaluators.training.short_training import Recipe, _loss, _share, batches, initialise, masked, train
from search_spaces import Architecture, Stage
from search_spaces.common.errors import MeasurementFailed, Unavailable, UsageError
from search_spaces.nextvit.network import NextViT

TINY = Architecture(
    stages=tuple(
        Stage(blocks=blocks, conv_width=32, transformer_width=64, mix_block_ratio=0.5, sr_ratio=1)
        for blocks in ("C", "C", "CT", "C")
    ),
    stem=(8, 8, 8),
    head_dim=16,
)
torch.set_num_threads(1)  # beside other tests, two threads wait for each other
RECIPE = Recipe(epochs=6, learning_rate=0.004, batch_size=64)


@pytest.fixture(scope="module")
def digits() -> Images:
    return load("digits", 32, 400)


def network(images: Images, seed: int = 0) -> nn.Module:
    made = NextViT(TINY, num_classes=images.classes, drop_path_rate=0)
    initialise(made, seed)
    return made


# Training


def test_it_learns_and_repeats_itself(digits: Images) -> None:
    first, again = (train(network(digits), digits, RECIPE) for _ in range(2))
    assert first.accuracy > 0.6
    assert first.skill == pytest.approx((first.accuracy - digits.heads[0].chance) / (1 - digits.heads[0].chance))
    assert (first.accuracies, first.curve) == (again.accuracies, again.curve)
    assert first.curve[-1]["loss"] < first.curve[0]["loss"]
    assert first.samples == 6 * 400


def test_another_seed_is_another_training(digits: Images) -> None:
    short = replace(RECIPE, epochs=1)
    first = train(network(digits), digits, short)
    other = train(network(digits, seed=1), digits, replace(short, seed=1))
    assert first.curve != other.curve


class Forgetful(nn.Module):
    """Runs out of memory for more than so many images at a time, as a GPU would."""

    def __init__(self, inner: nn.Module, most: int) -> None:
        super().__init__()
        self.inner, self.most = inner, most

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.inner(x)


def test_without_memory_the_batch_shrinks_and_the_schedule_stays(digits: Images) -> None:
    short = replace(RECIPE, epochs=2)
    outcome = train(Forgetful(network(digits), 20), digits, short)
    assert outcome.microbatch == 16
    assert outcome.notes == ("trained 16 images at a time for want of memory",)
    assert outcome.samples == 2 * 400
    assert len(outcome.curve) == 2


def test_without_any_memory_the_candidate_fails(digits: Images) -> None:
    with pytest.raises(MeasurementFailed, match="not even two images fit"):
        train(Forgetful(network(digits), 1), digits, replace(RECIPE, epochs=1))


def test_a_training_that_diverges_fails(digits: Images) -> None:
    made = network(digits)
    with torch.no_grad():
        made.head.fc.weight.fill_(float("nan"))
    with pytest.raises(MeasurementFailed, match="diverged"):
        train(made, digits, replace(RECIPE, epochs=1))


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    shares = [_share(step, 100, 0.1) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[9] == 1
    assert shares[100] == 0
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[55] == pytest.approx(0.5)


def test_light_augmentation_shows_every_image_once_an_epoch(digits: Images) -> None:
    seen = torch.cat([labels for _, labels in batches(digits, 64, torch.Generator().manual_seed(0))])
    assert torch.equal(seen.sort().values, digits.train_labels.sort().values)
    x, _ = next(iter(batches(digits, 64, torch.Generator().manual_seed(0))))
    assert x.shape == (64, 3, 32, 32)
    assert x.dtype == torch.uint8


# Heads


def test_an_image_asks_one_head_only() -> None:
    """Two heads of 2 and 3 answers: the loss of an image of the first does not see the other's logits."""
    images = Images(
        name="two",
        identity="",
        heads=(Head(name="a", first=0, classes=2, chance=0.5), Head(name="b", first=2, classes=3, chance=1 / 3)),
        train_pixels=torch.empty(0),
        train_labels=torch.empty(0),
        valid_pixels=torch.empty(0),
        valid_labels=torch.empty(0),
        mirrors=False,
    )
    logits, labels = torch.tensor([[1.0, 2.0, 99.0, 0.0, 0.0], [99.0, 0.0, 1.0, 2.0, 3.0]]), torch.tensor([1, 4])
    assert masked(logits, labels, images).argmax(1).tolist() == [1, 4]
    own = [-torch.log_softmax(torch.tensor(part), 0) for part in ([1.0, 2.0], [1.0, 2.0, 3.0])]
    expected = (own[0][1] + own[1][2]) / 2
    assert float(_loss(logits, labels, images, 0.0)) == pytest.approx(float(expected))
    smooth = sum(0.9 * part[-1] + 0.1 * part.mean() for part in own) / 2
    assert float(_loss(logits, labels, images, 0.1)) == pytest.approx(float(smooth))
    assert images.skill({"a": 0.75, "b": 1 / 3}) == pytest.approx(0.25)


# The evaluator


def test_its_interval_covers_images_and_seeds() -> None:
    one = evaluators.get("train:data=digits,resolution=32,images=300,epochs=2").measure(TINY)
    share, count = one.value / 100, one.details["validation_images"]
    assert one.high - one.value == pytest.approx(196 * math.sqrt(share * (1 - share) / count), rel=1e-3)
    two = evaluators.get("train:data=digits,resolution=32,images=300,epochs=2,seeds=2").measure(TINY)
    assert two.details["by_seed"][0] == one.value
    assert two.value == pytest.approx(sum(two.details["by_seed"]) / 2)
    assert two.high - two.low > one.high - one.low - 1e-9
    assert two.metric.kind == "trained"
    assert two.details["fidelity"] == "digits, 300 images, 32 px, 2 epochs, 2 seeds"


def test_what_is_reached_on_the_procedural_set_is_called_a_skill() -> None:
    assert evaluators.get("train:data=synthetic").metric.unit == "% synthetic skill"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("train:rate=-1", "from 0 to 1"),
        ("train:epochs=0", "nearest: epochs=1"),
        ("train:data=a@b", "names no location|may not contain"),
    ],
)
def test_a_fidelity_that_cannot_be(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)


def test_data_that_is_not_there_is_named() -> None:
    reason = evaluators.get("train:data=/no/such/place").missing()
    assert reason and "there is no data '/no/such/place'" in reason.message
    with pytest.raises(Unavailable):
        load("/no/such/place", 32)


# Data


def picture(path: Path, colour: int, size: tuple[int, int] = (40, 30), seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([seed, colour]).integers(0, 60, (size[1], size[0], 3))
    Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(30):
        picture(tmp_path / "cats" / f"{index}.png", 20, seed=index)
        picture(tmp_path / "dogs" / f"{index}.jpg", 150, seed=index)
    return tmp_path


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


def leaking(root: Path) -> None:
    """A folder in which six validation images are copies of images to train on."""
    for index in range(20):
        for colour, name in ((20, "cats"), (150, "dogs")):
            picture(root / "train" / name / f"{index}.png", colour, seed=index)
            picture(root / "val" / name / f"{index}.png", colour, seed=index + (0 if index < 3 else 100))


def test_copies_across_the_split_are_found_and_left_out(tmp_path: Path) -> None:
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


def hugging_face_set(root: Path) -> None:
    """Forty images to train on and twenty of a part of their own, saved as the package datasets does."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face's sets need the package datasets")
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["dark", "light"])})
    pixels = np.random.default_rng(0).integers(0, 60, (60, 12, 12, 3)).astype(np.uint8)
    rows = {"img": [Image.fromarray(each + 150 * (n % 2)) for n, each in enumerate(pixels)], "label": [0, 1] * 30}
    made = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": made.select(range(40)), "test": made.select(range(40, 60))}).save_to_disk(root)


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


def test_every_fifth_image_of_each_class_validates() -> None:
    pixels, labels = np.random.default_rng(0).integers(0, 255, (100, 8, 8, 3), np.uint8), np.repeat([0, 1], [80, 20])
    sides = split("x", Listing(images=ArrayImages(pixels), labels=labels, classes=("a", "b")))
    assert np.bincount(labels[sides.valid]).tolist() == [16, 4]
    assert sorted([*sides.train, *sides.valid]) == list(range(100))


# The procedural set


def test_the_procedural_set_is_a_function_of_its_seed() -> None:
    first, again, other = (synthetic.draw(50, seed) for seed in (0, 0, 1))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert first[0].shape == (50, 64, 64, 3)


def test_every_head_and_every_answer_gets_its_share() -> None:
    _, labels = synthetic.draw(1200, 0)
    counts = np.bincount(labels)
    assert len(counts) == sum(head.classes for head in synthetic.HEADS)
    first = 0
    for head in synthetic.HEADS:
        mine = counts[first : first + head.classes]
        assert mine.sum() == 240
        assert mine.max() - mine.min() <= 1
        first += head.classes


def test_the_number_of_like_discs_is_the_answer() -> None:
    """The relation's label is what can be counted in the image: blobs of the ringed disc's colour, less its own."""
    random = np.random.default_rng(0)
    for label in (0, 1, 2, 3):
        image = synthetic.relation(label, random).astype(int)
        areas = [(np.abs(image - np.array(colour)).max(axis=2) < 40).sum() for colour in synthetic.COLOURS]
        assert max(area // 90 for area in areas) >= label
