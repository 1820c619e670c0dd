"""The score from structure alone."""

from math import log

import pytest

import evaluators
from search_spaces import PAPER

S = PAPER["next-vit-s"]


def test_structure_is_the_log_of_the_sum_of_widths() -> None:
    widths = 3 * 96 + (3 * 192 + 256) + 2 * (4 * 384 + 512) + (2 * 768 + 1024)
    measurement = evaluators.get("structure").measure(S)
    assert measurement.value == pytest.approx(log(widths))
    assert measurement.details["depth"] == 20
    assert measurement.details["transformer_share"] == pytest.approx(4 / 20)
    assert measurement.details["log_macs"] == pytest.approx(log(5_794_420_224), abs=0.15)  # the stem is left out
