"""Where transformers pay off: what is planted at a place is found there, and nothing where there is nothing."""

import numpy as np
import pytest

from evaluators import Metric
from results import evidence
from results.pairs import macs
from results.store.record import Run
from tests import synthetic
from tests.networks import random_networks


def planted(gain: float, seed: int = 0, count: int = 300) -> Run:
    """Networks whose score grows with their work, and by `gain` where stage 3 ends in a transformer."""
    random = np.random.default_rng(seed)
    trials = []
    for number, network in enumerate(random_networks(count, "free", seed=seed)):
        work = float(np.log(macs(network)))
        score = work + gain * (network.stages[2].blocks[-1] == "T") + random.normal(0, 0.1)
        trials.append(synthetic.trial(number, score, 20 + np.exp(work) / 1e8, architecture=network))
    return synthetic.run(trials)


@pytest.mark.parametrize(("gain", "words"), [(0.3, "pays off most"), (-0.3, "costs most")])
def test_what_is_planted_is_found_at_its_place(gain: float, words: str) -> None:
    run = planted(gain)
    found = evidence.places(run)
    (place,) = [cell for cell in found if (cell.stage, cell.column) == (2, 0)]
    assert place.told and place.gain.low <= gain <= place.gain.high
    said = evidence.sentences(run.objectives[0], found, [])
    assert f"a transformer {words} in stage 3, last: {place.gain.value:+.2g}" in said
    assert "places do not tell)" in said
    assert "does not see" not in said


def test_nothing_is_told_where_nothing_is_planted() -> None:
    mistaken = sum(any(cell.told for cell in evidence.places(planted(0.0, seed, 150))) for seed in range(20))
    assert mistaken <= 4, "5 % of runs, of which there are few"


def test_a_number_that_is_planted_is_found() -> None:
    """With a gain where stage 3 has a transformer at all, having none there is what costs most."""
    random = np.random.default_rng(1)
    trials = []
    for number, network in enumerate(random_networks(600, "free", seed=1)):
        work = float(np.log(macs(network)))
        score = work + 0.3 * ("T" in network.stages[2].blocks) + random.normal(0, 0.1)
        trials.append(synthetic.trial(number, score, 20 + np.exp(work) / 1e8, architecture=network))
    run = synthetic.run(trials)
    found = evidence.numbers(run)
    (none,) = [cell for cell in found if (cell.stage, cell.column) == (2, 0)]
    assert none.told and none.gain.low <= -0.3 <= none.gain.high
    said = evidence.sentences(run.objectives[0], [], found)
    assert f"the worst number of transformers is 0 in stage 3: {none.gain.value:+.2g}" in said


def test_what_published_networks_predict_does_not_see_places() -> None:
    run = planted(0.0, count=150)
    published = Metric(name="published", unit="%", direction="maximize", kind="predicted")
    said = evidence.sentences(published, evidence.places(run), [])
    assert said.endswith("It does not see where in a stage a block stands.")
    assert "predicted accuracy" in said


def test_few_networks_tell_nothing() -> None:
    run = synthetic.typical()
    assert evidence.places(run) == []
    assert evidence.sentences(run.objectives[0], [], []).startswith("Too few pairs")
