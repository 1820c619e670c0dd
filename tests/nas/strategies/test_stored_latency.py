"""Latencies that are kept: what an interrupted comparison measured is not measured again."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import evaluators
from evaluators.workers.paired_comparison import PROCESSES
from nas.strategies.stored_latency import StoredLatency
from results.store.store import Store
from search_spaces import PAPER

S, B = PAPER["next-vit-s"], PAPER["next-vit-b"]


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


class Bench:
    """Stands for processes: the second network takes 1.4 times as long, and process 3 is interrupted once."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def ratio(self, evaluator: Any, first: Any, second: Any, seed: int) -> float:
        self.seeds.append(seed)
        if self.seeds == [0, 1, 2, 3]:
            raise Interrupted
        return (1.4 + seed / 1000) ** (1 if first == S else -1)


def test_an_interrupted_pair_keeps_the_processes_that_were_measured(tmp_path: Path) -> None:
    bench = Bench()
    with closing(Store(f"sqlite:///{tmp_path / 'nas.db'}", writable=True)) as store:
        latency = StoredLatency(store=store, bench=bench, latency=evaluators.get("ort"))  # type: ignore[arg-type]
        with pytest.raises(Interrupted):
            latency.pair(S, B)
        made = latency.pair(S, B)
        assert latency.pair(S, B) == made
    assert bench.seeds == [0, 1, 2, 3, *range(3, PROCESSES)]
    assert made.details["ratios"] == pytest.approx([1.4 + seed / 1000 for seed in range(PROCESSES)])
    assert made.low < 1.4025 < made.high
