"""Made-up runs in a real database, for tests of the store."""

from dataclasses import replace

import optuna

import evaluators
from evaluators import Measurement
from nas.search.config import Config
from results.store.store import Proposal, Store
from search_spaces import PAPER, Architecture

S = PAPER["next-vit-s"]
CONFIG = Config(budget=3).to_dict()


def measurement(spec: str = "params", architecture: Architecture = S) -> Measurement:
    return evaluators.get(spec).measure(architecture)


def proposal(architecture: Architecture = S) -> Proposal:
    return Proposal(architecture=architecture, params={}, distributions={}, system_attrs={}, anchor="", replaced={})


def tell(store: Store, run: str, latency: float = 5.0, excess: float = -1.0) -> None:
    """One whole candidate, with a made-up latency and score."""
    trial = store.begin(run, proposal())
    measurements = {"params": measurement()}
    store.remember(S, measurements["params"])
    store.finish(
        run, trial, measurements, values=[4.0, latency], constraints={"ort<=6ms": excess}, seconds={"cost": 0.1}
    )


def fill(store: Store) -> None:
    """A run with one trial, which has something in every column that is read."""
    store.create("one", CONFIG)
    distribution = optuna.distributions.IntDistribution(1, 4)
    asked = replace(proposal(), params={"depth": 2}, distributions={"depth": distribution}, system_attrs={"a": 1})
    trial = store.begin("one", asked)
    store.remember(S, measurement())
    limits = {"ort<=6ms": -1.0}
    store.finish("one", trial, {"params": measurement()}, values=[4.0, 5.0], constraints=limits, seconds={"cost": 0.1})
