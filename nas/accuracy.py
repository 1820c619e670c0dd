"""What stands for accuracy in a run: the proxy that the command line means, on which data, at which learning rate."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import evaluators
from evaluators import Evaluator
from evaluators.common import data
from evaluators.common.features import structure
from evaluators.common.fidelity import Fidelity
from evaluators.common.isolation import Bench
from nas import console
from nas.config import Config
from nas.measuring import sample
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer, UsageError

WITHOUT_DATA, WITH_DATA = "entropy", "auto"
FIRST_RUNG = 3  # epochs of a training that is a run's objective, where none are named: the next rungs have 9 and 27
RATES = (0.001, 0.002, 0.004)
EXTREMES = 24  # random networks, of which the smallest and the largest are tried


def proxy(choices: Mapping[str, Any]) -> str:
    """The spec of the run's proxy, with its data.

    Raises:
        UsageError: data for a proxy that trains nothing.
        Unavailable: there is no such data.
    """
    named, source = choices["proxy"], choices["data"]
    spec = named or (WITH_DATA if source else WITHOUT_DATA)
    if not source:
        return evaluators.get(spec, "accuracy").spec
    name, _, options = spec.partition(":")
    evaluator = evaluators.get(spec, "accuracy")
    if not isinstance(evaluator, Fidelity):
        raise UsageError(f"--proxy {spec} trains nothing: what is --data {source} for?", "leave one of the two out")
    if "data=" in options:
        raise UsageError(f"the data is named twice: --data {source} and --proxy {spec}", "leave one of the two out")
    if reason := data.missing(source):
        raise reason
    data.identity(source)  # looks through a folder, and refuses one that teaches nothing
    epochs = [f"epochs={FIRST_RUNG}"] if evaluator.kind == "trained" and "epochs=" not in options else []
    return evaluators.get(f"{name}:{','.join([f'data={source}', *epochs, *filter(None, [options])])}", "accuracy").spec


def same_but_for_rate(asked: str, stored: str) -> bool:
    """Whether a spec asks for what a run has, whose learning rate was chosen for it."""
    first, second = evaluators.get(asked, "accuracy"), evaluators.get(stored, "accuracy")
    if not (isinstance(first, Fidelity) and isinstance(second, Fidelity)) or "rate=" in asked:
        return asked == stored
    return replace(first, rate=second.rate).spec == stored


def with_rate(config: Config, bench: Bench) -> str:
    """The proxy with one learning rate for all networks: the smaller of what suits the space's smallest and largest.

    Trains both at every rate, for as many epochs as the first rung has. A rate that was named is kept.
    """
    evaluator = evaluators.get(config.proxy, "accuracy")
    if not isinstance(evaluator, Fidelity) or "rate=" in config.proxy:
        return config.proxy
    console.say("  choosing one learning rate for all, on the smallest and the largest of the space:")
    chosen = min(_best_rate(evaluator, architecture, bench) for architecture in extremes(config))
    console.say(f"  learning rate {chosen:g}")
    return replace(evaluator, rate=chosen).spec


def extremes(config: Config) -> tuple[Architecture, Architecture]:
    """The smallest and the largest of some random networks within the exact limits, by multiply-accumulates.

    Raises:
        NegativeAnswer: none of them keeps the limits.
    """
    drawn = [each.architecture for each in sample(config.space, EXTREMES, 0) if not config.beyond(each.architecture)]
    if not drawn:
        raise NegativeAnswer(f"none of {EXTREMES} random networks keeps the limits", "loosen one, or name a rate=")
    ordered = sorted(drawn, key=lambda each: structure(each)["log_macs"])
    return ordered[0], ordered[-1]


def _best_rate(evaluator: Fidelity, architecture: Architecture, bench: Bench) -> float:
    found: dict[float, float] = {}
    for rate in RATES:
        trainer: Evaluator = evaluators.get(replace(evaluator, rate=rate, seeds=1).training, "accuracy")
        try:
            found[rate] = bench.measure(trainer, architecture).value
        except MeasurementFailed as error:  # it diverged: another rate, then
            console.say(f"    {architecture} at {rate:g}: {error.cause}")
            continue
        console.say(f"    {architecture} at {rate:g}: {found[rate]:.1f} %")
    return max(found, key=lambda rate: (found[rate], -rate)) if found else min(RATES)
