"""The rule for names of runs: what it refuses, and what it makes of a name that it refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.store import names
from search_spaces.common.errors import UsageError

REFUSED = [
    "",
    ".",
    "..",
    "-x",
    "../x",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "\nb",
    "a\0",
    "n" * 101,
    "网" * 34,
    "\udcff\udcfe",
    "~",
    "a:b",
]


@pytest.mark.parametrize("name", ["nhs-1", "one~2", "T4.fp16", "größe_1", "实验1", "n" * 100])
def test_usual_names_are_names(name: str) -> None:
    assert names.check(name) == name
    assert names.nearest(name) == name


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_name_is_refused_in_words_that_every_terminal_can_print(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a run") as refused:
        names.check(name)
    assert refused.value.message.isprintable()
    with pytest.raises(UsageError):
        names.file_in(Path("runs"), name, ".html")


@given(st.text() | st.text("./-~ a\n"), st.integers(1, 10**6))
def test_the_nearest_name_is_always_a_name(text: str, number: int) -> None:
    nearest = names.nearest(text)
    assert nearest == text or not names.is_valid(text)
    assert names.is_valid(nearest)
    assert names.is_valid(names.numbered(nearest, number))
    assert names.file_in(Path("runs"), nearest).parent == Path("runs")


def test_a_path_becomes_its_last_parts() -> None:
    assert names.nearest("../../x") == "x"
    assert names.nearest("my run") == "my-run"
    assert names.nearest("") == "run"
    assert names.numbered("n" * 100, 2) == "n" * 98 + "~2"
