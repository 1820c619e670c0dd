"""One data set for all trainings: the same images validate, and whatever a folder holds is read or named."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from PIL import Image

from evaluators.datasets import folder
from evaluators.datasets.images import Pixels, scaled
from evaluators.datasets.in_memory import load
from evaluators.datasets.pictures import Pictures
from evaluators.datasets.sources import opened
from search_spaces.common.errors import UsageError
from tests.pictures import picture

SIDE = 16


COUNT = 40  # images of a class


def pixels(pictures: Pictures) -> list[Pixels]:
    """What can be read of a side, as a training in memory would hold it."""
    found = [pictures.read(number) for number in range(len(pictures))]
    return [scaled(image, SIDE) for image in found if not isinstance(image, str)]


def labels(pictures: Pictures) -> list[int]:
    return [label for label, bad in zip(pictures.labels, pictures.bad.tolist(), strict=True) if not bad]


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """What happens to some of the images of each class: (what, class, which)."""
    what = st.sampled_from(["cut", "garbage", "empty", "tiny", "copy", "elsewhere", "missing"])
    return draw(st.lists(st.tuples(what, st.integers(0, 1), st.integers(0, COUNT - 1)), max_size=6))


def spoilt(root: Path, harm: list[tuple[str, int, int]], *, sided: bool) -> Path:
    """A folder of two classes, 40 images each and of different sizes, some of them broken, copied or left out."""
    names = [("train/", "val/")[number % 3 == 0] * sided for number in range(COUNT)]
    for label in range(2):
        for number, side in enumerate(names):
            size = (8 + number, 50 - number)
            picture(root / f"{side}{'ab'[label]}" / f"{number}.png", 100 * label, size, seed=number)
    for kind, label, number in harm:
        path = root / f"{names[number]}{'ab'[label]}" / f"{number}.png"
        if not path.exists():
            continue  # it is missing already
        if kind == "tiny":
            Image.new("RGB", (1, 1)).save(path)
        elif kind in ("copy", "elsewhere"):
            other = (number + 7) % COUNT
            to = "ab"[label if kind == "copy" else 1 - label]
            (root / f"{names[other]}{to}" / f"copy of {number}.png").write_bytes(path.read_bytes())
        else:
            whole = path.read_bytes()
            path.write_bytes(
                {
                    "cut": whole[: len(whole) // 2],
                    "garbage": f"no {label} {number}".encode(),
                    "empty": b"",
                    "missing": b"",
                }[kind]
            )
            if kind == "missing":
                path.unlink()
                path.symlink_to(root / "nowhere.png")
    return root


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(harm=damages(), sided=st.booleans())
def test_short_and_full_trainings_validate_on_the_same_images(
    tmp_path_factory: pytest.TempPathFactory, harm: list[tuple[str, int, int]], sided: bool
) -> None:
    root = spoilt(tmp_path_factory.mktemp("set"), harm, sided=sided)
    try:
        held, part, source = load(str(root), SIDE), load(str(root), SIDE, 7), opened(str(root), SIDE)
    except UsageError:  # copies left one class alone to train on
        reject()
    for images in (held, part):
        np.testing.assert_array_equal(images.valid_pixels.permute(0, 2, 3, 1).numpy(), np.stack(pixels(source.valid)))
        assert images.valid_labels.tolist() == labels(source.valid)
        assert images.heads == source.heads
    np.testing.assert_array_equal(held.train_pixels.permute(0, 2, 3, 1).numpy(), np.stack(pixels(source.train)))
    assert held.train_labels.tolist() == labels(source.train)
    assert part.train_labels.tolist() == held.train_labels.tolist()[:7]
    validated = {source.valid.images.content(number) for number in source.valid.numbers}
    assert not (validated - {b""}) & {source.train.images.content(number) for number in source.train.numbers}


def test_a_broken_image_moves_no_other(tmp_path: Path) -> None:
    whole, broken = (spoilt(tmp_path / name, [], sided=False) for name in ("whole", "broken"))
    first = opened(str(whole), SIDE).valid
    spoilt(broken, [("garbage", 0, 3), ("cut", 1, 8)], sided=False)
    second = opened(str(broken), SIDE).valid
    assert [first.name(n) for n in range(len(first))] == [second.name(n) for n in range(len(second))]


def test_a_folder_is_walked_once_in_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = spoilt(tmp_path, [], sided=True)
    walked: list[Path] = []
    walk = folder._within
    monkeypatch.setattr(folder, "_within", lambda place: walked.append(place) or walk(place))
    from evaluators.accuracy.train import Train

    for _ in range(3):
        Train(data=str(root)).context()
        load(str(root), SIDE)
        opened(str(root), 32)
    assert len(walked) == 4  # two classes on two sides


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I"])
def test_images_of_every_mode_show_what_they_show(tmp_path: Path, mode: str) -> None:
    """A ramp from dark to light is one however its pixels are kept; 16 bits once turned white."""
    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None], 32, axis=0)
    if mode in ("I;16", "I"):
        image = Image.fromarray((ramp.astype(np.uint16) * 257).astype(np.uint16 if mode == "I;16" else np.int32))
    else:
        image = Image.fromarray(ramp).convert("RGB").convert(mode)
    ending = "tif" if mode in ("CMYK", "YCbCr", "I") else "png"
    for label in "ab":
        for number in range(30):
            picture(tmp_path / label / f"{number}.png", 90, seed=number)
        image.save(tmp_path / label / f"ramp.{ending}")
    source = opened(str(tmp_path), SIDE)
    side = source.train if "a/ramp" in " ".join(map(source.train.name, range(len(source.train)))) else source.valid
    (found,) = (side.read(n) for n in range(len(side)) if side.name(n).startswith("a/ramp"))
    assert not isinstance(found, str), found
    shown = np.asarray(found, dtype=float)[..., 0].mean(0)
    np.testing.assert_allclose(shown, ramp[0], atol={"1": 140, "P": 24}.get(mode, 8))
    assert shown[-1] - shown[0] > 200


def test_strange_images_are_read_or_named_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label, colour in (("a", 20), ("b", 150)):
        for number in range(30):
            picture(tmp_path / label / f"{number}.png", colour, seed=number)
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(tmp_path / "a" / "animated.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # from here on Pillow warns, and beyond twice that refuses
    Image.new("L", (150, 100)).save(tmp_path / "a" / "large.png")
    Image.new("L", (300, 100)).save(tmp_path / "b" / "larger.png")
    Image.new("F", (20, 20)).save(tmp_path / "b" / "fractions.tif")
    Image.new("RGB", (1, 1)).save(tmp_path / "b" / "dot.png")
    (tmp_path / "b" / "folder.png").mkdir()
    (tmp_path / "b" / "lost.png").symlink_to("nowhere")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = load(str(tmp_path), SIDE)
    assert len(images.train_labels) + len(images.valid_labels) == 62
    (remark,) = images.remarks
    assert remark.startswith("4 of 66 images are left out")
    side = opened(str(tmp_path), SIDE).train
    reasons = {side.name(n): side.read(n) for n in range(len(side))}
    assert reasons.get("b/dot.png", "1 x 1 pixels") == "1 x 1 pixels"
    assert reasons.get("b/larger.png", "DecompressionBombError") == "DecompressionBombError"
    assert reasons.get("b/lost.png", "no file") == "no file"


def test_validation_images_alone(tmp_path: Path) -> None:
    (tmp_path / "train" / "a").mkdir(parents=True)
    picture(tmp_path / "val" / "a" / "0.png", 9)
    with pytest.raises(UsageError, match="images to validate on, but none to train on"):
        opened(str(tmp_path), SIDE)


@pytest.mark.parametrize("sided", [False, True])
def test_no_image_that_can_be_read(tmp_path: Path, sided: bool) -> None:
    root = spoilt(tmp_path, [("garbage", label, number) for label in range(2) for number in range(COUNT)], sided=sided)
    with pytest.raises(UsageError, match=r"80 of 80 images of .* cannot be used"):
        load(str(root), SIDE)
