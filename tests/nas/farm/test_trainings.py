"""Trainings and scores in a lane: as many at once as workers serve it, on the same images in another folder."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nas.farm import tables
from results import load
from tests.conftest import Program
from tests.nas import small_space
from tests.pictures import picture
from tests.postgresql import Server

TRAIN = ("--proxy", "train:epochs=6,resolution=32,rate=0.002", "--latency", "ort:resolution=32")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def photos(folder: Path) -> str:
    """Light and dark images."""
    for label, colour in (("dark", 20), ("light", 190)):
        for number in range(40):
            picture(folder / label / f"{number}.png", colour, seed=number)
    return str(folder)


def doing(server: Server, url: str) -> int:
    """How many jobs are being done."""
    count = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
    return int(str(server.execute(count, url.rpartition("/")[2])[0][0]))


def kill_one(
    driver: "subprocess.Popen[str]", workers: "Sequence[subprocess.Popen[str]]", server: Server, url: str
) -> int:
    """Kills the first worker where all of them work, and waits for the driver; how many worked at once at most."""
    most = 0
    while driver.poll() is None:
        most = max(most, doing(server, url))
        if most == len(workers) and workers[0].poll() is None:
            workers[0].send_signal(signal.SIGKILL)
        time.sleep(0.02)
    _, said = driver.communicate()
    assert driver.returncode == 0, said
    return most


def test_trainings_in_a_lane_are_those_of_this_machine(
    nas: Program, serving: Start, server: Server, url: str, tmp_path: Path
) -> None:
    """Two workers train at once, on images of their own folder; one of them is killed while it trains."""
    here, there = photos(nas.folder / "photos"), photos(tmp_path / "elsewhere")
    tables.create(url)
    workers = [serving("--offer", "train", "--data", there, lane="gpus") for _ in range(2)]
    run = ("run", "--space", "small", "--data", here, *TRAIN, "--budget", "6", "--sampler", "random")
    driver = nas.start(*run, "--name", "far", "--lane", "gpus", "--store", url)
    assert kill_one(driver, workers, server, url) == 2
    near = nas(*run, "--name", "near")
    assert near.code == 0, near.err
    trained = [trial.measurements for trial in load("far", url).trials]
    (name,) = {key for each in trained for key in each if key.startswith("train:")}
    assert f"data={here}" in name
    alone = [trial.measurements[name] for trial in load("near", f"sqlite:///{nas.folder}/runs/nas.db").trials]
    for mine, theirs in zip(alone, (each[name] for each in trained), strict=True):
        assert (mine.value, mine.context) == (theirs.value, theirs.context)
        assert mine.details["by_seed"] == theirs.details["by_seed"]


@pytest.mark.slow
def test_scores_in_a_lane_are_those_of_this_machine(nas: Program, serving: Start, server: Server, url: str) -> None:
    """Two workers compute them at once; one of them is killed at it."""
    tables.create(url)
    workers = [serving("--offer", "entropy", lane="gpus") for _ in range(2)]
    run = ("run", "--space", "small", "--proxy", "entropy", "--latency", "ort:resolution=32", "--budget", "12")
    driver = nas.start(*run, "--sampler", "random", "--name", "far", "--lane", "gpus", "--store", url)
    assert kill_one(driver, workers, server, url) == 2
    near = nas(*run, "--sampler", "random", "--name", "near")
    assert near.code == 0, near.err
    there, here = load("far", url), load("near", f"sqlite:///{nas.folder}/runs/nas.db")
    assert [each.value("entropy") for each in there.trials] == [each.value("entropy") for each in here.trials]


@pytest.mark.slow
def test_a_prediction_learns_from_trainings_in_a_lane(nas: Program, serving: Start, url: str) -> None:
    here = photos(nas.folder / "photos")
    serving("--offer", "train", "--data", here, lane="gpus")
    auto = ("--proxy", "auto:epochs=2,resolution=32", "--train", "10", "--latency", "ort:resolution=32")
    run = ("run", "--space", "small", "--data", here, *auto, "--budget", "8", "--sampler", "random")
    ended = nas(*run, "--lane", "gpus", "--store", url)
    assert "trained 10 of 10" in ended.err, ended.err
    assert "how fast the lane 'gpus' trains is not known" in ended.err
    served = nas("status", "--store", url, "--json").json
    assert [(lane["done"] >= 12, lane["failed"]) for lane in served] == [(True, 0)], "10, and 2 learning rates"


@pytest.mark.slow
def test_strategies_and_claims_are_judged_by_trainings_in_a_lane(
    nas: Program, serving: Start, server: Server, url: str
) -> None:
    here = photos(nas.folder / "photos")
    serving("--offer", "train", "--data", here, lane="gpus")
    latency = ("--at", "1ms", "--latency", "ort:resolution=64", "--scaling", "tiny", "--store", url)
    judged = ("--data", here, "--proxy", "train:epochs=1,resolution=32,rate=0.002", "--lane", "gpus", "--json")
    strategies = nas("strategies", "place", *latency, *judged)
    assert strategies.code == 0, strategies.err
    (answer,) = strategies.json["answers"]
    results = [entry["results"] for each in answer["strategies"] for entry in each["entries"]]
    assert results and all(results)
    (lane,) = nas("status", "--store", url, "--json").json
    assert lane["done"] >= len(results) and not lane["failed"]

    def trained() -> list[tuple[object, ...]]:
        count = "SELECT architecture FROM measurements WHERE kind = 'trained' ORDER BY 1"
        return server.execute(count, url.split("/")[-1])

    before = trained()
    assert len(before) == len(results)
    claims = nas("rediscover", "3", *latency, *judged)
    assert claims.code == 0, claims.err
    assert trained() == before, "the same networks, which are known"


def test_bad_input(nas: Program, serving: Start, url: str, tmp_path: Path) -> None:
    here, other = photos(nas.folder / "photos"), photos(tmp_path / "other")
    picture(Path(other) / "dark" / "one-more.png", 30)
    serving("--offer", "train", "--data", other, lane="gpus")
    run = ("run", "--space", "small", "--budget", "4", "--store", url)
    for options, expected, words in (
        ([*run, "--data", here, *TRAIN, "--lane", "gpus"], 1, "does not have the data folder:"),
        ([*run, "--proxy", "entropy", "--lane", "gpus"], 1, "does not offer 'entropy"),
        ([*run, "--lane", "gpus"], 2, "--lane gpus is for trainings and scores, and published is computed here"),
        ([*run, "--data", here, "--hours", "1", "--lane", "gpus"], 2, "--hours 1 plans by this machine's speed"),
        (["run", "--data", here, *TRAIN, "--lane", "gpus"], 1, "no lane 'gpus' without a database on a server"),
        ([*run, "--data", here, *TRAIN, "--lane", "a b"], 2, "is no name for a lane"),
        (["worker", "--store", url, "--offer", "params"], 2, "drivers compute it themselves"),
        (["worker", "--store", url, "--offer", "auto"], 2, "drivers compute it themselves"),
        (["worker", "--store", url, "--offer", "train", "--data", "nowhere"], 1, "there is no data 'nowhere'"),
    ):
        ended = nas(*options)
        assert (ended.code, words in ended.err) == (expected, True), (options, ended.err)
        assert "Traceback" not in ended.err
