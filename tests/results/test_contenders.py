"""Which networks off the front may belong there: the errors of latencies decide."""

from dataclasses import replace

import pytest

from results import verification
from results.store.record import Run, Trial
from tests import synthetic


def network(number: int, score: float, latency: float, half: float = 1.0) -> Trial:
    trial = synthetic.trial(number, score, latency)
    trial.measurements["ort"] = replace(trial.measurements["ort"], low=latency - half, high=latency + half)
    return trial


def numbers(run: Run) -> list[int]:
    return [trial.number for trial in verification.contenders(run)]


@pytest.mark.parametrize(("latency", "expected"), [(40.5, [1]), (41.2, [1]), (42.0, []), (60.0, [])])
def test_a_network_close_behind_the_front_is_a_contender(latency: float, expected: list[int]) -> None:
    assert numbers(synthetic.run([network(0, 4.5, 40.0), network(1, 4.5, latency)])) == expected


def test_a_wide_interval_makes_a_contender() -> None:
    assert numbers(synthetic.run([network(0, 4.5, 40.0), network(1, 4.4, 44.0, half=6.0)])) == [1]


def test_neither_members_nor_networks_beyond_a_limit_are_contenders() -> None:
    beyond = replace(network(2, 4.9, 40.1), state="infeasible")
    assert numbers(synthetic.run([network(0, 4.5, 40.0), network(1, 4.6, 41.0), beyond])) == []


def test_an_empty_run_has_none() -> None:
    assert numbers(synthetic.run([])) == []
