"""Networks trained in parallel: the same numbers, exclusive use of the device, and no process left running."""

import threading

import pytest

import evaluators
from evaluators import Measurement
from evaluators.accuracy.train import Train
from evaluators.core.locks import device, exclusive
from evaluators.workers.bench import Bench, Waited
from evaluators.workers.parallel import together
from search_spaces.common.errors import MeasurementFailed
from tests.networks import CORNERS

NETWORKS = [CORNERS["all convolution"], CORNERS["half"]]
TRAIN = "train:data=digits,resolution=32,epochs=1,images=80"


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Train, "at_once", lambda self: 2)


def test_networks_trained_in_parallel_reach_what_they_reach_alone() -> None:
    train = evaluators.get(TRAIN)
    with Bench() as bench:
        for architecture, found in together(train, NETWORKS, bench):
            assert not device(train.physical()).take(), "nobody measures a latency meanwhile"
            assert isinstance(found, Measurement)
            assert found.value == pytest.approx(train.measure(architecture).value, abs=1)
    with exclusive(train.physical(), say=pytest.fail):
        pass


def test_one_failure_costs_one_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker of the failure is replaced, and the others go on."""
    original, failing = Bench._ask, NETWORKS[0].to_dict()

    def ask(bench: Bench, evaluator: Train, job: dict[str, object], waited: Waited) -> dict[str, object]:
        if job["architecture"] == failing:
            raise MeasurementFailed("it failed")
        return original(bench, evaluator, job, waited)

    monkeypatch.setattr(Bench, "_ask", ask)
    with Bench() as bench:
        found = dict(together(evaluators.get(TRAIN), NETWORKS, bench))
    assert isinstance(found[NETWORKS[0]], MeasurementFailed)
    assert isinstance(found[NETWORKS[1]], Measurement)


def test_an_interruption_ends_every_process() -> None:
    """After Ctrl-C between two networks, no worker is left, and the device is free."""
    train = evaluators.get(TRAIN)
    with Bench() as bench:
        running = together(train, [*NETWORKS, CORNERS["all transformer"]], bench)
        next(running)
        running.close()
    with exclusive(train.physical(), say=pytest.fail):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]
