"""Merging databases, trial by trial: what is one, what extends, and what stays apart."""

import functools
from pathlib import Path

import pytest

import evaluators
from evaluators import Measurement
from nas.config import Config
from results.merge import merge
from results.store import Proposal, Store
from search_spaces import Architecture

CONFIG = Config(budget=9).to_dict()


@pytest.fixture
def stores(tmp_path: Path):
    found = [Store(f"sqlite:///{tmp_path}/{name}.db", writable=True) for name in ("here", "there")]
    yield found
    for store in found:
        store.close()


def network(number: int) -> Architecture:
    return Architecture.from_notation(f"CCC-CCCT-{'C' * (1 + number)}-CCT")


@functools.cache
def counted(architecture: Architecture) -> Measurement:
    """One measurement of each network, which both databases hold: its time and duration are part of it."""
    return evaluators.get("params").measure(architecture)


def tell(store: Store, run: str, numbers: list[int], excess: float = -1.0) -> None:
    """One trial for each number, whose network is the number's; its values are too."""
    for number in numbers:
        architecture = network(number)
        store.begin(
            run,
            Proposal(architecture=architecture, params={}, distributions={}, system_attrs={}, anchor="", replaced={}),
        )
        trial = store.in_flight(run)
        assert trial
        found = {"params": counted(architecture)}
        store.remember(architecture, found["params"])
        values, limits = [float(number), 5.0], {"ort<=6ms": excess}
        store.finish(run, trial, found, values=values, constraints=limits, seconds={"cost": 0.1})


def test_a_new_run_comes_in_whole(stores: list[Store]) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1, 2], excess=1.0)
    merged = merge(here, there)
    assert merged.runs == ["one: 2 trials"]
    assert merged.measurements == 2
    assert here.run("one") == there.run("one")
    assert [trial.state for trial in here.run("one").trials] == ["infeasible"] * 2
    assert merge(here, there).runs == ["one: known"]


def test_the_longer_run_extends_the_shorter_one_either_way(stores: list[Store]) -> None:
    here, there = stores
    for store, numbers in ((here, [1, 2]), (there, [1, 2, 3])):
        store.create("one", CONFIG)
        tell(store, "one", numbers)
    # The same trials were told twice here; in life the shorter run is a copy of the longer one's beginning.
    assert merge(here, there).runs == ["one: 1 more trials"]
    assert here.run("one").trials == there.run("one").trials
    assert merge(there, here).runs == ["one: known"]


def test_runs_of_one_name_that_differ_stay_apart(stores: list[Store]) -> None:
    here, there = stores
    for store, numbers in ((here, [1, 2]), (there, [1, 3])):
        store.create("one", CONFIG)
        tell(store, "one", numbers)
    assert merge(here, there).runs == ["one~2: 2 trials, another run than the 'one' here"]
    assert here.names() == ["one", "one~2"]
    assert [trial.architecture for trial in here.run("one~2").trials] == [network(1), network(3)]
    assert merge(here, there).runs == ["one~2: known"], "and it is known the next time"


def test_a_candidate_in_flight_is_left_to_its_own_run(stores: list[Store]) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1])
    there.begin(
        "one",
        Proposal(architecture=network(2), params={}, distributions={}, system_attrs={}, anchor="", replaced={}),
    )
    merge(here, there)
    assert [trial.state for trial in here.run("one").trials] == ["ok"]


def test_later_columns_join(stores: list[Store]) -> None:
    here, there = stores
    for store, context in ((here, "a" * 16), (there, "b" * 16)):
        store.create("one", CONFIG)
        store.add_column("one", "coreml", context)
    merge(here, there)
    assert here.later("one") == {"coreml": "a" * 16, "coreml~2": "b" * 16}
    merge(here, there)
    assert here.later("one") == {"coreml": "a" * 16, "coreml~2": "b" * 16}
