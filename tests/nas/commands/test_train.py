"""`nas train` and `nas finalists` as a user runs them: real processes, real trainings, however small."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import results
from nas.commands.finalists import select
from results import front
from results.figures.proxy import proxy_info
from results.pages.columns import columns
from search_spaces.common.errors import NegativeAnswer
from tests import synthetic
from tests.conftest import QUICK, Program
from tests.nas import small_space
from tests.networks import TINY
from tests.pictures import picture

LIGHT = ("--plain", "--resolution", "32", "--batch-size", "16", "--learning-rate", "0.02")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other tests on the same cores, two threads would wait for each other at every layer."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def photos(nas: Program) -> Program:
    """A folder with images of two classes, and the architecture of a tiny network."""
    for index in range(30):
        picture(nas.folder / "photos" / "cats" / f"{index}.png", 20, seed=index)
        picture(nas.folder / "photos" / "dogs" / f"{index}.png", 150, seed=index)
    (nas.folder / "tiny.json").write_text(TINY.to_json())
    return nas


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "next-vit-s"], "Missing option '--data'"),
        (["train", "next-vit-x", "--data", "digits"], "did you mean 'next-vit"),
        (["train", "next-vit-s", "--data", "digits", "--epochs", "0"], "epochs expects a number from 1"),
        (["train", "next-vit-s", "--data", "digits", "--resume"], "no training to resume"),
        (["train", "next-vit-s", "--data", "digits", "--resolution", "32"], "for example a batch size of 64"),
        (["finalists", "--train"], "--train needs --data"),
        (["finalists", "--data", "digits"], "are for --train"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(nas: Program, arguments: list[str], message: str) -> None:
    ended = nas(*arguments)
    assert ended.code == 2, ended.err
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert list(nas.folder.iterdir()) == []


def test_missing_data_is_named(nas: Program) -> None:
    ended = nas("train", "next-vit-s", "--data", "phtos")
    assert ended.code == 1
    assert "there is no data 'phtos'" in ended.err
    assert list(nas.folder.iterdir()) == []


def finished_epochs(folder: Path) -> int:
    log = folder / "log.csv"
    return len(log.read_text().splitlines()) - 1 if log.exists() else 0


def wait_for_epoch(process: "subprocess.Popen[str]", folder: Path, epoch: int) -> None:
    deadline = time.monotonic() + 120
    while finished_epochs(folder) < epoch and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)
    assert finished_epochs(folder) >= epoch


@pytest.mark.slow
def test_an_interrupted_and_killed_training_ends_like_an_uninterrupted_one(photos: Program) -> None:
    command = ["train", "tiny.json", "--data", "photos", *LIGHT, "--workers", "0", "--epochs", "40"]
    parts = photos.folder / "parts"
    first = photos.start(*command, "-o", "parts")
    wait_for_epoch(first, parts, 2)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "nas train tiny.json --data photos -o parts --resume" in said
    second = photos.start("train", "tiny.json", "--data", "photos", "-o", "parts", "--resume")
    before = finished_epochs(parts)
    wait_for_epoch(second, parts, before + 1)
    second.kill()
    second.communicate(timeout=60)
    stopped = finished_epochs(parts)
    assert stopped < 40, "the test is to kill it before it ends"
    third = photos("train", "tiny.json", "--data", "photos", "-o", "parts", "--resume", "--json")
    assert third.code == 0, third.err
    whole = photos(*command, "-o", "whole", "--json")
    assert whole.code == 0, whole.err
    assert third.json["measurement"]["value"] == whole.json["measurement"]["value"]
    assert (parts / "final.safetensors").read_bytes() == (photos.folder / "whole" / "final.safetensors").read_bytes()
    assert third.json["id"] == TINY.id


@pytest.mark.slow
def test_finalists_are_trained_and_listed_with_their_scores(nas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    small_space.install(monkeypatch, nas.folder)
    assert nas("run", "--space", "small", "--name", "small", "--budget", "3", *QUICK).code == 0
    store = f"sqlite:///{nas.folder / 'runs' / 'nas.db'}"
    members = {trial.number for trial in front.front(results.load("small", store))}
    command = ["finalists", "small", "--count", "2", "--train", "--data", "digits", *LIGHT[:3], "--batch-size", "256"]
    trained = nas(*command, "--epochs", "1")
    assert trained.code == 0, trained.err
    metric = "full:data=digits,resolution=32,epochs=1"
    assert f"{metric} [%]" in trained.out
    again = nas(*command, "--epochs", "1", "--json")
    assert again.code == 0
    assert "epoch 1/1" in trained.err
    assert "epoch 1/1" not in again.err, "what is done is not done again"
    numbers = [trial["trial"] for trial in again.json["finalists"]]
    assert len(set(numbers)) == len(numbers) == min(2, len(members))
    assert set(numbers) <= members

    run = results.load("small", store)
    info = proxy_info(run)
    assert sorted(info.trials) == sorted(numbers)
    assert all(0 <= value <= 100 for value in info.reached)
    assert metric in columns(run)["metrics"]
    for number in numbers:
        report = (
            nas.folder / "runs" / "finalists" / "small" / "digits-32px-1-epochs" / f"trial-{number}" / "training.json"
        )
        assert json.loads(report.read_text())["result"]["metric"]["name"] == metric


def test_the_knee_comes_first_and_the_rest_is_spread_over_the_front() -> None:
    run = synthetic.run([synthetic.trial(n, 4 + n / 10, latency) for n, latency in enumerate([10, 11, 12, 13, 20, 40])])
    assert front.knee(run, front.front(run)) is run.trials[3]
    assert [trial.number for trial in select(run, 3)] == [3, 5, 0]
    assert {trial.number for trial in select(run, 99)} == set(range(6))
    assert [trial.number for trial in select(synthetic.run([synthetic.trial(0, 4.5, 50.0)]), 5)] == [0]
    with pytest.raises(NegativeAnswer, match="has no front"):
        select(synthetic.run([]), 5)


@pytest.mark.slow
def test_two_processes_train_one_network_together(photos: Program) -> None:
    for index in range(2):
        (photos.folder / "photos" / "cats" / f"{index}.png").write_bytes(f"no image {index}".encode())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "nas"]
    command = ["train", "tiny.json", "--data", "photos", *LIGHT, "--epochs", "3", "-o", "two", "--json"]
    ended = subprocess.run([*torchrun, *command], cwd=photos.folder, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    measurement = json.loads(ended.stdout)["measurement"]
    assert measurement["details"]["processes"] == 2
    assert 10 <= measurement["details"]["validation_images"] <= 12
    assert any("2 of 60 images cannot be read" in warning for warning in measurement["warnings"])
    assert finished_epochs(photos.folder / "two") == 3
