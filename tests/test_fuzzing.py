"""Whatever a user writes is a value or one of our errors: some thousand inputs always, a million slowly."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import fuzzing

SEED = os.environ.get("NAS_FUZZ_SEED", "1")  # of the long test: another one draws other inputs
NAMES = list(fuzzing.surfaces(Path()))


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_a_value_or_refused(name: str, tmp_path: Path) -> None:
    surface = fuzzing.surfaces(tmp_path)[name]
    values, _ = fuzzing.fuzz(surface, f"short/{name}", 8 * surface.share)
    assert values > surface.share / 10, "so many inputs are refused that little is tested"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_million_inputs(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    surface = fuzzing.surfaces(tmp_path)[name]
    values, slowest = fuzzing.fuzz(surface, f"{SEED}/{name}", 1000 * surface.share)
    record_property("inputs", 1000 * surface.share)
    record_property("values", values)
    record_property("slowest", round(slowest, 3))


def test_the_shares_make_a_million() -> None:
    assert sum(each.share for each in fuzzing.surfaces(Path()).values()) == 1000
