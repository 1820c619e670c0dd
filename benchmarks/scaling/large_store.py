"""A store of one large run: random networks of the space `nhs`, whose measurements are made up, as the label says."""

import functools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

import evaluators
import search_spaces
from evaluators import Evaluator, Measurement
from evaluators.core.measurement import now
from evaluators.stopwatch.calibration import Ratio
from evaluators.workers.bench import Bench
from nas.search.config import Config
from results.store.rows import NETWORK, OUTCOME
from results.store.store import Proposal, Store
from search_spaces import PAPER, Architecture

RUN, LABEL = "large", "made up: no device measured this"


class MadeUp(Bench):
    """A bench that answers at once with plausible numbers that nobody measured, and says so."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.published = evaluators.get("published").measure(PAPER["next-vit-s"])

    def prepare(self, *evaluators: Evaluator) -> None:
        """No process is needed."""

    @staticmethod
    def isolates(evaluator: Evaluator) -> bool:
        """Nothing is."""
        return False

    def measure(
        self, evaluator: Evaluator, architecture: Architecture, waited: Callable[[float], None] = lambda seconds: None
    ) -> Measurement:
        """Counts are true; an accuracy grows with depth and a latency with width, both with noise."""
        blocks = [block for row in architecture.blocks for block in row]
        depth, width = len(blocks), sum(block.out_channels for block in blocks)
        if evaluator.family() == "cost":
            return evaluator.measure(architecture)
        if evaluator.family() == "accuracy":
            value = 78 + float(np.log(depth)) + self.random.normal(0, 0.3)
            return replace(self.published, value=value, low=value, high=value + 2.5, device=_labelled(evaluator))
        ratio = Ratio(
            log=float(np.log(width / 8000)) + self.random.normal(0, 0.05), error=0.004, rounds=9, cpu_share=0.999,
            reference=2.9 + self.random.normal(0, 0.01),
        )  # fmt: skip
        value, low, high, quality = ratio.here()
        parts = {f"{name} [%]": 16.7 for name in ("stem", "stage-1", "stage-2", "stage-3", "stage-4", "head")}
        return Measurement(
            metric=evaluator.metric, value=value, low=low, high=high, samples=9, quality=quality,
            device=_labelled(evaluator), versions=_versions(evaluator), protocol=evaluator.protocol(), when=now(),
            seconds=2.5, secondary=parts, details=ratio.to_dict() | {"clock": _clock(evaluator), "seconds": 2.5},
        )  # fmt: skip


@functools.cache
def _labelled(evaluator: Evaluator) -> Any:
    return replace(evaluator.device(), label=LABEL)


@functools.cache
def _versions(evaluator: Evaluator) -> dict[str, str]:
    return evaluator.versions()


@functools.cache
def _clock(evaluator: Any) -> str:
    return str(evaluator.clock())


def grow(database: Path, trials: int) -> None:
    """Extends the run to so many finished trials."""
    store, config = Store(f"sqlite:///{database}", writable=True), Config(budget=trials)
    if RUN not in store.names():
        store.create(RUN, config.to_dict())
    here, measured, added = len(store.frozen(RUN)), list[tuple[Architecture, Measurement]](), []
    bench = MadeUp(here)
    for proposal in proposed(here, trials):
        found = {each.spec: bench.measure(each, proposal.architecture) for each in (*config.costs, *config.objectives)}
        measured += [(proposal.architecture, measurement) for measurement in found.values()]
        added.append(finished(proposal, found, [found[each.spec].value for each in config.objectives]))
    store.remember_all(measured)
    store.configure(RUN, config.to_dict())
    store.close()
    with closing(sqlite3.connect(database)) as connection, connection:
        add(connection, here, added)


def add(connection: sqlite3.Connection, first: int, trials: list[optuna.trial.FrozenTrial]) -> None:
    """Writes trials into Optuna's tables at once: Optuna needs 20 ms for each."""
    (study,) = connection.execute("SELECT study_id FROM studies WHERE study_name = ?", [RUN]).fetchone()
    numbered = list(enumerate(trials, start=first))
    when = "2026-01-01 00:00:00.000000"
    written = functools.cache(optuna.distributions.distribution_to_json)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "trials (trial_id, number, study_id, state, datetime_start, datetime_complete)": [
            (number + 1, number, study, "COMPLETE", when, when) for number, _ in numbered
        ],
        "trial_params (trial_id, param_name, param_value, distribution_json)": [
            (number + 1, name, float(trial.params[name]), written(distribution))
            for number, trial in numbered
            for name, distribution in trial.distributions.items()
        ],
        "trial_values (trial_id, objective, value, value_type)": [
            (number + 1, objective, value, "FINITE")
            for number, trial in numbered
            for objective, value in enumerate(trial.values)
        ],
        "trial_user_attributes (trial_id, key, value_json)": [
            (number + 1, key, json.dumps(value))
            for number, trial in numbered
            for key, value in trial.user_attrs.items()
        ],
        "trial_system_attributes (trial_id, key, value_json)": [
            (number + 1, key, json.dumps(value))
            for number, trial in numbered
            for key, value in trial.system_attrs.items()
        ],
    }
    for table, lines in rows.items():
        places = ", ".join("?" * len(lines[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", lines)


def finished(proposal: Proposal, found: dict[str, Measurement], values: list[float]) -> optuna.trial.FrozenTrial:
    """A trial as the store keeps it."""
    network = {
        "id": proposal.architecture.id,
        "notation": str(proposal.architecture),
        "architecture": proposal.architecture.to_dict(),
        "anchor": proposal.anchor,
        "replaced": {},
    }
    contexts = {name: measurement.context for name, measurement in found.items()}
    seconds = {"ask": 0.05, "accuracy": 0.02, "latency": 2.5}
    return optuna.trial.create_trial(
        params=proposal.params,
        distributions=proposal.distributions,
        values=values,
        system_attrs=proposal.system_attrs,
        user_attrs={NETWORK: network, OUTCOME: {"contexts": contexts, "seconds": seconds, "cause": "", "detail": ""}},
    )


def proposed(first: int, last: int) -> Iterator[Proposal]:
    """The paper's networks, then different random ones of the space, from one number to another."""
    study, space = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)), search_spaces.get("nhs")
    generation = optuna.samplers.NSGAIISampler._get_generation_key()  # by which Optuna's NSGA-II knows its parents
    anchors, seen = list(space.anchors().items()), set[Architecture]()
    while (number := len(seen)) < last:
        name, network = anchors[number] if number < len(anchors) else ("", None)
        trial = optuna.trial.FixedTrial(space.params(network)) if network else study.ask()
        architecture = space.suggest(trial)
        if architecture in seen:
            continue
        seen.add(architecture)
        if number >= first:
            yield Proposal(
                architecture=architecture, params=trial.params, distributions=trial.distributions,
                system_attrs={generation: number // 20}, anchor=name, replaced={},
            )  # fmt: skip
