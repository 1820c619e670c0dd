"""Searching with a device that is not at hand: predicted from its measurements, unverified until it is."""

import numpy as np
import pytest

import evaluators
from evaluators import Device, Measurement
from evaluators.core.measurement import now
from results.store.store import Store
from tests.conftest import Program
from tests.evaluators.prediction.test_latency_predictor import NETWORKS, latency

RUN = ("run", "--proxy", "structure", "--latency", "ort:predicted", "--sampler", "random", "--budget", "5")


def made(value: float, label: str) -> Measurement:
    """A measurement of another device, as a merged database brings it."""
    evaluator = evaluators.get("ort")
    return Measurement(
        metric=evaluator.metric,
        value=value,
        low=0.99 * value,
        high=1.01 * value,
        samples=9,
        quality="clean",
        device=Device(label=label, facts={"kind": "cpu", "model": label}),
        versions={"onnxruntime": "1.0"},
        protocol=evaluator.protocol(),
        when=now(),
        seconds=1.0,
    )


def fill(program: Program, count: int, label: str = "a far machine") -> None:
    store = Store(f"sqlite:///{program.folder}/runs/nas.db", writable=True)
    rng = np.random.default_rng(0)
    for network in NETWORKS[:count]:
        store.remember(network, made(latency(network, rng), label))
    store.close()


def test_a_search_by_predictions_needs_no_device_and_its_front_is_unverified(nas: Program) -> None:
    fill(nas, 40)
    ended = nas(*RUN, "--limit", "ort:predicted<=500ms")
    assert ended.code == 0, ended.err
    assert "met with" not in ended.err, "a limit on a prediction is kept, and not called met"
    assert "ort:predicted [ms], lower is better; predicted, not measured" in ended.err
    assert "this front is unverified" in ended.err
    shown = nas("show")
    assert "unverified until 'nas measure nhs-1 --front --latency ort' has measured it" in shown.err
    assert "nothing here was measured on a device" in shown.err
    measurement = nas("show", "--json").json["trials"][0]["measurements"]["ort:predicted"]
    assert measurement["metric"]["kind"] == "predicted"
    assert measurement["device"]["label"] == "a far machine"
    assert nas("dashboard", "-o", "page.html").code == 0
    page = (nas.folder / "page.html").read_text()
    assert "ort:predicted [ms], predicted, not measured, lower is better" in page
    assert "this front is unverified" in page
    assert "paper's, predicted" in page
    assert "measured here" not in page


def test_later_measurements_verify_a_predicted_front(nas: Program) -> None:
    fill(nas, 40)
    assert nas(*RUN).code == 0
    store = Store(f"sqlite:///{nas.folder}/runs/nas.db", writable=True)
    (context,) = store.measured("ort")
    for trial in store.run("nhs-1").trials:  # as that machine's own `nas measure --all` would, merged back
        store.remember(trial.architecture, made(1.02 * trial.value("ort:predicted"), "a far machine"))
    store.add_column("nhs-1", "ort", context)
    store.close()
    shown = nas("show").err
    assert "networks were measured too, off by 2.0% on average" in shown
    assert "unverified until" not in shown


def test_a_resumed_run_keeps_the_measurements_it_learnt_from(nas: Program) -> None:
    fill(nas, 25)
    assert nas(*RUN).code == 0
    fill(nas, 60)  # more is known now, and another run would learn from it
    assert nas("run", "--name", "nhs-1", "--budget", "6").code == 0
    trials = nas("show", "--all", "--json").json["trials"]
    assert len({trial["measurements"]["ort:predicted"]["protocol"]["networks"] for trial in trials}) == 1


@pytest.mark.parametrize(
    ("count", "message"),
    [(0, "the database has no measurement of ort"), (12, "needs 20 measured networks, and there are 12")],
)
def test_a_run_does_not_start_with_too_few_measurements_to_learn_from(nas: Program, count: int, message: str) -> None:
    fill(nas, count)
    ended = nas(*RUN)
    assert ended.code == 1
    assert message in ended.err
    assert nas("show").code == 1


def test_predicting_without_a_database_creates_nothing(nas: Program) -> None:
    ended = nas(*RUN)
    assert ended.code == 1
    assert list(nas.folder.iterdir()) == []


def test_a_prediction_must_name_one_of_several_devices(nas: Program) -> None:
    fill(nas, 30)
    fill(nas, 30, "another far machine")
    ended = nas(*RUN)
    assert ended.code == 2
    assert "ort was measured on several devices" in ended.err
    devices = {device["label"]: device["device"] for device in nas("predictor", "--json").json["devices"]}
    named = f"ort:predicted={devices['a far machine'][:6]}"
    ended = nas(*[named if argument == "ort:predicted" else argument for argument in RUN], "--dry-run")
    assert ended.code == 0, ended.err
    assert "device       a far machine" in ended.err


def test_a_predictor_is_judged_on_held_out_networks(nas: Program) -> None:
    fill(nas, 40)
    ended = nas("predictor", "--latency", "ort")
    assert ended.code == 0, ended.err
    assert "a far machine, onnxruntime 1.0" in ended.out
    (judged,) = nas("predictor", "--latency", "ort", "--json").json["devices"]
    assert judged["held out"]["measurements"] == 40
    assert 0 < judged["held out"]["mean_error"] < 0.06
    assert judged["held out"]["spearman"] > 0.93
    assert 0.8 <= judged["held out"]["coverage"] <= 1
