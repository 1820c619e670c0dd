"""Networks of other families beside those of a space: evaluated first, shown, and no sampler learns from them."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest

import search_spaces
from nas.search import latency_predictions
from nas.search.config import Config
from nas.search.proposals import SAMPLERS, propose
from nas.search.sampling import anchors
from nas.search.sampling.known_trials import Told
from results.store.store import Store
from search_spaces import PAPER, TimmNetwork
from search_spaces.common.errors import StoreError, UsageError
from tests import synthetic
from tests.conftest import Program

PEER = TimmNetwork(model="test_coatnet")
NHS = search_spaces.get("nhs")
QUICK = ("--latency", "ort:resolution=64", "--limit", "none")


def finished(network: Any, params: dict[str, Any], distributions: Any, value: float) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(params=params, distributions=distributions, values=[value, 50 - value])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_sampler_learns_from_a_network_outside_the_space(sampler: str) -> None:
    first = {**NHS.anchors(), "peer": PEER}
    trials: list[optuna.trial.FrozenTrial] = []
    for number in range(16):
        made = propose(NHS, sampler, 0, Told(trials), ("maximize", "minimize"), lambda _: "", anchors=first)
        assert (made.architecture == PEER, made.params == {}) == (number == 3,) * 2
        trials.append(finished(made.architecture, made.params, made.distributions, 10.0 + number % 7))
    assert trials[-1].params.keys() == trials[0].params.keys()


def test_a_file_is_kept_by_what_it_describes(tmp_path: Path) -> None:
    file = tmp_path / "peer.json"
    file.write_text(PEER.to_json())
    kept = anchors.resolved([str(file), "next-vit-s", "timm:resnet18"])
    file.unlink()
    assert kept == (PEER.canonical_json(), "next-vit-s", "timm:resnet18")
    found = anchors.networks(kept, PAPER.values())
    assert found == {"timm:test_coatnet": PEER, "resnet18": TimmNetwork(model="resnet18")}, "the paper's are there"


def test_a_run_of_another_version_of_the_configuration_has_none() -> None:
    data = Config().to_dict()
    del data["anchors"]
    assert Config.from_dict(data).anchors == ()
    with pytest.raises(StoreError, match="anchors"):
        Config.from_dict(data | {"anchors": "timm:resnet18"})


def test_an_objective_for_our_family_alone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"(?s)zen evaluates networks of the Next-ViT family alone.*resnet18 out"):
        Config(proxy="zen", anchors=("timm:resnet18",))


def test_an_anchor_that_does_not_take_the_images_is_refused_before_the_run() -> None:
    config = Config(latencies=("ort:resolution=100",))
    with pytest.raises(UsageError, match=r"(?s)images of 100 px.*images of 160 px"):
        anchors.check([PEER], config.objectives)


@pytest.mark.slow
def test_a_run_with_an_anchor_of_another_family(nas: Program) -> None:
    ended = nas("run", "--name", "one", "--anchor", "timm:test_coatnet", "--budget", "5", *QUICK)
    assert ended.code == 0, ended.err
    assert "test_coatnet: your own (--anchor), evaluated after them" in ended.err
    trials = nas("show", "one", "--all", "--json").json["trials"]
    assert [trial["anchor"] for trial in trials] == ["next-vit-s", "next-vit-b", "next-vit-l", "test_coatnet", None]
    assert trials[3]["notation"] == "timm:test_coatnet" and trials[3]["state"] == "ok"
    assert "stage-3 [%]" in trials[3]["measurements"]["ort:resolution=64"]["secondary"]
    page = (nas.folder / "runs" / "one.html").read_text()
    assert "timm:test_coatnet" in page and "--anchor timm:test_coatnet" in page
    other = nas("run", "--name", "one", "--anchor", "timm:resnet18", "--budget", "6")
    assert other.code == 2 and "anchors: timm:test_coatnet in the run, timm:resnet18 requested" in other.err
    exported = nas("export", "one", "--trial", "3", "-o", "peer.json")
    assert exported.code == 0, exported.err
    assert json.loads((nas.folder / "peer.json").read_text())["model"] == "test_coatnet"


def test_a_predictor_learns_from_our_family_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'nas.db'}", writable=True)
    for network in (*PAPER.values(), PEER):
        store.remember(network, synthetic.measurement(synthetic.LATENCY, 20.0))
    ((context, pairs),) = latency_predictions.learnable(store, "ort").items()
    assert [network for network, _ in pairs] == list(PAPER.values())
    assert len(store.measured("ort")[context]) == len(pairs) + 1
    store.close()
