"""How well published networks predict the networks of a family that is left out."""

import numpy as np
import pytest

from evaluators.prediction.published_check import check, near_regret, regret
from evaluators.prediction.published_prediction import process
from evaluators.prediction.published_process import PRIOR, to_percent
from evaluators.prediction.published_table import table


@pytest.fixture(scope="module")
def checks() -> dict[str, dict[str, float]]:
    return {row["name"]: row for row in check(table())}


def test_the_prediction_ranks_left_out_families(checks: dict[str, dict[str, float]]) -> None:
    mean = checks["mean"]
    assert mean["tau"] >= 0.70
    assert mean["partial_tau"] >= 0.50
    assert mean["error"] <= 1.4
    assert mean["coverage"] >= 0.85
    assert mean["error"] < checks["size line and recipe"]["error"]
    assert mean["partial_tau"] > checks["size line and recipe"]["partial_tau"]


def test_choosing_by_it_loses_little(checks: dict[str, dict[str, float]]) -> None:
    """Less than by MACs or parameters. Size alone, with the recipe, loses as little: the figures vary by 0.1."""
    assert checks["lower bound"]["regret"] <= 0.47 and checks["lower bound"]["near_regret"] <= 0.47
    assert checks["size line and recipe"]["near_regret"] == pytest.approx(0.6, abs=0.05)
    assert checks["random"]["near_regret"] == pytest.approx(1.43, abs=0.05)
    for column in ("regret", "near_regret"):
        for count in ("MACs", "params", "random"):
            assert checks["lower bound"][column] < checks[count][column]


def test_next_vit_left_out_is_in_order_and_within_a_point() -> None:
    results = table()
    mean, _ = process(PRIOR).left_out(results.family)
    rows = [results.model.index(f"nextvit_{size}.bd_in1k") for size in ("small", "base", "large")]
    predicted = to_percent(mean[rows])
    assert predicted[0] < predicted[1] < predicted[2]
    assert np.abs(predicted - results.top1[rows]).max() < 1.0


def test_the_truth_has_no_regret() -> None:
    results = table()
    assert regret(results.top1, results) == near_regret(results.top1, results) == 0.0
