"""What published networks predict for networks of our family."""

import re
import time

import numpy as np
import pytest

from evaluators.prediction.published_prediction import FAR, process
from evaluators.prediction.published_prediction import predict as predicted
from evaluators.prediction.published_process import PRIOR
from evaluators.prediction.published_table import table
from search_spaces import PAPER, Architecture

DEGENERATE = Architecture.from_notation("C-CCCCCCCC-C-C")  # wins by block entropy: 59 % of its MACs are at stride 8


@pytest.mark.parametrize(
    ("name", "low", "mean", "high", "size_line"),
    [
        ("next-vit-s", 82.15, 82.69, 83.20, 82.0),
        ("next-vit-b", 82.94, 83.37, 83.78, 82.8),
        ("next-vit-l", 83.24, 83.71, 84.16, 83.4),
    ],
)
def test_the_papers_networks(name: str, low: float, mean: float, high: float, size_line: float) -> None:
    """Published are 82.63, 83.50 and 83.65 %, and these are in the table."""
    done = predicted(PAPER[name])
    assert (done.low, done.mean, done.high) == pytest.approx((low, mean, high), abs=0.05)
    assert done.size_line == pytest.approx(size_line, abs=0.1)
    assert (done.evidence, done.beyond) == ("near", "")


def test_what_entropy_exploits_is_predicted_below_next_vit() -> None:
    done = predicted(DEGENERATE)
    assert (done.low, done.mean, done.high) == pytest.approx((75.8, 78.4, 80.7), abs=0.2)
    assert done.high < predicted(PAPER["next-vit-s"]).low


def test_larger_images_help() -> None:
    assert predicted(PAPER["next-vit-s"], 256).mean > predicted(PAPER["next-vit-s"]).mean


@pytest.mark.parametrize(("notation", "resolution"), [("C-C-C-C", 32), (str(PAPER["next-vit-l"]), 2048)])
def test_it_abstains_beyond_the_sizes_of_the_table(notation: str, resolution: int) -> None:
    done = predicted(Architecture.from_notation(notation), resolution)
    assert re.match(r"abstains: \S+ GMACs, and the published networks have 0\.0\d+ to \d+", done.remarks[0])


def test_far_from_evidence_is_the_median_of_left_out_families() -> None:
    results = table()
    _, spread = process(PRIOR).left_out(results.family)
    assert np.median(spread) == pytest.approx(FAR, abs=0.002)


def test_a_prediction_is_quick() -> None:
    """5 ms at the most on a calm core; the best of many, since a test may share its core."""
    predicted(PAPER["next-vit-l"])
    times = []
    for _ in range(30):
        start = time.perf_counter()
        predicted(PAPER["next-vit-l"])
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005
