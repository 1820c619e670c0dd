"""Every training-free score: deterministic, with an interval from its seeds, and refusing untrainable networks."""

import pytest

import evaluators
from evaluators.scores.score import Score
from search_spaces import Architecture, Stage
from search_spaces.common.errors import MeasurementFailed

SMALL = Architecture.from_notation("C-CT-C-T")


FEATURES = [name for name in evaluators.names("accuracy") if isinstance(evaluators.get(name), Score)]


def quick(name: str) -> Score:
    found = evaluators.get(f"{name}:resolution=32,seeds=2")
    assert isinstance(found, Score)
    return found


@pytest.mark.parametrize("name", FEATURES)
def test_it_is_deterministic_under_its_seed_and_its_interval_is_that_of_the_seeds(name: str) -> None:
    first, again = (quick(name).measure(SMALL) for _ in range(2))
    other = evaluators.get(f"{name}:resolution=32,seeds=2,seed=9").measure(SMALL)
    assert first.value == again.value
    assert first.details == again.details
    assert first.value != other.value
    assert first.low < first.value < first.high


@pytest.mark.parametrize("name", FEATURES)
def test_what_else_was_scored_before_changes_nothing(name: str) -> None:
    first = quick(name).measure(SMALL).value
    quick(name).measure(Architecture.from_notation("T-T-CT-C"))
    assert quick(name).measure(SMALL).value == first


@pytest.mark.parametrize("name", ["vpca", "swap", "nwot", "synflow", "zen"])
def test_a_wider_network_scores_higher(name: str) -> None:
    wide, narrow = (_even(width) for width in (128, 64))
    assert quick(name).measure(wide).value > quick(name).measure(narrow).value


def _even(width: int) -> Architecture:
    stages = [
        Stage(blocks=stage.blocks, conv_width=width, transformer_width=width, mix_block_ratio=0.5, sr_ratio=1)
        for stage in SMALL.stages
    ]
    return Architecture(stages=tuple(stages))


@pytest.mark.parametrize("name", FEATURES)
def test_untrainable_networks_are_filtered_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(quick(name)), "_score", lambda self, architecture, seed: float("-inf"))
    with pytest.raises(MeasurementFailed, match="untrainable"):
        quick(name).measure(SMALL)
