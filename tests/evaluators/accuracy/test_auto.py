"""The predicted accuracy: which features it looks at."""

from pathlib import Path

import pytest

import evaluators
from evaluators.accuracy.auto import Auto
from evaluators.core.measurement import Measurement
from evaluators.prediction.features import matrix
from evaluators.prediction.fusion import Fusion
from nas.commands.measure import sample
from search_spaces import Architecture
from search_spaces.common import plugins

OWN_SCORE = '''
"""A user's own score."""
from dataclasses import dataclass
from typing import ClassVar
from evaluators.scores.score import Score


@dataclass(frozen=True, kw_only=True)
class Blocks(Score):
    """Counts blocks."""
    unit: ClassVar[str] = "blocks"

    def _score(self, architecture, seed):
        return sum(map(len, architecture.blocks)) + 0.001 * seed
'''


def test_a_new_score_is_a_feature_by_adding_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugins.VARIABLE, "")
    everything, structure = evaluators.get("auto:features=all"), evaluators.get("auto")
    assert isinstance(everything, Auto)
    before = everything.protocol()["scores"]
    assert {"entropy", "zen"} <= set(before)
    assert "structure" not in before, "its counts are features anyway"
    (tmp_path / "own_blocks.py").write_text(OWN_SCORE)
    plugins.add(tmp_path / "own_blocks.py")
    assert everything.protocol()["scores"] == [*before, "own_blocks"]
    assert "scores" not in structure.protocol()


def test_its_row_holds_structure_and_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = evaluators.get("auto:features=all")
    assert isinstance(everything, Auto)
    entropy = evaluators.get("entropy")
    monkeypatch.setattr(Auto, "_scores", lambda self: [entropy])
    network = Architecture.from_notation("C-C-C-C")
    row = everything.row(network)
    assert row["depth"] == 4
    assert row["entropy"] == entropy.measure(network).value


def test_what_was_learnt_is_part_of_the_context() -> None:
    import evaluators
    from evaluators.prediction.learned_accuracy import Fit, LearnedAccuracy

    auto = evaluators.get("auto:data=digits,epochs=3")
    assert isinstance(auto, LearnedAccuracy)
    reason = auto.missing()
    assert reason and "learnt from no real evaluation" in reason.message
    networks = [each.architecture for each in sample("nhs", 12, 0)]
    values, names = matrix([auto.row(each) for each in networks])
    fitted = auto.fitted(
        Fit(networks=tuple(each.id for each in networks), fusion=Fusion(values, values[:, 0] ** 2, names))
    )
    assert fitted.missing() is None
    assert fitted.context() != auto.context()
    found = fitted.measure(networks[0])
    assert isinstance(found, Measurement)
    assert found.metric.kind == "predicted"
    assert found.samples == 12
    assert found.low <= found.value <= found.high
    assert "predicted, not trained" in found.warnings[0]
    assert evaluators.get(auto.training).spec == "train:data=digits,epochs=3"
