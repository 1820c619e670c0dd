"""Texts that a user gives: strict JSON, short messages, and a terminal that obeys nobody."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.common import texts

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(values)
def test_what_is_json_is_read_as_python_reads_it(value: object) -> None:
    assert texts.from_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        '{"a": -Infinity}',
        "1e400",
        "[-1e999]",
        "9" * 5000,
        '{"a": 1, "a": 1}',
        "[" * 10**5,
        b"\xff",
    ],
)
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        texts.from_json(text)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([10**5000], "[an integer of about 5001 digits]"),
        (-(10**30), "-1" + "0" * 30),
        (math.nan, "nan"),
        ([[[[1]]]], "[[[...]]]"),
        ("a\x1b\n", r"'a\x1b\n'"),
    ],
)
def test_a_value_is_shown_as_it_is_or_described(value: object, words: str) -> None:
    assert texts.shown(value) == words


@given(values)
def test_whatever_is_shown_is_short_and_printable(value: object) -> None:
    message = texts.shown([value, "x" * 1000, {"key": [value] * 100}])
    assert len(message) < 2500
    assert not texts.unprintable(message)


@given(st.text())
def test_a_terminal_obeys_no_text(text: str) -> None:
    message = texts.printable(text)
    assert not texts.unprintable(message.replace("\n", ""))
    message.encode()
    if not texts.unprintable(text) and len(text) < texts.LONGEST_WORD:
        assert message == text


def test_an_endless_word_is_cut_in_the_middle() -> None:
    message = texts.printable(f"no run is called '{'a' * 100_000}'")
    assert len(message) < 500
    assert "(100,002 letters)" in message


def test_no_name_is_too_long_to_be_asked_for() -> None:
    for name in ("x" * 300, "x" * 100_000, "", "a\0b"):
        assert not texts.is_file(name)
        assert not texts.is_folder(name)
