"""Two networks compared in pairs: the verdict that follows from the ratios of several processes."""

from typing import Any

import numpy as np
import pytest

import evaluators
from evaluators.workers.paired_comparison import PROCESSES, compare
from search_spaces import PAPER, Architecture

S, B = PAPER["next-vit-s"], PAPER["next-vit-b"]


class StandIn:
    """A bench on which a network takes as long as the test says, and processes differ."""

    def __init__(self, truth: float, spread: float) -> None:
        self.truth, self.spread, self.orders = truth, spread, list[tuple[Architecture, Architecture]]()

    def ratio(self, evaluator: Any, first: Architecture, second: Architecture, seed: int) -> float:
        self.orders.append((first, second))
        noise = np.exp(self.spread * np.random.default_rng(seed).standard_normal())
        return float(noise * (self.truth if second is B else 1 / self.truth))


@pytest.mark.parametrize(
    ("truth", "spread", "words"),
    [
        (1.4, 0.02, "slower than s"),
        (0.8, 0.02, "faster than s"),
        (1.0, 0.02, "not distinguishable"),
        (1.004, 0.0005, "not dist"),
    ],
)
def test_the_verdict_follows_from_the_ratios(truth: float, spread: float, words: str) -> None:
    comparison = compare(StandIn(truth, spread), evaluators.get("ort"), S, B)  # type: ignore[arg-type]
    assert comparison.ratio == pytest.approx(truth, rel=3 * spread)
    assert comparison.low <= comparison.ratio <= comparison.high
    assert words in comparison.sentence("s", "b")


def test_which_network_is_loaded_first_alternates() -> None:
    bench = StandIn(1.4, 0.01)
    compare(bench, evaluators.get("ort"), S, B)  # type: ignore[arg-type]
    assert bench.orders == [(S, B), (B, S)] * (PROCESSES // 2)
