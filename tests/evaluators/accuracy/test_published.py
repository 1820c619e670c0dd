"""The evaluator that predicts from published networks."""

from pathlib import Path

import pytest

import evaluators
from evaluators.prediction import published_table
from evaluators.prediction.published_prediction import predict as predicted
from search_spaces import PAPER, Architecture

S = PAPER["next-vit-s"]


def test_its_value_is_the_lower_end() -> None:
    measurement = evaluators.get("published").measure(S)
    done = predicted(S)
    assert (measurement.value, measurement.low) == (pytest.approx(done.low, abs=1e-4),) * 2
    assert measurement.high == pytest.approx(done.high, abs=1e-4)
    assert (measurement.metric.unit, measurement.metric.kind, measurement.quality) == ("%", "predicted", "predicted")
    assert measurement.details["mean"] == done.mean
    assert measurement.details["evidence"] == "near"


def test_it_says_what_it_is_and_what_it_cannot_tell() -> None:
    measurement = evaluators.get("published").measure(S)
    (warning,) = measurement.warnings
    assert warning.startswith("from published networks, not trained")
    assert "it cannot tell r, the place of a transformer within a stage, dense tasks, other data or short" in warning
    further = {each.name: each.value for each in measurement.further}
    assert further == pytest.approx({"mean": 82.7, "size-alone": 82.0}, abs=0.1)
    assert measurement.validity in warning


def test_it_abstains_for_tiny_networks() -> None:
    measurement = evaluators.get("published:resolution=32").measure(Architecture.from_notation("C-C-C-C"))
    assert measurement.quality == "abstains"
    assert measurement.warnings[1].startswith("abstains: ")


def test_its_numbers_are_kept_for_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = evaluators.get("published")
    before = evaluator.context()
    assert evaluator.protocol()["table"] == published_table.table_digest()
    monkeypatch.setattr(published_table, "table_digest", lambda: "another")
    assert evaluator.context() != before


def test_a_damaged_table_is_a_reason_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "published.csv"
    path.write_text("# 2 results\nmodel\n")
    monkeypatch.setattr(published_table, "table", lambda: published_table.read(path))
    reason = evaluators.get("published").missing()
    assert reason and "is damaged" in reason.message and "install nas again" in reason.hint


def test_a_search_does_not_follow_it_beyond_what_was_published() -> None:
    degenerate = Architecture.from_notation("C-CCCCCCCC-C-C")
    assert evaluators.get("published").distrusts(degenerate) == "unlike anything published"
    assert evaluators.get("published").distrusts(S) == ""
    assert evaluators.get("published:explore=true").distrusts(degenerate) == ""
    assert evaluators.get("entropy").distrusts(degenerate) == ""
