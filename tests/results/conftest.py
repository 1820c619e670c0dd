"""A database for every test that uses the fixture."""

from pathlib import Path

import pytest

from results.store.store import Store
from tests.results.store.stores import fill


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs/nas.db"


@pytest.fixture
def store(url: str):
    store = Store(url, writable=True)
    yield store
    store.close()


@pytest.fixture
def full(store: Store) -> Store:
    """The same, with a run `one` of one trial, which has something in every column that is read."""
    fill(store)
    return store
