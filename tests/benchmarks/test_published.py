"""Published tables: what the benchmarks read out of them."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.published import curves, pit
from results.benchmark import truth, validation

DATA = Path(__file__).parents[3] / "shared" / "data"
published = pytest.mark.skipif(not DATA.exists(), reason="the published tables are not part of this repository")


def schedule(*accuracies: tuple[float, float]) -> pd.DataFrame:
    rows = [(size, epoch, row[column]) for epoch, row in enumerate(accuracies) for column, size in enumerate("ab")]
    return pd.DataFrame(rows, columns=["size", "epoch", "acc1"])


def test_curves_settle_after_their_last_crossing() -> None:
    ordered = curves.in_final_order(schedule((9, 1), (2, 3), (5, 4), (5, 6), (6, 7)))
    assert list(ordered) == [False, True, False, True, True]
    assert curves.settled(ordered) == 3


def test_curves_that_never_cross_are_settled_from_the_start() -> None:
    assert curves.settled(curves.in_final_order(schedule((1, 2), (2, 3), (3, 4)))) == 0


def test_counts_of_a_pit_network() -> None:
    table = pd.DataFrame(
        {"base_dim": [16], "mlp_ratio": [4], "depth": ["1-2-1"], "heads": ["1-2-4"], "cifar100_top1": [70.0]}
    )
    (row,) = pit.converted(table).to_dict("records")
    widths = (16, 32, 32, 64)
    assert row["params"] == sum(12 * width**2 for width in widths)
    assert (row["depth"], row["width"], row["accuracy"]) == (4, sum(widths), 70.0)
    tokens = (27**2, 14**2, 14**2, 7**2)
    assert row["macs"] == sum(12 * w**2 * n + 2 * w * n**2 for w, n in zip(widths, tokens, strict=True))


@published
def test_the_published_curves_settle_late() -> None:
    ordered = curves.in_final_order(pd.read_csv(DATA / "nextvit_training_curves.csv"))
    assert not ordered[:50].any()
    assert curves.settled(ordered) == 242


@published
def test_twenty_evaluations_rank_hybrids(tmp_path: Path) -> None:
    pit.converted(pd.read_csv(DATA / "pit_cifar100.csv")).to_csv(tmp_path / "pit.csv", index=False)
    table = truth.read(tmp_path / "pit.csv")
    assert table.accuracies.shape == (100, 1)
    assert set(table.structure) == {"params", "macs", "depth", "width"}
    fused = validation.predictions(table, 20, 5)[-1]
    assert fused.name == "fused, 20 evaluated truly"
    assert fused.tau and fused.tau.value >= 0.8
