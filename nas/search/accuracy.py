"""What stands for accuracy in a run: the proxy that the command line means, on which data, at which learning rate."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from math import exp
from typing import Any

import evaluators
from evaluators import Evaluator
from evaluators.core.measurement import Measurement
from evaluators.datasets import data
from evaluators.datasets.sources import opened
from evaluators.prediction.features import structure
from evaluators.training.fidelity import Fidelity
from evaluators.workers.bench import Bench
from nas import console
from nas.progress import progress
from nas.search.config import Config
from results.limits import Limit
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer, UsageError

WITHOUT_DATA, WITH_DATA = "entropy", "auto"
FIRST_RUNG = 3  # epochs of a training that is a run's objective, where none are named: the next rungs have 9 and 27
RATES = (0.001, 0.002, 0.004)
EXTREMES = 24  # random networks, of which the smallest and the largest are tried
DRAWS = 3000  # random networks, among which those are sought that keep the limits
BY_FORMULA = {"params": ("log_weights", 1e6), "macs": ("log_macs", 1e9), "activations": ("log_activations", 1e6)}
UNCOUNTED = 1.3  # at the most, by what share exact counts are above the formula's, which leaves stem and head out


def proxy(choices: Mapping[str, Any]) -> str:
    """The spec of the run's proxy, with its data.

    Raises:
        UsageError: data for a proxy that trains nothing.
        Unavailable: there is no such data.
    """
    named, source = choices["proxy"], choices["data"]
    spec = (WITHOUT_DATA if source is None else WITH_DATA) if named is None else named
    if source is None:
        return evaluators.get(spec, "accuracy").spec
    name, _, options = spec.partition(":")
    evaluator = evaluators.get(spec, "accuracy")
    if not isinstance(evaluator, Fidelity):
        raise UsageError(f"--proxy {spec} trains nothing: what is --data {source} for?", "leave one of the two out")
    if "data=" in options:
        raise UsageError(f"the data is named twice: --data {source} and --proxy {spec}", "leave one of the two out")
    check_data(source, console.say)
    epochs = [f"epochs={FIRST_RUNG}"] if evaluator.kind == "trained" and "epochs=" not in options else []
    return evaluators.get(f"{name}:{','.join([f'data={source}', *epochs, *filter(None, [options])])}", "accuracy").spec


def check_data(name: str, say: Callable[[str], None]) -> None:
    """Refuses data from which nothing can be learnt, before anything is done with it. Fetches what is not here yet.

    Raises:
        UsageError: settings beside the data's name, or nothing can be learnt from it.
        Unavailable: there is no such data.
    """
    named, comma, settings = name.partition(",")
    if comma and (named in data.BUILT_IN or not data.missing(named)):
        raise UsageError(
            f"--data names images alone: what is '{settings}' for?",
            f"settings are the proxy's: --data {named} --proxy auto:{settings}, or train:{settings}",
        )
    if reason := data.missing(name):
        raise reason
    if name not in data.BUILT_IN:
        with progress(f"looking through {name}", 1):
            opened(name, 0, say=say)


def same_but_for_rate(asked: str, stored: str) -> bool:
    """Whether a spec asks for what a run has, whose learning rate was chosen for it."""
    first, second = evaluators.get(asked, "accuracy"), evaluators.get(stored, "accuracy")
    if not (isinstance(first, Fidelity) and isinstance(second, Fidelity)) or "rate=" in asked:
        return asked == stored
    return replace(first, rate=second.rate).spec == stored


def with_rate(config: Config, bench: Bench, store: Store) -> str:
    """The proxy with one learning rate for all networks: the smaller of what suits the space's smallest and largest.

    Trains both at every rate, for as many epochs as the first rung has. What was trained is kept, so that the same
    command goes on after an interruption. A rate that was named is kept, too.

    Raises:
        NegativeAnswer: no random network keeps the limits.
    """
    evaluator = evaluators.get(config.proxy, "accuracy")
    if not isinstance(evaluator, Fidelity) or "rate=" in config.proxy:
        return config.proxy
    console.say("  choosing one learning rate for all, on the smallest and the largest of the space:")
    try:
        chosen = _chosen_rate(evaluator, extremes(config), bench, store)
    except KeyboardInterrupt:
        console.say(f"interrupted; what was trained is kept. Go on with:\n  {console.same_command()}")
        raise
    console.say(f"  learning rate {chosen:g}")
    return replace(evaluator, rate=chosen).spec


def extremes(config: Config) -> tuple[Architecture, Architecture]:
    """The smallest and the largest of some random networks within the exact limits, by multiply-accumulates.

    Raises:
        NegativeAnswer: none of them keeps the limits.
    """
    drawn = within_limits(config, EXTREMES, 0)
    if not drawn:
        raise NegativeAnswer(f"none of {DRAWS} random networks keeps the limits", "loosen one, or name a rate=")
    ordered = sorted(drawn, key=lambda each: structure(each)["log_macs"])
    return ordered[0], ordered[-1]


def within_limits(config: Config, count: int, seed: int, but: Collection[str] = ()) -> list[Architecture]:
    """Different random networks that keep the exact limits: so many, or what is found of them in `DRAWS` draws.

    Those with the ids `but` are left out. Counting exactly takes up to seconds, and tight limits refuse nearly all:
    a count by formula rules most of them out before.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    exact = [limit for limit in config.parsed_limits if limit.evaluator.name() in BY_FORMULA]
    found: dict[str, Architecture] = {}
    seen = set(but)
    with progress("drawing networks within the limits", count) as done:
        for _ in range(DRAWS):
            if len(found) == count:
                break
            architecture = config.search_space.suggest(study.ask())
            if architecture.id in seen:
                continue
            seen.add(architecture.id)
            if _may_keep(architecture, exact) and not config.beyond(architecture):
                found[architecture.id] = architecture
                done(len(found))
    return list(found.values())


def _may_keep(architecture: Architecture, limits: "list[Limit]") -> bool:
    """Whether a network may keep exact limits, as far as the formula tells, which never counts too much."""
    if not limits:
        return True
    counts = structure(architecture)
    for limit in limits:
        name, unit = BY_FORMULA[limit.evaluator.name()]
        least = exp(counts[name]) / unit
        if limit.excess(least if limit.sign == "<=" else least * UNCOUNTED) > 0:
            return False
    return True


def _chosen_rate(evaluator: Fidelity, networks: tuple[Architecture, ...], bench: Bench, store: Store) -> float:
    """The smallest of the rates that suit each network best."""
    best = []
    with progress("choosing a learning rate", len(networks) * len(RATES)) as done:
        for number, architecture in enumerate(networks):
            found: dict[float, float] = {}
            for step, rate in enumerate(RATES, start=1):
                reached = _reached(replace(evaluator, rate=rate, seeds=1), architecture, bench, store)
                console.say(f"    {architecture} at {rate:g}: {reached}")
                if isinstance(reached, Measurement):
                    found[rate] = reached.value
                done(number * len(RATES) + step)
            best.append(max(found, key=lambda rate: (found[rate], -rate)) if found else min(RATES))
    return min(best)


def _reached(evaluator: Fidelity, architecture: Architecture, bench: Bench, store: Store) -> Measurement | str:
    """What a training of a network reached, now or before; or why it failed."""
    trainer: Evaluator = evaluators.get(evaluator.training, "accuracy")
    if known := store.recall(architecture, trainer.context()):
        return known
    try:
        found = bench.measure(trainer, architecture)
    except MeasurementFailed as error:  # it diverged: another rate, then
        return error.cause
    store.remember(architecture, found)
    return found
