"""A full training: its weights reach what it says, it survives what ends it, and it names what its data lacks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from timm.data.transforms_factory import create_transform
from torch import Tensor

from evaluators.core.measurement import Measurement
from evaluators.datasets.in_memory import load
from evaluators.datasets.sources import opened
from evaluators.training.full_training import train_fully
from evaluators.training.plan import Listener, Plan
from evaluators.training.recipe import FullRecipe
from evaluators.training.training_run import schedule
from results.exports.common.deliverable import Deliverable
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NasError, NegativeAnswer, Unavailable, UsageError
from search_spaces.nextvit.network import NextViT
from tests.evaluators.training.plans import PLAIN, SMALL, Interrupting, plan
from tests.networks import TINY
from tests.pictures import hugging_face_set, leaking, picture

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


EVERYTHING = FullRecipe.of({**SMALL, "epochs": 3, "ema": 0.9, "drop_path": 0.2})  # all that is random in the recipe


def without_times(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in curve]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Measurement]:
    folder = tmp_path_factory.mktemp("digits") / "training"
    recipe = replace(PLAIN, epochs=4, batch_size=64, learning_rate=0.01)
    return folder, train_fully(Plan(architecture=TINY, data="digits", recipe=recipe), folder)


def test_its_weights_reach_what_it_says_as_they_are_exported(digits: tuple[Path, Measurement]) -> None:
    """Images are prepared as the exported model's own description says."""
    folder, found = digits
    network = NextViT(TINY, num_classes=10)
    network.load_state_dict(load_file(folder / "final.safetensors"))
    said = Deliverable(network=network.eval(), resolution=32).preprocessing
    prepare = create_transform(
        (3, said["resolution"], said["resolution"]),
        interpolation=said["interpolation"],
        mean=said["mean"],
        std=said["std"],
        crop_pct=said["crop"],
    )
    valid = opened("digits", 32).valid
    with torch.no_grad():
        x = torch.stack([prepare(valid.read(number)) for number in range(len(valid))])
        right = (network(x).argmax(1) == torch.tensor(valid.labels)).double().mean()
    few = 300 / len(valid)  # percent: three images, where the training validates in bfloat16
    assert found.value == pytest.approx(100 * float(right), abs=few)
    assert found.value > 70


def test_the_measurement_says_how_it_came_about(digits: tuple[Path, Measurement]) -> None:
    found = digits[1]
    assert found.metric.name == "full:data=digits,resolution=32,epochs=4"
    assert (found.metric.kind, found.unit, found.metric.direction) == ("trained", "%", "maximize")
    share, count = found.value / 100, found.details["validation_images"]
    assert count == 364
    assert found.value - found.low == pytest.approx(196 * (share * (1 - share) / count) ** 0.5, abs=0.01)
    assert found.protocol["data identity"] == "digits"
    assert found.protocol["learning_rate"] == 0.01
    assert found.details["fidelity"] == "digits, all images, 32 px, 4 epochs, fully trained"
    assert found.details["skill"] == pytest.approx((share - 37 / 364) / (1 - 37 / 364), abs=1e-4)
    assert set(found.versions) == {"torch", "timm"}
    assert found.secondary["top-5 [%]"] > found.value


def test_the_folder_tells_everything(digits: tuple[Path, Measurement]) -> None:
    folder, found = digits
    stored = json.loads((folder / "training.json").read_text())
    assert Architecture.from_dict(stored["architecture"]) == TINY
    assert Measurement.from_dict(stored["result"]) == found
    lines = (folder / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,learning_rate,train_loss,validation_loss,top1,top5,seconds"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    best = max(found.details["curves"][0], key=lambda row: row["top1"])
    assert found.details["best"] == {"top1": round(best["top1"], 4), "epoch": best["epoch"]}


def test_a_finished_training_is_not_done_again(digits: tuple[Path, Measurement]) -> None:
    folder, found = digits
    recipe = replace(PLAIN, epochs=4, batch_size=64, learning_rate=0.01)
    before = (folder / "final.safetensors").stat().st_mtime_ns
    assert train_fully(Plan(architecture=TINY, data="digits", recipe=recipe), folder, resume=True) == found
    assert (folder / "final.safetensors").stat().st_mtime_ns == before


def test_the_learning_rate_is_that_of_the_official_log() -> None:
    """The official log has 625 steps an epoch and a highest rate of 0.001978, when the 20 epochs of warm-up end."""
    recipe = FullRecipe()
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=recipe.highest_rate)
    rate, found = schedule(optimizer, recipe, 625), []
    for step in range(300 * 625):
        rate(step)
        found.append(optimizer.param_groups[0]["lr"])
    assert found[0] == pytest.approx(1e-6)
    assert found[20 * 625] == pytest.approx(0.001978, abs=1e-6)
    assert max(found) < 0.002
    assert found[-1] == pytest.approx(1e-5, rel=1e-3)


def test_what_is_reached_on_the_procedural_set_is_called_a_skill() -> None:
    assert Plan(architecture=TINY, data="synthetic", recipe=PLAIN).metric.unit == "% synthetic skill"


@pytest.mark.parametrize("workers", [0, 1])
def test_interrupted_twice_it_is_the_training_that_was_not(photos: Path, tmp_path: Path, workers: int) -> None:
    wanted = plan(photos, replace(EVERYTHING, workers=workers))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = train_fully(wanted, whole)
    for number, at in enumerate([(2, 1), (3, 2)]):
        with pytest.raises(KeyboardInterrupt):
            train_fully(wanted, parts, resume=number > 0, listener=Interrupting(at))
    assert len((parts / "log.csv").read_text().splitlines()) == 3
    found = train_fully(wanted, parts, resume=True)
    assert found.value == expected.value
    assert without_times(found.details["curves"][0]) == without_times(expected.details["curves"][0])
    for name in ("final.safetensors", "best.safetensors"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_another_seed_is_another_training(photos: Path, tmp_path: Path) -> None:
    first, other = (train_fully(plan(photos, replace(PLAIN, seed=seed)), tmp_path / str(seed)) for seed in (0, 1))
    assert first.details["curves"][0][0]["train_loss"] != other.details["curves"][0][0]["train_loss"]
    assert other.metric.name.endswith("seed=1")


def test_it_begins_with_other_weights(photos: Path, digits: tuple[Path, Measurement], tmp_path: Path) -> None:
    """Those of a network for ten classes: all but the classifier fit."""
    heard: list[str] = []

    class Hearing(Listener):
        def say(self, words: str) -> None:
            heard.append(words)

    wanted = plan(photos, weights=str(digits[0] / "final.safetensors"))
    found = train_fully(wanted, tmp_path / "tuned", listener=Hearing())
    fresh = train_fully(plan(photos), tmp_path / "fresh")
    assert any("2 fresh (head.fc.weight, head.fc.bias)" in words for words in heard), heard
    assert found.details["curves"][0][0]["train_loss"] != fresh.details["curves"][0][0]["train_loss"]
    assert found.context != fresh.context


def test_weights_of_another_network_are_refused_and_nothing_is_begun(photos: Path, tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.safetensors")
    with pytest.raises(UsageError, match="weights of another network"):
        train_fully(plan(photos, weights=str(tmp_path / "resnet.safetensors")), tmp_path / "training")
    assert not (tmp_path / "training").exists()


def forgetful(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs out of memory for more than so many images at a time, as a GPU would."""
    forward = NextViT.forward

    def limited(self: NextViT, x: Tensor) -> Tensor:
        if self.training and len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x)

    monkeypatch.setattr(NextViT, "forward", limited)


def test_without_memory_the_batch_is_gone_through_in_parts(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful(5, monkeypatch)
    found = train_fully(plan(photos), tmp_path / "training")
    assert found.details["microbatch"] == 4
    assert "trained 4 images at a time for want of memory" in found.warnings
    assert len(found.details["curves"][0]) == 2


def test_without_any_memory_it_fails(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful(1, monkeypatch)
    with pytest.raises(MeasurementFailed, match="not even two images fit"):
        train_fully(plan(photos), tmp_path / "training")


def test_a_training_that_diverges_says_so(photos: Path, tmp_path: Path) -> None:
    weights = NextViT(TINY, num_classes=2).state_dict()
    weights["norm.bias"].fill_(float("nan"))
    save_file({name: value.contiguous() for name, value in weights.items()}, tmp_path / "bad.safetensors")
    with pytest.raises(MeasurementFailed, match="diverged"):
        train_fully(plan(photos, weights=str(tmp_path / "bad.safetensors")), tmp_path / "training")


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """40 images, of which one of each side is cut off and one is no image."""
    for side, count in (("train", 15), ("val", 6)):
        for index in range(count):
            for colour, name in ((20, "cats"), (150, "dogs")):
                picture(tmp_path / "flawed" / side / name / f"{index}.png", colour, seed=index + 100 * (side == "val"))
        whole = (tmp_path / "flawed" / side / "dogs" / "1.png").read_bytes()
        (tmp_path / "flawed" / side / "dogs" / "1.png").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "flawed" / side / "cats" / "2.png").write_bytes(f"no image of {side}".encode())
    return tmp_path / "flawed"


def test_unreadable_images_are_counted_and_named_and_it_goes_on(flawed: Path, tmp_path: Path) -> None:
    found = train_fully(plan(flawed, replace(PLAIN, batch_size=10)), tmp_path / "training")
    (warning,) = found.warnings
    assert warning.startswith("4 of 42 images cannot be read: ")
    assert "train/cats/2.png" in warning
    assert "train/dogs/1.png" in warning
    assert warning.endswith("and 1 more")
    assert found.details["validation_images"] == 10


@pytest.mark.parametrize("workers", [0, 1])
def test_too_many_unreadable_images_stop_it(flawed: Path, tmp_path: Path, workers: int) -> None:
    with pytest.raises(NegativeAnswer, match=r"images cannot be read: .*; the limit is 1") as stopped:
        train_fully(plan(flawed, replace(PLAIN, bad_images=1, workers=workers)), tmp_path / "training")
    assert "raise the limit" in stopped.value.hint


def test_it_validates_on_what_a_short_training_validates_on(photos: Path) -> None:
    source, images = opened(str(photos), 32), load(str(photos), 32)
    assert sorted(source.valid.labels) == sorted(images.valid_labels.tolist())
    assert (len(source.train), source.classes) == (len(images.train_labels), images.classes)
    assert source.heads == images.heads


def test_copies_of_validation_images_are_left_out(tmp_path: Path) -> None:
    leaking(tmp_path)
    source = opened(str(tmp_path), 32)
    assert len(source.train) == 34
    assert source.remarks == ("6 images to train on are copies of validation images: left out",)


def test_a_hugging_face_set_on_disk(tmp_path: Path) -> None:
    hugging_face_set(tmp_path / "set")
    found = train_fully(
        Plan(architecture=TINY, data=f"hf:{tmp_path / 'set'}", recipe=replace(PLAIN, epochs=1)), tmp_path / "training"
    )
    assert found.details["validation_images"] == 20
    assert found.details["samples"] == 32


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs expects a number from 1"),
        ({"learning_rate": float("nan")}, "learning rate expects a number"),
        ({"mixup": -1}, "mixup expects a number"),
        ({"augment": "randm9"}, "no augmentation 'randm9'"),
        ({"initial": "zero"}, "initial expects one of official, kaiming"),
        ({"epochs": 10, "warmup_epochs": 10}, "10 warm-up epochs leave none"),
        ({"batch_size": 2048}, "more than the 48 images"),
        ({"batch_size": 15}, "not a multiple of 2"),
    ],
)
def test_a_recipe_that_cannot_be(photos: Path, tmp_path: Path, settings: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        train_fully(plan(photos, FullRecipe.of({**SMALL, **settings})), tmp_path / "training")
    assert not (tmp_path / "training").exists()


@pytest.mark.parametrize("name", ["/no/such/place", "hf:", "empty"])
def test_data_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    name = str(tmp_path / name) if name == "empty" else name
    with pytest.raises((Unavailable, UsageError)) as refused:
        train_fully(Plan(architecture=TINY, data=name, recipe=PLAIN), tmp_path / "training")
    assert isinstance(refused.value, NasError)
    assert refused.value.hint
