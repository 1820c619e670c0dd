"""The worker by itself: what it accepts, what it refuses, and in which place it runs."""

import contextlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evaluators
from evaluators.workers import jobs
from evaluators.workers.remote import Remote
from search_spaces import PAPER
from search_spaces.common.errors import NasError, UsageError

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


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("[]", "is an object, not a list"),
        ('{"do": "exec"}', "is an object whose 'do'"),
        ({"do": "describe"}, "has no 'evaluator'"),
        ({"do": "describe", "evaluator": "ort", "code": "import os"}, "takes no 'code'"),
        ({"do": "describe", "evaluator": 7}, "'evaluator' is a int"),
        ({"do": "measure", "evaluator": "ort", "architecture": "arch.json"}, "'architecture' is a str"),
        ({"do": "measure", "evaluator": "ort", "architecture": {"stages": 1}}, "schema"),
        ({"do": "compare", "evaluator": "ort", "architecture": S, "other": S, "seed": "fast"}, "'seed' is a str"),
        ({"do": "compare", "evaluator": "ort", "architecture": S, "other": S, "seed": True}, "'seed' is a bool"),
    ],
)
def test_a_job_is_checked_before_anything_is_done_with_it(job: object, words: str) -> None:
    line = job if isinstance(job, str) else json.dumps(job)
    with pytest.raises(UsageError, match=words):
        jobs.parse(line.encode())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"do": "describe", "evaluator": "\xfc"}', "not JSON: 'utf-8' codec"),
        (b"[" * 60_000, "not JSON"),
        (b'{"do": ["describe"]}', "is an object whose 'do'"),
        (b'{"do": "compare", "seed": NaN}', "NaN is not a number of JSON"),
        (b'{"do": "compare", "seed": 1e400}', "the number 1e400 is too large"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_line_that_is_no_job_is_refused(line: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        jobs.parse(line)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.floats(), st.lists).map(json.dumps).map(str.encode))
def test_any_line_is_a_job_or_a_complaint(line: bytes) -> None:
    with contextlib.suppress(UsageError):
        jobs.parse(line)


def test_a_job_has_a_size() -> None:
    _, answer = ask(json.dumps({"do": "describe", "evaluator": "x" * 10**6}))
    assert "more than 65536 bytes" in answer["cause"]


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
