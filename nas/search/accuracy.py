"""What stands for accuracy in a run: its proxy, its data, and the limits that it suggests."""

from collections.abc import Callable, Collection, Mapping
from math import ceil
from pathlib import Path
from typing import Any

import evaluators
from evaluators import Evaluator
from evaluators.datasets import data
from evaluators.datasets.in_memory import tried
from evaluators.datasets.sources import opened
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.training.fidelity import Fidelity
from evaluators.workers import remote
from nas import console
from nas.progress import progress
from search_spaces import Network
from search_spaces.common.errors import UsageError

WITHOUT_DATA, WITH_DATA = "published", "auto"
FIRST_RUNG = 3  # default epochs of a training that is a run's objective: the next rungs have 9 and 27


def proxy(choices: Mapping[str, Any]) -> str:
    """The spec of the run's proxy, with its data.

    Raises:
        UsageError: there is data, but the proxy trains nothing.
        Unavailable: there is no such data.
    """
    named, source = choices["proxy"], choices["data"]
    spec = (WITHOUT_DATA if source is None else WITH_DATA) if named is None else named
    if source is None:
        return evaluators.get(spec, "accuracy").spec
    name, _, options = spec.partition(":")
    evaluator = evaluators.get(spec, "accuracy")
    if not isinstance(evaluator, Fidelity):
        raise UsageError(f"--proxy {spec} trains nothing on --data {source}", "leave one of the two out")
    if "data=" in options:
        raise UsageError(f"the data is named twice: --data {source} and --proxy {spec}", "leave one of the two out")
    for remark in check_data(source, console.say):
        console.say(f"  {Path(source).name}: {remark}")
    epochs = [f"epochs={FIRST_RUNG}"] if evaluator.kind == "trained" and "epochs=" not in options else []
    return evaluators.get(f"{name}:{','.join([f'data={source}', *epochs, *filter(None, [options])])}", "accuracy").spec


def check_lane(lane: str, hours: float, accuracy: Evaluator) -> None:
    """Makes sure that a lane trains as this machine would.

    Raises:
        UsageError: nothing is trained, or the trainings are to fit into hours.
        Unavailable: nobody serves the lane, or differently.
    """
    if hours:
        raise UsageError(
            f"--hours {hours:g} plans by this machine's speed, and the lane '{lane}' trains",
            "leave one of the two out; --train says how many networks are trained",
        )
    trains = evaluators.get(accuracy.training, "accuracy") if isinstance(accuracy, LearnedAccuracy) else accuracy
    remote.check_lane(lane, trains)


def suggested_limits(proxy: str, anchors: Collection[Network]) -> tuple[str, ...]:
    """Limits for a search by a proxy that grows with size: no more than the largest anchor of the run has."""
    limits = []
    for name in evaluators.get(proxy, "accuracy").bought_with if anchors else ():
        cost = evaluators.get(name, "cost")
        largest = max(cost.measure(anchor).value for anchor in anchors)
        limits.append(f"{name}<={ceil(10 * largest) / 10:g}{cost.unit}")
    return tuple(limits)


def check_data(name: str, say: Callable[[str], None]) -> tuple[str, ...]:
    """Remarks on data; refuses data on which no network can be trained. Downloads a data set that is not here yet.

    Raises:
        UsageError: the name has settings after it, or the data cannot train a network.
        Unavailable: there is no such data.
    """
    named, comma, settings = name.partition(",")
    if comma and (named in data.BUILT_IN or not data.missing(named)):
        raise UsageError(
            f"--data takes no settings, got '{settings}'",
            f"give them to the proxy: --data {named} --proxy auto:{settings}, or train:{settings}",
        )
    if reason := data.missing(name):
        raise reason
    if name in data.BUILT_IN:
        return ()
    with progress(f"reading {name}", 1):
        source = opened(name, 0, say=say)
        tried(source)
    return source.remarks
