"""The contract of an evaluator, as checks. The tests run them on built-in evaluators, and users on their own."""

import json
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any

from evaluators.core.evaluator import FAMILY_OF, Evaluator
from evaluators.core.measurement import UNVALIDATED, Measurement
from search_spaces import PAPER
from search_spaces.common.contract import promise

Make = Callable[[str], Evaluator]  # from a spec
QUICK = {"resolution": "64", "epochs": "1", "images": "40"}  # options that shorten an evaluation, if it has them


def says_what_its_numbers_mean(make: Make, name: str) -> None:
    """Docstring, unit, direction and kind are there and consistent, and its spec builds it again."""
    evaluator = make(name)
    metric = evaluator.metric
    promise(bool((type(evaluator).__doc__ or "").strip()), "the class has no docstring", "describe what it measures")
    promise(metric.kind in FAMILY_OF, f"its kind is {metric.kind!r}", f"one of: {', '.join(FAMILY_OF)}")
    promise(bool(metric.unit), "its unit is empty", "name the unit of its numbers, for example 'ms'")
    expected = "maximize" if evaluator.family() == "accuracy" else "minimize"
    promise(
        metric.direction == expected, f"a {evaluator.family()} to {metric.direction}", f"direction must be {expected}"
    )
    promise(metric.name == evaluator.spec, f"its metric is called {metric.name}", f"it must be {evaluator.spec}")
    promise(make(evaluator.spec) == evaluator, f"'{evaluator.spec}' builds another evaluator", "options must be fields")


def names_its_options(make: Make, name: str) -> None:
    """Every option is part of its spec, its protocol and its context, the key of its stored numbers."""
    default = make(name)
    for option in fields(default):
        value = _other(option, getattr(default, option.name))
        changed = make(f"{name}:{option.name}={value}")
        promise(
            f"{option.name}={value}" in changed.spec.partition(":")[2].split(","),
            f"'{changed.spec}' does not contain {option.name}={value}",
            "do not override spec",
        )
        promise(make(changed.spec) == changed, f"'{changed.spec}' builds another evaluator", "options must be fields")
        promise(
            changed.context() != default.context() and changed.protocol()[option.name] == getattr(changed, option.name),
            f"{option.name} is not part of the protocol",
            "protocol() must hold every option: numbers under different options must not be mixed",
        )


def runs_or_says_why_not(make: Make, name: str) -> None:
    """It can run here, or says why not and how to change that."""
    reason = make(name).missing()
    promise(reason is None or bool(reason.message and reason.hint), "missing() gives no hint", "say what to do")


def measures(make: Make, name: str) -> None:
    """Its measurement of Next-ViT-S is complete and survives JSON. Skipped if it cannot run here."""
    evaluator = make(name)
    if evaluator.missing():
        return
    options = ",".join(f"{option.name}={QUICK[option.name]}" for option in fields(evaluator) if option.name in QUICK)
    evaluator = make(f"{name}:{options}" if options else name)
    done = evaluator.measure(PAPER["next-vit-s"])
    promise(done.low <= done.value <= done.high, f"{done.value} outside [{done.low}, {done.high}]", "fix it")
    promise(done.samples >= 1, f"{done.samples} samples", "a number needs one sample or more")
    promise(done.context == evaluator.context(), "context() changes during a measurement", "use options alone")
    promise(
        Measurement.from_dict(json.loads(json.dumps(done.to_dict()))) == done,
        "its measurement does not survive JSON",
        "details hold plain data only: numbers, texts, lists, dictionaries",
    )
    promise(
        done.metric.kind != "measured" or bool(done.device.facts),
        "a latency without a device",
        "device() must identify the machine",
    )
    promise(
        done.metric.kind != "score" or UNVALIDATED in done.warnings,
        "a score without its warning",
        "warnings=(UNVALIDATED,): a score is no accuracy",
    )


def _other(option: "Field[Any]", default: object) -> object:
    """Another valid value of an option, in the syntax of a spec."""
    if isinstance(default, str):
        return option.metadata["choices"][1] if "choices" in option.metadata else "ABCDE12345/phone"
    if isinstance(default, float):
        return 2 * default or 0.5
    return str(not default).lower() if isinstance(default, bool) else 2 * int(str(default)) or 1


CHECKS = (says_what_its_numbers_mean, names_its_options, runs_or_says_why_not, measures)
