"""Every evaluator keeps the same promises; a new file is held to them the day it appears."""

import json
import subprocess
import sys
from dataclasses import Field, fields

import pytest

import evaluators
from evaluators import Measurement
from search_spaces import PAPER
from search_spaces.common.errors import UnknownName, UsageError

NAMES = evaluators.names()


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_its_numbers_mean(name: str) -> None:
    evaluator = evaluators.get(name)
    metric = evaluator.metric
    assert evaluator.name() == name
    assert metric.name == evaluator.spec
    assert evaluators.get(evaluator.spec) == evaluator
    assert metric.name.partition(":")[0] == name
    assert name in evaluators.names(evaluator.family())
    assert metric.unit
    assert metric.direction == ("maximize" if evaluator.family() == "accuracy" else "minimize")
    assert (
        metric.kind
        in {"cost": ["exact"], "accuracy": ["score", "trained", "predicted"], "latency": ["measured"]}[
            evaluator.family()
        ]
    )
    assert evaluators.summary(name)
    assert type(evaluator).__doc__


def other(option: Field, default: object) -> object:
    """Another valid value of an option, as it is written in a spec."""
    if isinstance(default, str):
        return option.metadata["choices"][1] if "choices" in option.metadata else "ABCDE12345/phone"
    if isinstance(default, float):
        return 2 * default or 0.5
    return str(not default).lower() if isinstance(default, bool) else 2 * default or 1


@pytest.mark.parametrize("name", NAMES)
def test_its_options_are_part_of_its_name_and_of_its_context(name: str) -> None:
    default = evaluators.get(name)
    assert default.context() == evaluators.get(name).context()
    for option in fields(default):
        value = other(option, getattr(default, option.name))
        changed = evaluators.get(f"{name}:{option.name}={value}")
        assert f"{option.name}={value}" in changed.spec.partition(":")[2].split(",")
        assert evaluators.get(changed.spec) == changed
        assert changed.context() != default.context()
        assert changed.protocol()[option.name] == getattr(changed, option.name)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_here_or_says_why_not(name: str) -> None:
    reason = evaluators.get(name).missing()
    assert reason is None or (reason.message and reason.hint)


@pytest.mark.parametrize("name", NAMES)
def test_its_measurement_is_whole_and_survives_json(name: str) -> None:
    evaluator = evaluators.get(name)
    if evaluator.missing():
        pytest.skip(str(evaluator.missing()))
    quick = {"resolution": "64", "epochs": "1", "images": "40"}
    options = [f"{each.name}={quick[each.name]}" for each in fields(evaluator) if each.name in quick]
    evaluator = evaluators.get(f"{name}:{','.join(options)}" if options else name)
    measurement = evaluator.measure(PAPER["next-vit-s"])
    assert measurement.low <= measurement.value <= measurement.high
    assert measurement.samples >= 1
    assert measurement.context == evaluator.context()
    assert set(measurement.versions) == set(evaluator.packages)
    assert Measurement.from_dict(json.loads(json.dumps(measurement.to_dict()))) == measurement
    if measurement.metric.kind == "measured":
        assert measurement.device.facts
    if measurement.metric.kind == "score":
        assert any("unvalidated" in warning for warning in measurement.warnings)


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
        ("ort:python=a,python=b", "names two places"),
        ("ort:python=", "names no interpreter"),
        ("ort:python", "names no interpreter"),
        ("ort:threads=" + "9" * 5000, "more than 1000 letters"),
        ("ort:threads=" + "9" * 900, "nearest: threads=256"),
        ("ort:threads=\n2", "control characters"),
        ("ort\n@ssh:me", "control characters"),
        ("\udcff", "control characters"),
        ("entropy:seed=" + "9" * 30, "nearest: seed=2147483647"),
        ("train:rate=nan", "from 0 to 1, got nan"),
        ("train:data=" + "x" * 2000, "more than 1000 letters"),
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
