"""The comparison of samplers: its tables, its samplers and its curves."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.search_efficiency import compare, report, toy
from benchmarks.search_efficiency.breeding import Array, Whole, bred, one_step
from benchmarks.search_efficiency.networks import Networks, Space
from benchmarks.search_efficiency.samplers import SAMPLERS
from benchmarks.search_efficiency.tables import DATA, PUBLISHED, Table, table

published = pytest.mark.skipif(not DATA.exists(), reason="the published tables are not part of this repository")
QUICK = sorted(SAMPLERS.keys() - {"gp"})


def small() -> Table:
    """Two objectives that disagree, over all choices of four parameters."""
    parameters = np.array(list(np.ndindex(3, 4, 5, 2)))
    size = parameters.sum(1) + 1.0
    wobble = np.random.default_rng(0).normal(0, 0.3, len(size))
    networks = Networks(parameters=parameters, counts=np.log(size)[:, None])
    return Table(networks=networks, truth=np.column_stack([-np.sqrt(size) - wobble, size]))


@pytest.mark.parametrize("sampler", QUICK)
def test_a_sampler_asks_for_each_network_once_and_the_same_again(sampler: str) -> None:
    asked, costs = compare.asked(small(), sampler, 3, 40)
    assert len(set(asked)) == len(asked) == len(costs) == 40
    assert asked == compare.asked(small(), sampler, 3, 40)[0]
    assert asked[:10] == small().networks.drawn(3, 10), "the seeds are paired"


@pytest.mark.parametrize("sampler", ["mutation", "nsga2", "random", "tpe"])
def test_a_sampler_asks_for_any_network_of_a_space(sampler: str) -> None:
    _, costs = compare.asked(table("toy"), sampler, 0, 40)
    shares = compare.shares(table("toy"), costs)
    assert len(shares) == 4
    assert 0.3 < shares[0] <= shares[-1] < 1


def test_the_whole_table_has_all_of_the_hypervolume() -> None:
    whole = small()
    assert compare.shares(whole, whole.truth)[-1] == 1


def test_a_known_latency_is_as_wrong_as_asked() -> None:
    whole = table("nhs")
    assert whole.seen(None, 0).latency is None
    assert np.array_equal(whole.seen(0.0, 0).latency, whole.truth[:, 1])
    error = np.log(whole.seen(0.05, 0).latency / whole.truth[:, 1]).std()
    assert error == pytest.approx(0.05, rel=0.1)


def test_the_nearest_network_was_not_asked_for() -> None:
    networks, rng = small().networks, np.random.default_rng(0)
    first = networks.nearest(networks.parameters[7], [], rng)
    second = networks.nearest(networks.parameters[7], [first], rng)
    assert first == 7
    assert np.abs(networks.places[second] - networks.places[7]).sum() == pytest.approx(0.25), "the finest step"


def test_a_space_gives_what_is_wanted_unless_it_was_asked_for() -> None:
    space, rng = Space(toy.CHOICES), np.random.default_rng(0)
    wanted = np.zeros(len(toy.CHOICES), dtype=int)
    first = space.nearest(wanted, [], rng)
    second = space.nearest(wanted, [first], rng)
    assert not space.parameters[first].any()
    assert np.count_nonzero(space.parameters[second]) == 1


def test_breeding_adds_different_networks() -> None:
    rng, choices = np.random.default_rng(0), np.full(6, 4)
    first = rng.integers(choices, size=(20, 6))

    def costs(some: Whole) -> Array:
        return np.column_stack([-some.sum(1), some[:, 0]])

    pool = bred(first, 90, costs, lambda parent, rng: one_step(parent, choices, rng), rng, 10)
    assert len(np.unique(pool, axis=0)) == len(pool) == 90
    assert pool[20:].sum(1).mean() > first.sum(1).mean() + 3, "towards the front"


def test_no_search_has_found_more_than_the_toy_holds() -> None:
    assert max(shares[-1] for of in report.curves()["toy"].values() for shares in of.values()) < 1


def test_stored_curves_are_of_the_tables_that_are_here() -> None:
    names = [name for name in report.curves() if name not in PUBLISHED or DATA.exists()]
    stored = {line["table"]: line["digest"] for line in compare.stored()}
    assert {name: stored[name] for name in names} == {name: table(name).digest for name in names}
    for of in report.curves().values():
        assert all(shares == sorted(shares) for curves in of.values() for shares in curves.values())


def test_an_interval_holds_the_mean_and_narrows() -> None:
    values = np.random.default_rng(0).normal(0.9, 0.01, 300)
    (mean, low, high), few = report.interval(values), report.interval(values[:30])
    assert low < mean < high
    assert high - low < few[2] - few[1]


@published
@pytest.mark.parametrize(("sampler", "expected"), [("random", (0.882, 0.908, 0.935)), ("ridge", (0.978, 0.992, 0.999))])
def test_known_results_are_reproduced(sampler: str, expected: tuple[float, ...]) -> None:
    accel = table("accel-a100")
    found = [compare.shares(accel, compare.asked(accel, sampler, seed, 200)[1]) for seed in range(12)]
    at = (4, 9, 19) if sampler == "random" else (5, 9, 19)
    assert np.mean(found, axis=0)[list(at)] == pytest.approx(expected, abs=0.012)


def test_missing_searches_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text(
        '{"table":"toy","digest":"a","sampler":"tpe","seed":0,"shares":[0.1,0.2]}\n'
        '{"table":"toy","digest":"b","sampler":"tpe","seed":1,"shares":[0.1,0.2]}\n{"table":"to'
    )
    monkeypatch.setattr(compare.stored, "__defaults__", (results,))
    jobs = [compare.Job("toy", "tpe", seed, budget) for seed in range(3) for budget in (20, 30)]
    left = compare.missing(jobs, {"toy": "a"})
    assert [(job.seed, job.budget) for job in left] == [(0, 30), (1, 20), (1, 30), (2, 20), (2, 30)]
