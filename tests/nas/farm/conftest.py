"""A database on a server for every test that uses the fixture."""

import pytest

from tests.postgresql import Server


@pytest.fixture
def url(server: Server) -> str:
    return server.copy("whole")
