"""The worker by itself: what it accepts, what it refuses, and in which place it runs."""

import json
import subprocess
import sys
from contextlib import ExitStack, closing

import pytest

import evaluators
from evaluators.core.locks import exclusive
from evaluators.targets.latency import Latency
from evaluators.workers.connection import Worker
from evaluators.workers.remote import Remote
from search_spaces import PAPER
from search_spaces.common.errors import NasError

S = PAPER["next-vit-s"].to_dict()


COMMAND = [sys.executable, "-m", "evaluators.workers.worker"]


def ask(*lines: str) -> list[dict]:
    ended = subprocess.run(COMMAND, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_json_in_json_out() -> None:
    ready, begun, answer = ask(json.dumps({"do": "measure", "evaluator": "params", "architecture": S}))
    assert ready["ready"]
    assert begun == {"begun": True}
    assert answer["measurement"]["value"] == pytest.approx(31.763368)


def test_a_wrong_job_is_answered_and_the_next_one_is_done() -> None:
    _, first, *_, last = ask("{", json.dumps({"do": "measure", "evaluator": "params", "architecture": S}))
    assert "not JSON" in first["cause"]
    assert "measurement" in last


def test_a_worker_measures_where_it_is() -> None:
    _, answer = ask(json.dumps({"do": "describe", "evaluator": "ort@ssh:elsewhere"}))
    assert "names another location" in answer["cause"]


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("ort:python=/usr/bin/python3", "ort:python=/usr/bin/python3"),
        ("ort:python=/opt/p,threads=2@ssh:me@mac", "ort:threads=2,python=/opt/p@ssh:me@mac"),
        ("ort@ssh:mac", "ort@ssh:mac"),
    ],
)
def test_a_place_is_part_of_the_objectives_name_and_of_nothing_else(spec: str, canonical: str) -> None:
    evaluator = evaluators.get(spec)
    assert isinstance(evaluator, Remote)
    assert evaluator.spec == evaluator.metric.name == canonical
    assert evaluators.get(canonical) == evaluator
    assert evaluator.protocol() == evaluator.local.protocol()
    assert evaluator.family() == "latency"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ort@mac", "names no location"),
        ("ort@ssh:", "names no location"),
        ("ort@ssh:-oProxyCommand=evil", "is not an SSH destination"),
        ("ort@ssh:a b", "is not an SSH destination"),
        ("entropy@ssh:mac", "only latencies are measured at another location"),
        ("params:python=/usr/bin/python3", "only latencies are measured at another location"),
    ],
)
def test_a_place_that_is_none_is_refused(spec: str, words: str) -> None:
    with pytest.raises(NasError, match=words):
        evaluators.get(spec)


def test_a_network_is_built_while_another_process_has_the_device() -> None:
    """And measured when that one has released it: nothing but the rounds needs the device."""
    ort = {"evaluator": "ort:resolution=32", "architecture": S}
    with closing(Worker()) as worker, ExitStack() as other:
        other.enter_context(exclusive("machine"))
        assert worker.run({"do": "open", **ort}, 60) == {"opened": "ort:resolution=32"}
        answer = worker.run({"do": "measure", **ort}, 60, say=lambda _: other.close())
    assert answer["measurement"]["details"]["seconds"] <= worker.took


def test_what_is_open_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluators.latency.ort.cores", lambda: 2)
    ort = evaluators.get("ort:resolution=32")
    assert isinstance(ort, Latency)
    ort.open(PAPER["next-vit-s"])
    monkeypatch.setattr(type(ort), "_running", None)
    assert ort.measure(PAPER["next-vit-s"]).secondary
