"""Rules of a front: one that is planted is found, chance is not told, and a score is called a score."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from evaluators import Metric
from results import rules
from results.pairs import macs
from results.store.record import Run
from results.traits import traits
from search_spaces import PAPER, Architecture, TimmNetwork
from tests import synthetic
from tests.networks import random_networks

ACCURACY = Metric(name="train:data=digits", unit="%", direction="maximize", kind="trained")


def third(network: Architecture) -> bool:
    return "T" in network.stages[2].blocks


@cache
def pool() -> tuple[tuple[Architecture, int], ...]:
    return tuple((network, macs(network)) for network in random_networks(300))


def searched(seed: int, effect: float = 0.0, metric: Metric = ACCURACY, steep: float = 0.0) -> Run:
    """Random networks whose latency follows MACs, and whose value follows latency, the planted trait and chance.

    Beyond 80 ms value rises by `steep` more, so that nearly all slow networks are on the front.
    """
    random = np.random.default_rng(seed)
    trials = []
    for number, (network, count) in enumerate(pool()):
        latency = count / 1e8 * np.exp(random.normal(0, 0.05))
        value = 60 + 5 * np.log(latency) + effect * third(network) + random.normal(0, 0.5)
        value += steep * max(0.0, np.log(latency / 80))
        found = {
            metric.name: synthetic.measurement(metric, value, 0.1),
            "ort": synthetic.measurement(synthetic.LATENCY, latency),
        }
        trials.append(synthetic.trial(number, 0, 0, architecture=network, measurements=found))
    return synthetic.run(trials, objectives=[vars(metric), vars(synthetic.LATENCY)])


def test_a_planted_rule_is_found_and_its_effect_is_right() -> None:
    found = rules.rules(searched(0, effect=2.0))
    rule = next(each for each in found.rules if each.trait == "have a transformer in stage 3")
    assert rule.having / rule.members > rule.share
    assert rule.gain.low < 2.0 < rule.gain.high
    assert rule.p <= rules.LEVEL and rule.pairs >= rules.FEWEST
    assert "points" in str(rule) and "of accuracy" in str(rule)
    assert f"{len(found.rules)} of {found.tried} rules" in found.summary


def test_what_harms_is_told_as_its_absence() -> None:
    found = rules.rules(searched(0, effect=-2.0))
    assert "have no transformer in stage 3" in {each.trait for each in found.rules}
    assert "have a transformer in stage 3" not in {each.trait for each in found.rules}


def as_searched(seed: int) -> Run:
    """Most slow networks have the trait, and most fast ones do not, as searches leave them; it makes none better."""
    random, run = np.random.default_rng(seed), searched(seed, steep=50.0)
    kept = [
        trial for trial in run.trials if third(trial.architecture) == (trial.value("ort") > 80) or random.random() < 0.3
    ]
    return replace(run, trials=tuple(kept))


@pytest.mark.parametrize("made", [searched, as_searched])
def test_chance_is_told_in_one_run_of_twenty_at_the_most(made: Callable[[int], Run]) -> None:
    told = [bool(rules.rules(made(seed)).rules) for seed in range(40)]
    assert np.mean(told) <= 0.05


def test_pairs_refute_what_the_front_alone_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules.significance, "sign_flips", lambda gains: 0.0)
    told = [{rule.trait for rule in rules.rules(as_searched(seed)).rules} for seed in range(10)]
    assert sum("have a transformer in stage 3" in traits for traits in told) >= 3


def test_a_score_is_no_accuracy_and_a_prediction_says_so() -> None:
    (text, *_) = map(str, rules.rules(searched(0, effect=2.0, metric=synthetic.SCORE)).rules)
    assert "nats" in text and "of the score entropy" in text and "accuracy" not in text
    predicted = replace(ACCURACY, name="published", kind="predicted")
    (text, *_) = map(str, rules.rules(searched(0, effect=2.0, metric=predicted)).rules)
    assert "of predicted accuracy" in text


def test_what_must_be_low_is_better_when_it_is_lower() -> None:
    error = replace(ACCURACY, name="error", direction="minimize")
    run = searched(0, effect=2.0, metric=error)
    for trial in run.trials:
        trial.measurements["error"] = replace(trial.measurements["error"], value=100 - trial.value("error"))
    (rule,) = [each for each in rules.rules(run).rules if each.trait == "have a transformer in stage 3"]
    assert rule.gain.low > 0


@pytest.mark.parametrize("count", [0, 3, 8])
def test_small_runs_say_that_they_are_too_small(count: int) -> None:
    found = rules.rules(replace(searched(0), trials=searched(0).trials[:count]))
    assert not found.rules and "too few" in found.summary


def test_networks_of_timm_have_no_blocks_that_a_rule_could_name() -> None:
    run = searched(0)
    others = [replace(trial, architecture=TimmNetwork(model="resnet18")) for trial in run.trials[:20]]
    found = rules.rules(replace(run, trials=tuple(others)))
    assert not found.rules and "the run has none" in found.summary


def test_equal_runs_have_equal_rules() -> None:
    assert rules.rules(searched(1, effect=2.0)) == rules.rules(searched(1, effect=2.0))


def test_traits_by_hand() -> None:
    networks = [*PAPER.values(), Architecture.from_notation("CT-C-TC-CC")]
    found = {trait.true: trait.holds for trait in traits(networks)}
    assert found["have a transformer in stage 1"] == (False, False, False, True)
    assert found["have at least 6 transformers"] == (False, True, True, False)
    assert "have a transformer in stage 3" not in found, "all have one"
    assert "have a transformer in stage 2" not in found, "it divides as stage 1 does"
    (order,) = traits([Architecture.from_notation(each) for each in ("C-C-TC-C", "C-C-CT-C")])
    assert (order.true, order.holds) == ("end stage 3 in a transformer", (False, True))
