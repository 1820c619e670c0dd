"""A database for every test that uses the fixture."""

from pathlib import Path

import pytest

from results.store.store import Store
from tests.postgresql import Server
from tests.results.store.stores import fill


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that is not there yet; of one with tables on a server where a test is marked `ON_BOTH`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/runs/nas.db"
    server: Server = request.getfixturevalue("server")
    return server.copy("whole")


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
