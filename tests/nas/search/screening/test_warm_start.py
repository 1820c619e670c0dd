"""Earlier runs teach the sampler, until the run's own measurements contradict them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pytest

import evaluators
import search_spaces
from nas.search.screening import screening, warm_start
from nas.search.screening.pool import Distributions, Params, candidates
from nas.search.screening.screening import Screening
from nas.search.screening.space_view import SpaceView
from nas.search.screening.views import Known, Parameters
from nas.search.screening.warm_start import WarmStart
from results.front import non_dominated
from search_spaces import PAPER, Architecture, nhs, nhs_plus
from search_spaces.common import narrowed
from tests.conftest import QUICK, Program
from tests.networks import random_networks

GRID: dict[str, optuna.distributions.BaseDistribution] = {
    name: optuna.distributions.IntDistribution(0, 9) for name in "abcd"
}


def known(count: int, seed: int, factor: float = 1.0) -> Known:
    params = candidates(GRID, [], count, np.random.default_rng(seed))
    costs = [(np.nan, factor * (5.0 + sum(each.values()))) for each in params]
    return Known(params=params, values=np.array(costs))


@pytest.mark.parametrize(("factor", "contradicted"), [(1.0, []), (1.3, [1])])
def test_measurements_that_contradict_earlier_ones_are_noticed(factor: float, contradicted: list[int]) -> None:
    start = WarmStart(known(30, seed=0), Parameters(GRID))
    own = known(8, seed=1, factor=factor)
    assert start.contradicted(own) == contradicted
    assert np.isnan(start.trusted(start.contradicted(own)).values[:, 1]).all() == bool(contradicted)
    assert start.contradicted(known(4, seed=1, factor=2.0)) == []  # too few to tell


def test_no_earlier_run_contradicts_nothing() -> None:
    assert WarmStart(Known(values=np.empty((0, 2))), Parameters(GRID)).contradicted(known(8, seed=1)) == []


def test_a_space_is_seen_by_its_networks() -> None:
    space = search_spaces.get("nhs")
    objectives = [evaluators.get("published", "accuracy"), evaluators.get("ort", "latency")]
    view = SpaceView(space, objectives, lambda architecture: "wide" if architecture == small else "")
    small, *_ = nhs.anchors().values()
    params = space.params(small)
    unused = {**params, "stage1.transformer_width": 160, "stage1.mix_block_ratio": 0.25}  # stage 1 has none
    assert view.key(params) == view.key(unused) == small.id
    assert (view.features(1, [params]) == view.features(1, [unused])).all()
    assert view.refuses(params)
    assert [view.is_certain(index) for index in (0, 1)] == [True, False]
    others = [space.params(network) for network in nhs.anchors().values()]
    values = [objectives[0].measure(network).value for network in nhs.anchors().values()]
    assert view.certain(0, others).tolist() == pytest.approx(values, abs=1e-4)


def test_a_run_is_taught_by_earlier_ones_unless_told_otherwise(finished: Program) -> None:
    quick = ("run", "--budget", "3", "--latency", "ort:resolution=32", "--proxy", "published")
    taught = finished(*quick, "--name", "taught")
    assert "taught by" in taught.err
    assert "taught by" not in finished(*quick, "--name", "untaught", "--seed-from", warm_start.NONE).err
    by_one = finished(*quick, "--name", "by-one", "--seed-from", "taught")
    assert "taught by    3 networks" in by_one.err
    again = finished(*quick, "--name", "by-one", "--seed-from", "whole")
    assert again.code == 2
    assert "settled when it began" in again.err
    unknown = finished(*quick, "--name", "new", "--seed-from", "nobody")
    assert unknown.code == 2
    assert "nobody" in unknown.err
    nothing = finished(*quick[:3], "--latency", "ort:resolution=96", "--proxy", "published", "--seed-from", "taught")
    assert "taught teaches nothing: none of its networks is in this space and was measured as here" in nothing.err


def test_a_run_that_is_refused_makes_no_database(nas: Program) -> None:
    unknown = nas("run", "--budget", "3", *QUICK, "--seed-from", "nobody")
    assert unknown.code == 2
    assert "no run is called 'nobody'" in unknown.err
    other = nas("run", "--budget", "3", *QUICK, "--seed-from", "nobody", "--sampler", "tpe")
    assert other.code == 2
    assert "the sampler tpe learns from no earlier run" in other.err
    assert not list(nas.folder.iterdir())


def seeded(monkeypatch: pytest.MonkeyPatch, count: int) -> tuple[list[Architecture], list[Params], Params]:
    """The front of networks of `nhs`, and of the first question of a run of `nhs-plus` the parents and the answer."""
    objectives = [evaluators.get("structure", "accuracy"), evaluators.get("ort", "latency")]
    work = evaluators.get("macs")

    def judged(networks: Sequence[Architecture]) -> Known:
        values = [(objectives[0].measure(network).value, work.measure(network).value) for network in networks]
        return Known(params=[nhs_plus.params(network) for network in networks], values=np.array(values))

    parents: list[Params] = []
    made = screening.candidates

    def spied(distributions: Distributions, best: Sequence[Params], *rest: Any) -> list[Params]:
        parents.extend(best if not parents else ())
        return made(distributions, best, *rest)

    monkeypatch.setattr(screening, "candidates", spied)
    own, earlier = judged(list(PAPER.values())), judged(random_networks(count))
    asked = {network.id for network in PAPER.values()}
    screen = Screening(
        view=SpaceView(nhs_plus, objectives, lambda network: "asked" if network.id in asked else ""),
        distributions=narrowed.distributions(nhs_plus),
        signs=(-1.0, 1.0),
        most={},
    )
    answer = screen.choose(own, [], earlier, np.random.default_rng(0))
    costs = np.vstack([earlier.values, own.values]) * (-1, 1)
    front = [index for index in np.nonzero(non_dominated(costs))[0] if index < count]
    return [random_networks(count)[index] for index in front], parents, answer


def test_a_front_of_nhs_seeds_the_first_question_of_nhs_plus(monkeypatch: pytest.MonkeyPatch) -> None:
    front, parents, answer = seeded(monkeypatch, 20)
    assert front
    assert all(nhs_plus.params(network) in parents for network in front)
    assert nhs_plus.suggest(optuna.trial.FixedTrial(answer)) not in PAPER.values()


def test_a_few_networks_that_teach_no_model_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    front, parents, answer = seeded(monkeypatch, 5)
    assert not parents
    assert nhs_plus.suggest(optuna.trial.FixedTrial(answer)) in front


def test_a_run_of_nhs_teaches_one_of_nhs_plus(finished: Program) -> None:
    ended = finished("run", "--space", "nhs-plus", "--budget", "4", *QUICK, "--seed-from", "whole", "--name", "plus")
    assert ended.code == 0, ended.err
    assert "taught by    14 networks" in ended.err
    assert "Next Hybrid Strategy, and what `nhs` keeps as published" in ended.err
