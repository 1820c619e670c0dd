"""Every evaluator keeps the same promises; a new file is held to them the day it appears."""

import subprocess
import sys
from collections.abc import Callable

import pytest

import evaluators
from evaluators.core import contract
from search_spaces.common.errors import UnknownName, UsageError

NAMES = evaluators.names()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_its_promises(check: Callable[[contract.Make, str], None], name: str) -> None:
    check(evaluators.get, name)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_listed_in_its_family(name: str) -> None:
    assert name in evaluators.names(evaluators.get(name).family())
    assert evaluators.get(name).name() == name
    assert evaluators.summary(name)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ort:thread=2", "no option 'thread=2'\n.*resolution=224, batch=1, threads=1"),
        ("ort:threads", "no option 'threads'"),
        ("ort:threads=two", "expects int, got 'two'"),
        ("ort:threads=0", "nearest: threads=1"),
        ("ort:resolution=16", "nearest: resolution=32"),
        ("entropy:seeds=1", "nearest: seeds=2"),
        ("params:resolution=3", "its options: none"),
        ("ort:threads=1,threads=2", "threads is given twice"),
        ("ort:python=a,python=b", "names two locations"),
        ("ort:python=", "names no interpreter"),
        ("ort:python", "names no interpreter"),
        ("ort:threads=" + "9" * 5000, "more than 1000 characters"),
        ("ort:threads=" + "9" * 900, "nearest: threads=256"),
        ("ort:threads=\n2", "control characters"),
        ("ort\n@ssh:me", "control characters"),
        ("\udcff", "control characters"),
        ("entropy:seed=" + "9" * 30, "nearest: seed=2147483647"),
        ("train:rate=nan", "from 0 to 1, got nan"),
        ("train:data=" + "x" * 2000, "more than 1000 characters"),
    ],
)
def test_a_wrong_option_gets_the_right_ones(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)


def test_data_may_have_any_name_without_stopping_the_program() -> None:
    assert evaluators.get("train:data=" + "x" * 300).missing  # no folder can be called so


def test_an_unknown_name_gets_the_nearest_of_its_family() -> None:
    with pytest.raises(UnknownName, match="did you mean 'entropy'"):
        evaluators.get("entropie")
    with pytest.raises(UnknownName, match="no latency evaluator is called 'macs'"):
        evaluators.get("macs", "latency")


def test_knowing_the_evaluators_needs_neither_torch_nor_a_runtime() -> None:
    code = (
        "import evaluators, sys; [evaluators.get(name).context() for name in evaluators.names()];"
        "assert not {'torch', 'onnxruntime', 'onnx', 'fvcore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
