"""Merging databases, trial by trial: what is one, what extends, and what stays apart."""

import functools
import json
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

import evaluators
from evaluators import Measurement
from nas.search.config import Config
from results.store.merge import merge
from results.store.store import Proposal, Store
from search_spaces import Architecture

CONFIG = Config(budget=9).to_dict()


MOVES = ["in files", "from a file into a server", "from a server into a file"]
ANYWHERE = pytest.mark.parametrize("stores", MOVES, indirect=True)


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path):
    """Two databases, `here` and `there`; a study moves to a server and back."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("here", "there")]
    if (move := getattr(request, "param", MOVES[0])) != MOVES[0]:
        urls[MOVES.index(move) - 1] = request.getfixturevalue("server").copy("whole")
    stores = [Store(url, writable=True) for url in urls]
    yield stores
    for store in stores:
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
        trial = store.begin(
            run,
            Proposal(architecture=architecture, params={}, distributions={}, system_attrs={}, anchor="", replaced={}),
        )
        measurements = {"params": counted(architecture)}
        store.remember(architecture, measurements["params"])
        values, limits = [float(number), 5.0], {"ort<=6ms": excess}
        store.finish(run, trial, measurements, values=values, constraints=limits, seconds={"cost": 0.1})


@ANYWHERE
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


@ANYWHERE
def test_the_longer_run_extends_the_shorter_one_either_way(stores: list[Store]) -> None:
    here, there = stores
    for store, numbers in ((here, [1, 2]), (there, [1, 2, 3])):
        store.create("one", CONFIG)
        tell(store, "one", numbers)
    # The same trials are finished twice here; in practice, the shorter run is a copy of the start of the longer one.
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


@ANYWHERE
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


@ANYWHERE
def test_later_columns_join(stores: list[Store]) -> None:
    here, there = stores
    for store, context in ((here, "a" * 16), (there, "b" * 16)):
        store.create("one", CONFIG)
        store.add_column("one", "coreml", context)
    merge(here, there)
    assert here.later("one") == {"coreml": "a" * 16, "coreml~2": "b" * 16}
    merge(here, there)
    assert here.later("one") == {"coreml": "a" * 16, "coreml~2": "b" * 16}


# What is damaged, and what is named wrongly


def execute(store: Store, statement: str, *values: object) -> None:
    with store.engine.begin() as connection:
        assert connection.exec_driver_sql(statement, tuple(values)).rowcount


@pytest.mark.parametrize(
    ("statement", "value", "reason"),
    [
        ("UPDATE measurements SET record = ? WHERE id = 1", "{}", "measurement 1, 'params': KeyError: 'metric'"),
        ("UPDATE measurements SET record = ? WHERE id = 1", "{", "measurement 1, 'params': JSONDecodeError"),
        (
            "UPDATE measurements SET network = ? WHERE id = 1",
            "{}",
            "architecture: the field 'stages' is missing",
        ),
        ("UPDATE measurements SET value = ? WHERE id = 1", 7.0, "measurement 1, 'params': ValueError: value is 7.0 in"),
        ("UPDATE measurements SET architecture = ? WHERE id = 1", "abc", "architecture is 'abc' in the table"),
    ],
)
def test_a_damaged_measurement_stays_out_with_its_reason(
    stores: list[Store], statement: str, value: object, reason: str
) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1, 2])
    execute(there, statement, value)
    merged = merge(here, there)
    assert (merged.measurements, len(merged.left_out)) == (1, 1)
    assert reason in merged.left_out[0]
    first, second = here.run("one").trials
    assert (first.state, second.state) == ("failed", "ok")
    assert "its measurements are not in the database" in first.cause


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "abc"}, "not abc"),
        ({"architecture": {}}, "trial 0 of run 'one': "),
        ({"anchor": 5}, "nas.network.anchor is 5, not str"),
    ],
)
def test_a_damaged_trial_stays_out_with_its_reason(stores: list[Store], change: dict[str, object], reason: str) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1, 2])
    network_attribute = json.dumps(there.frozen("one")[0].user_attrs["nas.network"] | change)
    there = damaged(there, "trial_user_attributes", "trial_id = 1 AND key = 'nas.network'", network_attribute)
    merged = merge(here, there)
    there.close()
    assert merged.runs == ["one: 1 trials"]
    assert reason in merged.left_out[0]
    assert [trial.architecture for trial in here.run("one").trials] == [network(2)]


@pytest.mark.parametrize("table", ["trial_user_attributes", "study_user_attributes"])
def test_a_run_that_cannot_be_read_does_not_hinder_the_others(stores: list[Store], table: str) -> None:
    here, there = stores
    for name in ("one", "two"):
        there.create(name, CONFIG)
        tell(there, name, [1])
    there = damaged(there, table, "trial_id = 1" if table.startswith("trial") else "study_id = 1", "{")
    merged = merge(here, there)
    there.close()
    assert here.names() == ["two"]
    assert [sentence.startswith("the whole run 'one', of which") for sentence in merged.left_out] == [True]


def damaged(store: Store, table: str, where: str, text: str) -> Store:
    """The same database with other JSON in an attribute, reopened: Optuna caches what it has read."""
    execute(store, f"UPDATE {table} SET value_json = ? WHERE {where}", text)
    store.close()
    return Store(store.url)


def test_a_name_that_is_a_path_is_changed_in_words(stores: list[Store]) -> None:
    here, there = stores
    there.create("x", CONFIG)
    tell(there, "x", [1])
    execute(there, "UPDATE studies SET study_name = ?", "../../x")
    there.close()
    there = Store(there.url)
    assert merge(here, there).runs == ["x: 1 trials, from '../../x', which is no name for a run"]
    assert merge(here, there).runs == ["x: known, from '../../x', which is no name for a run"]
    there.close()
    assert here.names() == ["x"]


def test_trials_of_optuna_itself_are_ignored_in_words(stores: list[Store]) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1])
    optuna.load_study(study_name="one", storage=there._storage).enqueue_trial({"depth": 3})
    assert merge(here, there).runs == ["one: 1 trials; ignored: 1 trials of Optuna itself"]
    optuna.create_study(storage=here._storage, study_name="two").enqueue_trial({})
    there.create("two", CONFIG)
    assert merge(here, there).runs[1] == "two~2: 0 trials", "a study of another program is left alone"


def test_runs_that_begin_with_different_seeds_stay_apart(stores: list[Store]) -> None:
    here, there = stores
    here.create("one", CONFIG)
    there.create("one", CONFIG | {"seed": 7})
    assert merge(here, there).runs == ["one~2: 0 trials, another run than the 'one' here"]


# What a run has learnt


def learnt(store: Store, numbers: list[int]) -> str:
    """Predicts every network of a run again, from the networks of these numbers; returns the predictions' context."""
    predicted = [replace(counted(network(number)), protocol={"networks": numbers}) for number in (1, 2)]
    for number, measurement in zip((1, 2), predicted, strict=True):
        store.remember(network(number), measurement)
    store.believe("one", "params", predicted[0].context, [network(number).id for number in numbers])
    return predicted[0].context


@ANYWHERE
def test_the_latest_predictions_come_in_with_the_run(stores: list[Store]) -> None:
    here, there = stores
    there.create("one", CONFIG)
    tell(there, "one", [1, 2])
    context = learnt(there, [1, 2])
    merge(here, there)
    assert here.run("one") == there.run("one")
    assert {trial.measurements["params"].context for trial in here.run("one").trials} == {context}
    assert here.taught("one", "params") == there.taught("one", "params")


def test_the_later_lesson_stays_whichever_way_runs_are_merged(stores: list[Store]) -> None:
    here, there = stores
    for store in stores:
        store.create("one", CONFIG)
        tell(store, "one", [1, 2])
    learnt(here, [1])
    latest = learnt(there, [1, 2])
    merge(there, here)
    merge(here, there)
    assert [store.believed("one")["params"]["context"] for store in stores] == [latest, latest]
