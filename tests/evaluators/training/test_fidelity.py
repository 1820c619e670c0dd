"""Fidelities that cannot be are refused, and missing data is named."""

import pytest
import torch

import evaluators
from evaluators.datasets.in_memory import load
from search_spaces.common.errors import Unavailable, UsageError

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("train:rate=-1", "from 0 to 1"),
        ("train:epochs=0", "nearest: epochs=1"),
        ("train:data=a@b", "names no location|may not contain"),
    ],
)
def test_a_fidelity_that_cannot_be(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)


def test_data_that_is_not_there_is_named() -> None:
    reason = evaluators.get("train:data=/no/such/place").missing()
    assert reason and "there is no data '/no/such/place'" in reason.message
    with pytest.raises(Unavailable):
        load("/no/such/place", 32)
