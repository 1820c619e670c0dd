"""How well published networks predict the networks of a family that is left out."""

import numpy as np
import pytest

from evaluators.prediction.published_check import Check, check, near_regret, regret
from evaluators.prediction.published_prediction import process
from evaluators.prediction.published_process import PRIOR, to_percent
from evaluators.prediction.published_table import table


@pytest.fixture(scope="module")
def checks() -> dict[str, Check]:
    return {row.name: row for row in check(table())}


def test_the_prediction_ranks_left_out_families(checks: dict[str, Check]) -> None:
    mean = checks["mean"]
    size = checks["size line and recipe"]
    assert mean.error and mean.coverage and size.error
    assert mean.tau.value >= 0.70
    assert mean.partial_tau.value >= 0.50
    assert mean.error.value <= 1.4
    assert mean.coverage.value >= 0.85
    assert mean.error.value < size.error.value
    assert mean.partial_tau.value > size.partial_tau.value


def test_choosing_by_it_loses_little(checks: dict[str, Check]) -> None:
    """Less than by MACs or parameters. Size alone, with the recipe, loses as little: the figures vary by 0.1."""
    lower = checks["lower bound"]
    assert lower.regret.value <= 0.47 and lower.near_regret.value <= 0.47
    assert checks["size line and recipe"].near_regret.value == pytest.approx(0.6, abs=0.05)
    assert checks["random"].near_regret.value == pytest.approx(1.43, abs=0.05)
    for count in ("MACs", "params", "random"):
        assert lower.regret.value < checks[count].regret.value
        assert lower.near_regret.value < checks[count].near_regret.value


def test_every_figure_has_an_interval_over_families(checks: dict[str, Check]) -> None:
    """Chance loses more than the prediction, whatever families were drawn; most counts and it cannot be told apart."""
    for check_ in checks.values():
        for name in ("tau", "partial_tau", "within_family", "regret", "near_regret", "error", "coverage"):
            interval = getattr(check_, name)
            assert interval is None or interval.low <= interval.value <= interval.high
    assert checks["lower bound"].regret.high < checks["random"].regret.low


def test_next_vit_left_out_is_in_order_and_within_a_point() -> None:
    results = table()
    mean, _ = process(PRIOR).left_out(results.family)
    rows = [results.model.index(f"nextvit_{size}.bd_in1k") for size in ("small", "base", "large")]
    predicted = to_percent(mean[rows])
    assert predicted[0] < predicted[1] < predicted[2]
    assert np.abs(predicted - results.top1[rows]).max() < 1.0


def test_the_truth_has_no_regret() -> None:
    results = table()
    assert regret(results.top1, results).high == near_regret(results.top1, results).high == 0.0
