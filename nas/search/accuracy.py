"""What stands for accuracy in a run: its proxy and its data, and random networks of its space."""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from math import ceil, exp
from typing import Any

import evaluators
from evaluators.datasets import data
from evaluators.datasets.sources import opened
from evaluators.prediction.features import structure
from evaluators.training.fidelity import Fidelity
from nas import console
from nas.progress import progress
from nas.search.config import Config
from results.limits import Limit
from search_spaces import Architecture, SearchSpace
from search_spaces.common.errors import NegativeAnswer, UsageError

WITHOUT_DATA, WITH_DATA = "published", "auto"
FIRST_RUNG = 3  # default epochs of a training that is a run's objective: the next rungs have 9 and 27
SAMPLE = 24  # random networks that stand for the space
DRAWS = 3000  # random networks among which to look for some that keep the limits
BY_FORMULA = {"params": ("log_weights", 1e6), "macs": ("log_macs", 1e9), "activations": ("log_activations", 1e6)}
UNCOUNTED = 1.3  # the largest ratio of an exact count to the formula's, which leaves stem and head out


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
    check_data(source, console.say)
    epochs = [f"epochs={FIRST_RUNG}"] if evaluator.kind == "trained" and "epochs=" not in options else []
    return evaluators.get(f"{name}:{','.join([f'data={source}', *epochs, *filter(None, [options])])}", "accuracy").spec


def suggested_limits(proxy: str, space: SearchSpace) -> tuple[str, ...]:
    """Limits for a search by a proxy that grows with size: no more than the largest anchor of the space has."""
    anchors = space.anchors().values()
    limits = []
    for name in evaluators.get(proxy, "accuracy").bought_with if anchors else ():
        cost = evaluators.get(name, "cost")
        largest = max(cost.measure(anchor).value for anchor in anchors)
        limits.append(f"{name}<={ceil(10 * largest) / 10:g}{cost.unit}")
    return tuple(limits)


def check_data(name: str, say: Callable[[str], None]) -> None:
    """Refuses data on which no network can be trained. Downloads a data set that is not here yet.

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
    if name not in data.BUILT_IN:
        with progress(f"reading {name}", 1):
            opened(name, 0, say=say)


def within_limits(config: Config, count: int, seed: int, excluded: Collection[str] = ()) -> list[Architecture]:
    """Up to `count` different random networks that keep the exact limits, from at most `DRAWS` draws.

    Networks with the ids `excluded` are left out. An exact count takes up to seconds, and tight limits refuse nearly
    all networks: a count by formula rules most of them out first.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    exact = [limit for limit in config.parsed_limits if limit.evaluator.name() in BY_FORMULA]
    kept: dict[str, Architecture] = {}
    seen = set(excluded)
    with progress("drawing networks within the limits", count) as done:
        for _ in range(DRAWS):
            if len(kept) == count:
                break
            architecture = config.search_space.suggest(study.ask())
            if architecture.id in seen:
                continue
            seen.add(architecture.id)
            if _may_keep(architecture, exact) and not config.beyond(architecture):
                kept[architecture.id] = architecture
                done(len(kept))
    return list(kept.values())


def by_size(config: Config, hint: str = "loosen one") -> tuple[Architecture, ...]:
    """Some random networks within the exact limits, the smallest first, by multiply-accumulates; drawn once.

    Raises:
        NegativeAnswer: none of them keeps the limits.
    """
    exact = (limit for limit in config.parsed_limits if limit.evaluator.family() == "cost")
    if networks := _by_size(config.space, tuple(map(str, exact))):
        return networks
    raise NegativeAnswer("no random network keeps the limits", hint)


@cache
def _by_size(space: str, limits: tuple[str, ...]) -> tuple[Architecture, ...]:
    drawn = within_limits(Config(space=space, limits=limits), SAMPLE, 0)
    return tuple(sorted(drawn, key=lambda architecture: structure(architecture)["log_macs"]))


def _may_keep(architecture: Architecture, limits: "list[Limit]") -> bool:
    """Whether a network may keep exact limits, judged by the formula, which never counts too much."""
    if not limits:
        return True
    counts = structure(architecture)
    for limit in limits:
        name, unit = BY_FORMULA[limit.evaluator.name()]
        least = exp(counts[name]) / unit
        if limit.excess(least if limit.sign == "<=" else least * UNCOUNTED) > 0:
            return False
    return True
