"""Runs that train networks: predictions that learn from them, successive halving, and refusals to rank."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evaluators
from nas.search.training import rungs
from nas.search.training.active_learning import check_transient
from results import validity
from results.store.store import Store
from search_spaces.common.errors import NegativeAnswer
from tests import synthetic
from tests.conftest import Program
from tests.nas import small_space
from tests.pictures import picture

FIDELITY = "resolution=32,images=300,rate=0.004"
LATENCY = ("--latency", "ort:resolution=32")
AUTO = ("--proxy", f"auto:epochs=5,{FIDELITY}", "--train", "12", "--sampler", "random")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a run of 9 candidates whose accuracy was predicted from 12 trained networks."""
    program = Program(tmp_path_factory.mktemp("learned"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        small_space.install(patch, tmp_path_factory.mktemp("site"))
        run = ("run", "--space", "small", "--name", "learned", "--budget", "9", "--data", "digits", *AUTO, *LATENCY)
        ended = program(*run)
        assert ended.code == 0, ended.err
        yield program, ended


def values(program: Program, run: str, metric: str) -> dict[int, Any]:
    shown = program("show", run, "--all", "--json").json["trials"]
    return {
        trial["trial"]: trial["measurements"][name]
        for trial in shown
        for name in trial["measurements"]
        if metric in name
    }


def test_a_run_with_data_predicts_accuracy_from_real_evaluations(learned: Any) -> None:
    program, ended = learned
    predictions = values(program, "learned", "auto").values()
    assert len(predictions) == 9
    assert {prediction["metric"]["kind"] for prediction in predictions} == {"predicted"}
    assert {prediction["samples"] for prediction in predictions} == {12}
    assert all("predicted, not trained" in prediction["warnings"][0] for prediction in predictions)
    assert "trained 12 of 12" in ended.err
    assert "leave-one-out tau" in ended.err
    assert all(prediction["high"] <= 100 for prediction in predictions)
    page = (program.folder / "runs" / "learned.html").read_text()
    assert "leave-one-out tau" in page
    assert "predicted, digits, 300 images, 32 px, 5 epochs, 1 seed" in page


def test_the_last_round_of_active_learning_predicts_every_network(learned: Any) -> None:
    """Every round predicts all networks again; what is shown comes from the last."""
    program, _ = learned
    assert len({prediction["protocol"]["networks"] for prediction in values(program, "learned", "auto").values()}) == 1
    with sqlite3.connect(program.folder / "runs" / "nas.db") as database:
        query = "SELECT count(DISTINCT context) FROM measurements WHERE kind = ?"
        assert database.execute(query, ["predicted"]).fetchone()[0] >= 2
        assert database.execute("SELECT count(*) FROM measurements WHERE kind = ?", ["trained"]).fetchone()[0] == 12


def test_a_resumed_run_keeps_its_fitted_prediction(learned: Any) -> None:
    program, _ = learned
    ended = program("run", "--name", "learned", "--data", "digits", *AUTO[:2], "--budget", "10")
    assert ended.code == 0, ended.err
    assert "learnt from" not in ended.err
    assert len(values(program, "learned", "auto")) == 10


def test_every_score_is_validated_on_trained_networks(learned: Any) -> None:
    program, _ = learned
    ended = program("validate", "structure", "--truth", "store", "--json")
    report = ended.json
    assert report["networks"] == 12
    (row,) = (row for row in report["rows"] if row["name"] == "structure")
    assert ended.code == int(not (row["gain"]["low"] > 0 and row["p_value"] < 0.05)), ended.err


def test_a_score_counts_as_validated_after_ten_trained_networks(learned: Any) -> None:
    """The trained networks, scored: `structure` is no longer unvalidated on this data."""
    program, _ = learned
    store = Store(f"sqlite:///{program.folder}/runs/nas.db", writable=True)
    (pairs,) = store.trained().values()
    networks = [architecture for architecture, _ in pairs]
    structure = evaluators.get("structure")
    metric = structure.metric
    known = {"train": pairs}
    few = {architecture.id: structure.measure(architecture).value for architecture in networks[:9]}
    assert validity.sentence(metric, few, known) == "unvalidated on your data (9 real evaluations, 10 are needed)"
    assert validity.sentence(metric, {}, known) == "unvalidated on your data"
    ended = program("run", "--space", "small", "--name", "scored", "--proxy", "structure", "--budget", "2", *LATENCY)
    assert ended.code == 0, ended.err
    for architecture in networks:
        store.remember(architecture, structure.measure(architecture))
    store.close()
    shown = program("show", "scored")
    assert "structure is a score, not an accuracy: tau" in shown.err
    assert "on 12 real evaluations (digits, 300 images, 32 px, 5 epochs, 1 seed)" in shown.err
    assert program("dashboard", "scored").code == 0
    assert "on 12 real evaluations" in (program.folder / "runs" / "scored.html").read_text()


@pytest.mark.slow
def test_networks_that_have_not_learnt_are_refused(nas: Program, monkeypatch: Any, tmp_path_factory: Any) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    proxy = "train:epochs=1,resolution=32,images=60,rate=0.0001"
    ended = nas("run", "--space", "small", "--data", "digits", "--proxy", proxy, "--budget", "12", *LATENCY)
    assert ended.code == 1
    assert "reached a mean skill of" in ended.err
    assert "their order means nothing" in ended.err
    trials = nas("show", "--all", "--json").json["trials"]
    assert [trial["state"] for trial in trials[:11]] == ["ok"] * 10 + ["running"]


@pytest.mark.slow
def test_data_of_which_too_much_is_broken_ends_the_run_with_its_cause(
    nas: Program, monkeypatch: Any, tmp_path_factory: Any
) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    for name, colour in (("cats", 20), ("dogs", 150)):
        for number in range(30):
            picture(nas.folder / "photos" / name / f"{number}.png", colour, seed=number)
            for copy in range(2):
                (nas.folder / "photos" / name / f"{number}-{copy}.png").write_text(f"no {name} {number} {copy}")
    proxy = "auto:epochs=2,resolution=32,images=40,rate=0.004"
    ended = nas("run", "--space", "small", "--data", "photos", "--proxy", proxy, "--budget", "5", *LATENCY)
    assert ended.code == 1, ended.err
    assert "cannot be used" in ended.err
    assert "and none could be\n  the causes are above: remove them" in ended.err


@pytest.mark.slow
def test_successive_halving_trains_the_best_longer_and_shows_every_rung(
    nas: Program, monkeypatch: Any, tmp_path_factory: Any
) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    proxy = f"train:epochs=2,{FIDELITY}"
    run = ("run", "--space", "small", "--data", "digits", "--proxy", proxy, "--budget", "9", "--sampler", "random")
    ended = nas(*run, *LATENCY, "--json")
    assert ended.code == 0, ended.err
    (rung,) = (event for event in ended.events if event["event"] == "rung")
    assert rung["evaluator"] == "train:data=digits,resolution=32,epochs=6,images=300,seeds=2,rate=0.004"
    assert len(rung["found"]) == 4  # a third of nine, and one at random
    assert str(rung["visitor"]) in rung["found"]
    shown = nas("show", "--all", "--json").json["trials"]
    promoted = [trial["trial"] for trial in shown if any("epochs=6" in name for name in trial["measurements"])]
    assert sorted(map(str, promoted)) == sorted(rung["found"])


@pytest.mark.slow
def test_a_run_trains_the_dense_task_too(nas: Program, monkeypatch: Any, tmp_path_factory: Any) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    proxy = "segment:resolution=32,epochs=1,images=64,rate=0.004"
    ended = nas("run", "--space", "small", "--proxy", proxy, "--budget", "9", "--sampler", "random", *LATENCY, "--json")
    assert ended.code == 0, ended.err
    assert "[% mIoU], higher is better; trained; scenes, 64 images, 32 px, 1 epochs, 1 seed" in ended.err
    (rung,) = (event for event in ended.events if event["event"] == "rung")
    assert rung["evaluator"] == "segment:data=scenes,resolution=32,epochs=3,images=64,seeds=2,rate=0.004"
    assert "do not rank by this rung" in ended.err


@pytest.mark.slow
def test_one_learning_rate_comes_from_two_short_trainings(
    nas: Program, monkeypatch: Any, tmp_path_factory: Any
) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    proxy = ("--data", "digits", "--proxy", "train:epochs=4,resolution=32,images=300")
    ended = nas("run", "--space", "small", *proxy, "--budget", "2", *LATENCY, "--json")
    assert ended.code == 0, ended.err
    (started,) = (event for event in ended.events if event["event"] == "started")
    assert "rate=0.00" in started["config"]["proxy"]
    assert ended.err.count(" at 0.00") == 2
    again = nas(
        "run", "--name", started["run"], "--data", "digits", "--proxy", "train:epochs=4,resolution=32,images=300"
    )
    assert again.code == 0, again.err


def test_data_from_which_nothing_is_learnt_ends_the_run_before_it_trains_many(
    nas: Program, monkeypatch: Any, tmp_path_factory: Any
) -> None:
    small_space.install(monkeypatch, tmp_path_factory.mktemp("site"))
    proxy = "train:epochs=1,resolution=32,images=20"
    ended = nas("run", "--space", "small", "--data", "digits", "--proxy", proxy, "--budget", "12", *LATENCY)
    assert ended.code == 1, ended.err
    assert "has learnt nothing on digits, 20 images, 32 px, 1 epochs, 1 seed: at chance with every" in ended.err
    assert ended.err.count(" at 0.00") == 2
    assert nas("show", "--runs").code == 1, "no run was begun"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", "/no/such/folder"], 1, "there is no data '/no/such/folder'"),
        (["--data", "digits", "--proxy", "entropy"], 2, "trains nothing on --data digits"),
        (["--data", "digits", "--proxy", "train:data=digits"], 2, "the data is named twice"),
        (["--data", "digits", "--proxy", "segment"], 1, "'digits' has no class for every pixel"),
        (["--data", "scenes"], 1, "'scenes' have a class for every pixel, and none for the image"),
        (["--data", "digits", "--train", "3"], 2, "at least 10 real evaluations, got 3"),
        (["--proxy", "train:data=/no/such/folder"], 1, "there is no data"),
    ],
)
def test_data_that_cannot_be_used_is_refused(nas: Program, arguments: list[str], code: int, message: str) -> None:
    ended = nas("run", "--budget", "5", *arguments)
    assert ended.code == code, ended.err
    assert message in ended.err
    assert not (nas.folder / "runs").exists()


def test_a_folder_without_images_stops_the_run_before_it_begins(nas: Program, tmp_path: Path) -> None:
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    ended = nas("run", "--data", "photos", "--budget", "5")
    assert ended.code == 2, ended.err
    assert "holds no images in sub-folders" in ended.err
    assert not (nas.folder / "runs").exists()


@pytest.mark.parametrize(
    ("classes", "images", "size", "code", "message"),
    [
        (1, 30, 12, 2, "has one class, 'class 0'"),
        (2, 5, 12, 2, "has 8 images of 2 classes to train on and 2 to validate on"),
        (10, 1, 12, 2, "has 10 images of 10 classes to train on and 0 to validate on"),
        (2, 60, 4, 2, "(4 x 4 pixels)"),
        (12, 3, 12, 0, "photos: classes with fewer than 5 images: class 0 (3), class 1 (3), class 10 (3) and 9 more"),
    ],
)
def test_too_few_or_too_small_images(
    nas: Program, classes: int, images: int, size: int, code: int, message: str
) -> None:
    for label in range(classes):
        for number in range(images):
            picture(nas.folder / "photos" / f"class {label}" / f"{number}.png", 20 * label, (size, size), seed=number)
    ended = nas("run", "--data", "photos", "--dry-run")
    assert ended.code == code, ended.err
    assert message in ended.err


def test_a_dry_run_shows_the_proxy_for_data(nas: Program) -> None:
    ended = nas("run", "--data", "digits", "--dry-run")
    assert ended.code == 0, ended.err
    assert "auto:data=digits" in ended.err


def test_validating_scores_on_a_csv_file(nas: Program, tmp_path: Path) -> None:
    rows = ["architecture,accuracy,macs,phone_ms,mine"]
    rows += [f"C-C-{'C' * n}-C,{70 + n},{n},{n},{n % 5}" for n in range(1, 25)]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    ended = nas(
        "validate",
        "entropy:resolution=32,seeds=2",
        "--truth",
        "mine.csv",
        "-o",
        "page.html",
        "--evaluations",
        "10",
        "--draws",
        "1",
    )
    assert ended.code == 1, "macs rank these networks without a mistake: nothing ranks better"
    assert "of 2 scores tried, these rank better than the best count of the network: none" in ended.err
    assert "choosing at a budget of phone_ms costs least by" in ended.err
    assert (tmp_path / "page.html").exists()
    assert nas("validate", "--truth", "nothing.csv").code == 2
    assert nas("validate", "train", "--truth", "mine.csv").code == 2


def test_validating_on_the_store_needs_trained_networks(finished: Program) -> None:
    ended = finished("validate", "--truth", "store")
    assert ended.code == 1
    assert "holds 0 real evaluations" in ended.err


# Successive halving, on made-up trials


def test_the_best_third_by_pareto_rank_and_a_random_control_are_promoted() -> None:
    trials = [
        synthetic.trial(n, score, latency)
        for n, (score, latency) in enumerate([(9, 9), (5, 5), (1, 1), (1, 9), (4, 6), (3, 7)])
    ]
    run = synthetic.run(trials)
    accuracies = {trial.number: trial.measurements["entropy"] for trial in trials}
    best, control = rungs.promoted(run, accuracies, np.random.default_rng(0))
    assert [trial.number for trial in best] == [0, 1]  # both on the front, the highest accuracies first
    assert control is not None and control.number in {2, 3, 4, 5}


@pytest.mark.parametrize(("skill", "refused"), [(0.1, True), (0.5, False)])
def test_a_low_mean_skill_is_refused(skill: float, refused: bool) -> None:
    measurement = synthetic.measurement(synthetic.SCORE, 50.0)
    trained = [replace(measurement, details={"skill": skill + 0.1 * side}) for side in (-1, 1)]
    if refused:
        with pytest.raises(NegativeAnswer, match="their order means nothing"):
            check_transient(trained, "train")
    else:
        assert check_transient(trained, "train") == pytest.approx(skill)
    assert json.dumps([measurement.to_dict() for measurement in trained])


def test_the_prior_is_validated_on_families_that_are_left_out(nas: Program) -> None:
    ended = nas("validate", "--truth", "published", "--json")
    assert ended.code == 0, ended.err
    checks = {check["name"]: check for check in ended.json["checks"]}
    assert checks["mean"]["tau"]["value"] >= 0.70
    assert checks["mean"]["partial_tau"]["value"] > checks["size line and recipe"]["partial_tau"]["value"]
    assert checks["mean"]["coverage"]["low"] < 0.9 < checks["mean"]["coverage"]["high"]
    shown = nas("validate", "--truth", "published")
    assert "95 % intervals over families" in shown.err
    assert f"{checks['mean']['within_family']['value']:.2f} [" in shown.out
    refused = nas("validate", "entropy", "--truth", "published")
    assert (refused.code, "checks the prediction 'published' alone" in refused.err) == (2, True)


def test_the_prior_ranks_a_truth_like_a_score(nas: Program) -> None:
    truth = Path(__file__).parents[3] / "benchmarks" / "nhs_truth" / "digits.csv"
    ended = nas("validate", "published", "--truth", str(truth), "--draws", "1", "--json")
    assert ended.code == 1, "it does not rank these tiny networks"
    assert any(row["name"] == "published" for row in ended.json["rows"])


def test_a_search_without_data_is_limited_to_the_size_of_the_largest_anchor(nas: Program) -> None:
    """Visibly, and lifted by `--limit none`."""
    planned = nas("run", "--dry-run")
    assert "published [%]" in planned.err
    assert "params<=57.9M, activations<=29M: no more than the largest anchor has" in planned.err
    lifted = nas("run", "--dry-run", "--limit", "none")
    assert "none (--limit adds one)" in lifted.err
    own = nas("run", "--dry-run", "--limit", "params<=20M")
    assert "params<=20M\n" in own.err
