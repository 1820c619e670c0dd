"""The command `nas store init-roles`: the rights of drivers and workers in a team's database."""

from contextlib import closing
from importlib import resources

from nas import console
from nas.farm import tables
from results.store import lease
from results.store.database_errors import explained
from results.store.store import Store

NEXT = """roles: nas_driver keeps runs and measurements, nas_worker does jobs and sees neither
  CREATE ROLE laptop LOGIN PASSWORD '...'; GRANT nas_driver TO laptop;
  CREATE ROLE t4box LOGIN PASSWORD '...'; GRANT nas_worker TO t4box;"""


def initialise(store_url: str) -> int:
    """Makes all tables, and the two roles. Returns the exit code.

    Raises:
        UsageError: the URL names no PostgreSQL server.
        StoreError: the server cannot be used, or its account may not do this.
    """
    tables.conninfo(store_url)  # refuses what is no server, before anything is made
    with closing(Store(store_url, writable=True)) as store, explained(store_url):
        lease.create(store.engine)
    tables.create(store_url)
    with tables.connected(store_url) as connection:
        connection.execute(resources.files("nas.farm").joinpath("roles.sql").read_bytes())
    console.say(NEXT)
    return 0
