"""`--fix` and `--free` as texts: what remains of parameters, and what is refused and how."""

import pytest

from search_spaces.common import fixes
from search_spaces.common.errors import NasError, UnknownName, UsageError
from search_spaces.common.fixes import Interval

KNOWN: dict[str, fixes.Values] = {
    "stage1.N": range(5),
    "stage2.N": range(10),
    "width": range(64, 129, 32),
    "ratio": (0.0, 0.1, 0.2, 0.3),
    "rate": Interval(0.001, 1.0),
    "kind": ("C", "CT", "A,B"),
    "deep": (False, True),
}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("stage1.N=3", {"stage1.N": (3,)}),
        ("stage1.N=1..3", {"stage1.N": (1, 2, 3)}),
        ("stage1.N=0,2..4", {"stage1.N": (0, 2, 3, 4)}),
        ("stage1.N=4,0", {"stage1.N": (0, 4)}),
        ("width=96", {"width": (96,)}),
        ("width = 64 .. 96", {"width": (64, 96)}),
        ("ratio=0.3", {"ratio": (0.3,)}),
        ("ratio=.1..3e-1", {"ratio": (0.1, 0.2, 0.3)}),
        ("rate=0.01..0.1", {"rate": Interval(0.01, 0.1)}),
        ("rate=0.5", {"rate": (0.5,)}),
        ("rate=0.5,0.1", {"rate": (0.1, 0.5)}),
        ("kind=CT", {"kind": ("CT",)}),
        ("kind=CT,C", {"kind": ("C", "CT")}),
        ("kind=A,B", {"kind": ("A,B",)}),
        ("deep=True", {"deep": (True,)}),
        ("stage*.N=0..4", {"stage2.N": (0, 1, 2, 3, 4)}),  # all of the first
        ("stage[2-4].N=7", {"stage2.N": (7,)}),
    ],
)
def test_values_ranges_lists_and_patterns(text: str, left: dict[str, fixes.Values]) -> None:
    assert fixes.remaining(KNOWN, [text]) == left
    again = [f"{name}={fixes.written(values, KNOWN[name])}" for name, values in left.items()]
    assert fixes.remaining(KNOWN, again) == left


def test_what_is_freed_again_remains_whole() -> None:
    left = fixes.remaining(KNOWN, ["stage*.N=1", "width=64"], ["stage2.N"])
    assert left == {"stage1.N": (1,), "width": (64,)}
    assert fixes.remaining(KNOWN, ["stage*.N=1"], ["*.N"]) == {}


@pytest.mark.parametrize(
    ("texts", "frees", "kind", "problem", "hint"),
    [
        (["stage1.n=3"], [], UnknownName, "no parameter of the space is called 'stage1.n'", "did you mean 'stage1.N'?"),
        (["depth*=3"], [], UnknownName, "no parameter of the space is called 'depth*'", "known: deep, kind, rate"),
        (["stage1.N=7"], [], UsageError, "stage1.N: 7 is outside its values, 0..4", "nearest: 4"),
        (["stage1.N=-1"], [], UsageError, "stage1.N: -1 is outside its values, 0..4", "nearest: 0"),
        (["stage*.N=7"], [], UsageError, "stage1.N: 7 is outside its values, 0..4", "nearest: 4"),
        (["width=100"], [], UsageError, "width: 100 is not one of its values, 64..128 in steps of 32", "nearest: 96"),
        (["width=64..100"], [], UsageError, "width: 100 is not one of", "nearest: 96"),
        (["ratio=0.25"], [], UsageError, "ratio: 0.25 is not one of its values, 0..0.3 in steps of 0.1", "nearest: 0."),
        (["rate=2"], [], UsageError, "rate: 2 is outside 0.001..1", "nearest: 1"),
        (["rate=0.1..0.2,0.5"], [], UsageError, "rate: of a parameter without steps", "give one range"),
        (["kind=TC"], [], UsageError, "kind: 'TC' is not one of its values, C, CT, A,B", "nearest: C"),
        (["stage1.N=3..1"], [], UsageError, "stage1.N: the range 3..1 runs backwards", "write 1..3"),
        (["stage1.N=three"], [], UsageError, "stage1.N: expected a number, got 'three'", "for example --fix"),
        (["stage1.N=1..2..3"], [], UsageError, "stage1.N: expected a number, got '2..3'", "for example --fix"),
        (["stage1.N="], [], UsageError, "--fix 'stage1.N=' names no parameter with its values", "for example"),
        (["=3"], [], UsageError, "--fix '=3' names no parameter", "for example"),
        (["stage1.N"], [], UsageError, "--fix 'stage1.N' names no parameter with its values", "for example"),
        (["stage1.N=0..4"], [], UsageError, "--fix 'stage1.N=0..4' leaves every value of stage1.N", "leave it out"),
        (["deep=True,False"], [], UsageError, "leaves every value of deep", "leave it out"),
        (
            ["stage1.N=3", "stage*.N=1"],
            [],
            UsageError,
            "stage1.N is fixed twice: by --fix 'stage1.N=3' and by --fix 'stage*.N=1'",
            "a pattern can leave a stage out",
        ),
        (["width=64", "width=64"], [], UsageError, "width is fixed twice", "keep one"),
        (["width=64"], ["stage1.N"], UsageError, "--free stage1.N: no --fix fixes it", "fixed: width"),
        ([], ["width"], UsageError, "--free width: no --fix fixes it", "fixed: nothing"),
        (["width=64"], ["with"], UnknownName, "no parameter of the space is called 'with'", "did you mean 'width'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_may_be(
    texts: list[str], frees: list[str], kind: type[UsageError], problem: str, hint: str
) -> None:
    with pytest.raises(kind) as refusal:
        fixes.remaining(KNOWN, texts, frees)
    assert refusal.value.message.startswith(problem) or problem in refusal.value.message
    assert hint in refusal.value.hint


@pytest.mark.parametrize("number", ["nan", "inf", "1_0", "²³", "٣", "9" * 5000, "1e999", "", " ", "\x00", "0x1", "--1"])
def test_hostile_numbers_are_refused(number: str) -> None:
    for name in ("stage1.N", "rate", "ratio"):
        with pytest.raises(NasError):
            fixes.remaining(KNOWN, [f"{name}={number}"])
