"""Trials are read from Optuna's tables as Optuna itself reads them, whatever has happened to them."""

import math
from contextlib import closing
from dataclasses import replace

import optuna
import pytest

from results.store.store import Store
from search_spaces import PAPER
from search_spaces.common.errors import StoreError
from tests.postgresql import ON_BOTH
from tests.results.store.stores import CONFIG, S, measurement, proposal, tell

pytestmark = ON_BOTH

RANGES: dict[str, optuna.distributions.BaseDistribution] = {
    "depth": optuna.distributions.IntDistribution(1, 4),
    "ratio": optuna.distributions.FloatDistribution(0, 1, step=0.25),
    "kind": optuna.distributions.CategoricalDistribution(["C", "T", None]),
}


def begin(store: Store, **params: object) -> None:
    asked = replace(proposal(), params=params, distributions={name: RANGES[name] for name in params})
    store.begin("one", replace(asked, system_attrs={"generation": 3}))


def by_optuna(store: Store) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="one", storage=store._storage).get_trials(deepcopy=False)


def test_trials_are_those_that_optuna_reads_after_every_change(store: Store, url: str) -> None:
    store.create("one", CONFIG)
    study = optuna.load_study(study_name="one", storage=store._storage)
    watching = Store(url)

    def in_flight(**outcome: object) -> None:
        trial = next(trial for trial in store.run("one").trials if trial.state == "running")
        store.finish("one", trial, {"params": measurement()}, seconds={"cost": 0.1}, **outcome)  # type: ignore[arg-type]

    changes = [
        lambda: begin(store, depth=2, ratio=0.75, kind="T"),
        lambda: in_flight(values=[4.0, math.inf], constraints={"ort<=6ms": -1.0}),
        lambda: study.enqueue_trial({"depth": 3}),
        lambda: begin(store, depth=4, kind=None),
        lambda: in_flight(values=None, constraints={}, cause="it broke", detail="here"),
        lambda: study.add_trial(optuna.trial.create_trial(values=[-math.inf, 2.0])),
        lambda: tell(store, "one"),
    ]
    for change in changes:
        change()
        for each in (store, watching):
            assert list(each._trials_of("one").all.values()) == by_optuna(store)
    assert list(store._trials_of("one").all[0].params) == ["depth", "ratio", "kind"]
    assert store.ignored("one") == (1, 3)
    watching.close()


def test_runs_keep_their_trials_apart(store: Store) -> None:
    for name in ("one", "two"):
        store.create(name, CONFIG)
    for name in ("one", "two", "one"):
        tell(store, name)
    assert [[trial.number for trial in store.frozen(name)] for name in ("one", "two")] == [[0, 1], [0]]


def test_trials_and_measurements_share_what_is_equal(store: Store, url: str) -> None:
    store.create("one", CONFIG)
    for _ in range(2):
        begin(store, depth=2)
        tell_running(store)
    store.remember(PAPER["next-vit-b"], measurement(architecture=PAPER["next-vit-b"]))
    with closing(Store(url)) as reader:
        first, second = reader.frozen("one")
        assert first.distributions["depth"] is second.distributions["depth"]
        one, other = (reader.recall(network, measurement().context) for network in (S, PAPER["next-vit-b"]))
    assert one and other
    assert one.value != other.value
    assert one.device is other.device


def tell_running(store: Store) -> None:
    trial = next(trial for trial in store.run("one").trials if trial.state == "running")
    store.remember(S, measurement())
    store.finish("one", trial, {"params": measurement()}, values=[4.0, 5.0], constraints={}, seconds={})


def test_a_measurement_that_differs_keeps_its_own_device(store: Store) -> None:
    here = measurement()
    there = replace(here, device=replace(here.device, label="another label of the same device"))
    store.remember(S, here)
    store.remember(PAPER["next-vit-b"], there)
    recalled = [store.recall(network, here.context) for network in (S, PAPER["next-vit-b"])]
    assert recalled == [here, there]


def test_many_measurements_are_kept_at_once_or_not_at_all(store: Store) -> None:
    nothing = replace(measurement(), value=None)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"(?i)not.null"):
        store.remember_all([(S, measurement()), (S, nothing)])
    assert store.all_rows() == []
    store.remember_all([(S, measurement()), (PAPER["next-vit-b"], measurement())])
    store.remember_all([])
    assert len(store.all_rows()) == 2
