"""Requests to a worker are checked before anything is done with them."""

import contextlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.workers import jobs
from search_spaces import PAPER
from search_spaces.common.errors import UsageError

S = PAPER["next-vit-s"].to_dict()


COMMAND = [sys.executable, "-m", "evaluators.workers.worker"]


def ask(*lines: str) -> list[dict]:
    ended = subprocess.run(COMMAND, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("[]", "must be an object, not a list"),
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
