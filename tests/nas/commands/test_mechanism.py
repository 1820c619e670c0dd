"""`nas mechanism` as a user runs it: a tiny network, trained for a moment, and everything that may be wrong."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.training.full_training import train_fully
from evaluators.training.plan import Plan
from evaluators.training.recipe import FullRecipe
from nas.commands.study.mechanism import mechanism
from search_spaces.common.errors import NasError
from tests.conftest import Program
from tests.networks import TINY

RECIPE = FullRecipe.of(
    {"resolution": 32, "batch_size": 64, "epochs": 2, "learning_rate": 0.02, "workers": 0}, plain=True
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny network, its training on digits, and two networks that are alike. Tests only read it."""
    folder = tmp_path_factory.mktemp("trained")
    for name, blocks in (("tiny", "CT"), ("deeper", "CCT"), ("shallower", "C")):
        third = replace(TINY.stages[2], blocks=blocks)
        network = replace(TINY, stages=(*TINY.stages[:2], third, TINY.stages[3]))
        (folder / f"{name}.json").write_text(network.to_json())
    train_fully(Plan(architecture=TINY, data="digits", recipe=RECIPE), folder / "digits")
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def look(target: str, **options: Any) -> int:
    """The command in this process, with the usual options."""
    usual = {"source": None, "allow_pickle": False, "random": False, "data": None, "images": 3, "resolution": None}
    return mechanism(target, **{**usual, "output": None, "as_json": True, **options})


@pytest.mark.slow
def test_a_training_is_looked_at_with_its_own_images(nas: Program, trained: Path) -> None:
    shutil.copytree(trained, nas.folder, dirs_exist_ok=True)
    ended = nas("mechanism", "digits", "--images", "5", "-o", "page.html")
    assert ended.code == 0, ended.err
    assert "images: 5 of the validation images of digits, at 32 px" in ended.err
    assert "weights: digits/final.safetensors, digits, all images, 32 px, 2 epochs, fully trained, reached" in ended.err
    assert "other images" not in ended.err
    assert "The maps of stage 3 have 2 x 2 positions" in ended.err
    rows = [line.split() for line in ended.out.splitlines()[1:]]
    assert [(row[0], row[1]) for row in rows] == [("1.1", "C"), ("2.1", "C"), ("3.1", "C"), ("3.2", "T"), ("4.1", "C")]
    page = (nas.folder / "page.html").read_text()
    assert "The mechanism of C-C-CT-C" in page and '"distances"' in page


def test_bad_input_is_refused(nas: Program) -> None:
    for arguments, message in (
        (["next-vit-s"], "'next-vit-s' comes without weights, and random ones have learnt nothing"),
        (["next-vit-s", "--images", "1"], "1 is not in the range"),
    ):
        ended = nas("mechanism", *arguments)
        assert ended.code == 2, ended.err
        assert message in ended.err and "Traceback" not in ended.err


def test_other_images_are_named_and_json_says_everything(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look("digits", data="scenes", resolution=64) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["trained"] and report["resolution"] == 64
    assert report["images"] == {"name": "the procedural set 'scenes'", "identity": "scenes 1", "count": 3}
    assert any(each.startswith("The network was trained on digits, and looks at other") for each in report["sentences"])
    block = report["blocks"][3]
    assert (block["block"], block["kind"], block["side"], block["stride"]) == ("3.2", "T", 4, 16)
    assert 0 < block["attention"]["high_share"]["value"] < 100 and block["convolution"]["frequencies"] == [0, 0.5]
    reach = block["distance"]
    assert reach["unit"] == "px" and len(reach["heads"]) == 2 and reach["low"] <= reach["value"] <= reach["high"]
    assert reach["uniform"] == pytest.approx(16 * 2.00802, rel=1e-4), "between two of 4 x 4 positions on average"
    assert set(block["attention_less_convolution"]) == {"high_share", "log_amplitude"}
    assert look("tiny.json", source="digits/final.safetensors", resolution=64) == 0
    named = json.loads(capsys.readouterr().out)
    assert named["blocks"] == report["blocks"], "scenes are what a network without a training looks at"


def test_random_weights_are_asked_for_and_said(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look("CC-C-C-C", random=True, data="synthetic", resolution=32, output=tmp_path / "page.html") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["weights"] == "random: the network is untrained" and not report["trained"]
    first, *_, last = report["sentences"][:3]
    assert first == "The weights are random: nothing here was learnt."
    assert last == "No block attends, so there is no attention distance to show."
    assert '"distances"' not in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("target", "options", "message", "code"),
    [
        ("tiny.json", {}, "'tiny.json' comes without weights", 2),
        ("digits", {"random": True}, "--random-weights contradicts the weights of 'digits'", 2),
        ("deeper.json", {"source": "digits/final.safetensors"}, "holds weights of another network", 2),
        ("shallower.json", {"source": "digits/final.safetensors"}, "holds weights of another network", 2),
        ("C-CT-C-C", {"source": "digits/final.safetensors"}, "holds weights of another network", 2),
        ("tiny.json", {"source": "no.safetensors"}, "there is no file 'no.safetensors'", 2),
        ("digits/checkpoints", {}, "'digits/checkpoints' holds no training", 2),
        ("digits", {"data": "no-such-folder"}, "there is no data 'no-such-folder'", 1),
        ("digits", {"output": Path("digits")}, "'digits' is a folder", 2),
        ("unfinished", {}, "the training in 'unfinished' has not ended", 1),
        ("older", {}, "'older' was written by another version of nas: 'resolution'", 1),
    ],
)
def test_what_cannot_be_looked_at(here: Path, target: str, options: dict[str, Any], message: str, code: int) -> None:
    plan = json.loads((here / "digits" / "training.json").read_text())
    for name, written in (("unfinished", plan | {"result": None}), ("older", plan | {"recipe": {}})):
        (here / name).mkdir(exist_ok=True)
        (here / name / "training.json").write_text(json.dumps(written))
        (here / name / "final.safetensors").touch()
    with pytest.raises(NasError, match=message) as refused:
        look(target, **options)
    assert refused.value.exit_code == code
