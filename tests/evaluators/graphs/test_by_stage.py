"""Where the time goes: shares of a real measurement, and the rule for operators without a name."""

import pytest

import evaluators
from evaluators.graphs.by_stage import by_part
from search_spaces import Architecture
from search_spaces.nextvit.architecture import PARTS


def test_an_operator_without_a_name_counts_where_it_runs() -> None:
    names = ["stem/Conv_0_nchwc", "ReorderOutput", "stage-3/MatMul_9/MatMulAddFusion", "token_12", "head/Gemm_20"]
    spent = by_part({"name": f"{name}_kernel_time", "dur": 10 ** (place)} for place, name in enumerate(names))
    assert spent == {"stem": 11, "stage-1": 0, "stage-2": 0, "stage-3": 1100, "stage-4": 0, "head": 10000}


@pytest.mark.parametrize("spec", ["ort:resolution=64", "ort:resolution=64,precision=int8"])
def test_a_deep_stage_takes_the_most(spec: str) -> None:
    architecture = Architecture.from_notation("C-C-CCCCCCCCCCCCCCCT-C")
    measurement = evaluators.get(spec).measure(architecture)
    found = measurement.time_shares
    assert list(found) == list(PARTS)
    assert list(measurement.secondary) == [f"{part} [%]" for part in PARTS]
    assert sum(found.values()) == pytest.approx(100, abs=0.5)
    assert max(found, key=lambda part: found[part]) == "stage-3"
