"""The store: what it keeps, and what it refuses; the same in a file and on a server."""

from dataclasses import replace

import optuna
import pytest

import evaluators
from results.store.store import Store
from search_spaces import PAPER
from search_spaces.common.errors import StoreError, UnknownName, UsageError
from tests.postgresql import ON_BOTH
from tests.results.store.stores import CONFIG, S, measurement, proposal, tell

pytestmark = ON_BOTH


def test_what_is_stored_is_read_back(store: Store) -> None:
    store.create("one", CONFIG)
    tell(store, "one")
    run = store.run("one")
    assert run.config == CONFIG
    (trial,) = run.trials
    assert (trial.architecture, trial.state, trial.seconds) == (S, "ok", {"cost": 0.1})
    assert trial.measurements["params"].value == pytest.approx(31.763368)


def test_a_violated_limit_makes_a_trial_infeasible(store: Store) -> None:
    store.create("one", CONFIG)
    tell(store, "one", excess=0.5)
    assert store.run("one").trials[0].state == "infeasible"


def test_a_candidate_in_flight_is_resumed_and_a_failed_one_keeps_its_cause(store: Store, url: str) -> None:
    store.create("one", CONFIG)
    store.begin("one", proposal())
    other = Store(url, writable=True)
    (trial,) = other.run("one").trials
    assert trial.state == "running"
    other.finish("one", trial, {}, values=None, constraints={}, seconds={}, cause="it broke", detail="here")
    other.close()
    assert [(t.state, t.cause, t.detail) for t in store.run("one").trials] == [("failed", "it broke", "here")]


def test_a_measurement_is_recalled_in_its_context_alone(store: Store) -> None:
    made = measurement("macs")
    store.remember(S, made)
    assert store.recall(S, made.context) == made
    assert store.recall(S, evaluators.get("macs:resolution=384").context()) is None
    assert store.recall(PAPER["next-vit-b"], made.context) is None


def test_the_first_measurement_stays_the_one_that_counts(store: Store) -> None:
    made = measurement()
    store.remember(S, made)
    store.remember(S, replace(made, value=99.0))
    assert store.recall(S, made.context) == made


def test_a_doubtful_measurement_counts_until_there_is_a_better_one(store: Store) -> None:
    values = {"drifted": 5.0, "noisy": 6.0, "clean": 7.0, "exact": 8.0}
    recalled = []
    for quality, value in values.items():
        made = replace(measurement(), quality=quality, value=value)
        store.remember(S, made)
        recalled.append(store.recall(S, made.context))
    assert [one.quality for one in recalled if one] == ["drifted", "drifted", "clean", "clean"]


def test_what_is_measured_again_stays_in_its_column(store: Store) -> None:
    store.create("one", CONFIG)
    tell(store, "one")
    assert store.add_column("one", "params", measurement().context) == "params"
    assert store.later("one") == {}


def test_a_run_that_was_killed_while_it_began_can_begin_again(store: Store) -> None:
    optuna.create_study(storage=store._storage, study_name="one", directions=["maximize", "minimize"])
    assert store.names() == []
    store.create("one", CONFIG)
    assert store.names() == ["one"]


def test_a_study_of_another_program_is_not_taken_over(store: Store) -> None:
    optuna.create_study(storage=store._storage, study_name="theirs").add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(StoreError, match="exists that nas run did not make"):
        store.create("theirs", CONFIG)


def test_an_unknown_run_gets_the_nearest_name(store: Store) -> None:
    store.create("nhs-1", CONFIG)
    with pytest.raises(UnknownName, match="did you mean 'nhs-1'"):
        store.run("nhs-l")


def test_trials_that_optuna_added_are_ignored_and_counted(full: Store) -> None:
    study = optuna.load_study(study_name="one", storage=full._storage)
    study.enqueue_trial({"depth": 3})
    study.add_trial(optuna.trial.create_trial(values=[1.0, 2.0]))
    assert [trial.number for trial in full.run("one").trials] == [0]
    assert full.run("one").ignored == (1, 2)
    assert "Ignored: 2 trials" in full.run("one").ignored_sentence()
    assert len(full.frozen("one")) == 1


def test_a_run_is_begun_once(store: Store) -> None:
    store.create("one", CONFIG)
    with pytest.raises(StoreError, match="another process has just begun a run 'one'"):
        store.create("one", CONFIG | {"seed": 7})
    assert store.config("one")["seed"] == 0


def test_a_name_that_is_a_path_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="is not a name for a run"):
        store.create("../../x", CONFIG)
    with pytest.raises(UsageError, match="is not a name for a run"):
        store.named("\udcff\udcfe")
