"""Which networks are unlike published ones."""

import numpy as np
import pytest

from evaluators.prediction.published_guard import compared, ranges, unlike
from evaluators.prediction.published_table import table
from search_spaces import PAPER, Architecture


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_networks_are_like_published_ones(name: str) -> None:
    assert unlike(PAPER[name]) == []


def test_a_network_of_one_stage_is_unlike_them() -> None:
    """The first network of a front by block entropy."""
    first, second = unlike(Architecture.from_notation("C-CCCCCCCC-C-C"))
    assert first.startswith("59 % of its MACs are at stride 8 (published networks: ")
    assert second.startswith("7 % of its MACs are at stride 16 (published networks: ")
    assert unlike(Architecture.from_notation(f"C-C-{'C' * 60}-C"))
    assert unlike(Architecture.from_notation(f"{'C' * 20}-C-C-C"))


def test_what_is_not_caught() -> None:
    """The knee of that front is shallow and without transformers, and so is DLA-60x: published networks are like it."""
    assert unlike(Architecture.from_notation("C-CCCC-CCCCCC-C")) == []


def test_one_published_network_in_twenty_is_unlike_the_others() -> None:
    rows, limits = compared(table()), ranges()
    marked = [any(value not in limits[name] for name, value in row.items()) for row in rows]
    assert len(rows) > 300
    assert 0.01 < np.mean(marked) <= 0.05
