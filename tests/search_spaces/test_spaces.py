"""Every search space keeps the same promises; a new file is held to them the day it appears."""

from collections.abc import Callable

import pytest

import search_spaces
from search_spaces import SearchSpace
from search_spaces.common import contract
from search_spaces.common.errors import UnknownName

SPACES = search_spaces.names()


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_its_promises(check: Callable[[SearchSpace, int], None], name: str) -> None:
    check(search_spaces.get(name), 1000)
    assert search_spaces.summary(name)


def test_an_unknown_space_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'nhs'"):
        search_spaces.get("nsh")
