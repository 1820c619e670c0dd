"""One process works on a run of a server, whatever happens to it, to its connection or to its clock."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from nas.search.plan import reserved
from results.store import lease
from results.store.lease import Lease
from results.store.store import Store
from search_spaces.common.errors import StoreError
from tests.conftest import QUICK, Program
from tests.postgresql import Server
from tests.results.store.stores import CONFIG, tell


@pytest.fixture
def stores(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Store]]:
    """Two processes on one database, whose leases are short."""
    monkeypatch.setattr(lease, "SECONDS", 2.0)
    monkeypatch.setattr(lease, "RENEWAL", 0.4)
    url = server.copy("whole")
    stores = [Store(url, writable=True) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def taken(store: Store) -> Lease:
    made = store.reservation("one")
    assert isinstance(made, Lease)
    assert made.take()
    return made


def test_a_living_holder_keeps_its_run(stores: list[Store]) -> None:
    first = taken(stores[0])
    second = stores[1].reservation("one")
    for _ in range(3):
        assert not second.take(), "it is renewed"
    assert f"process {os.getpid()} of" in second.holder()
    with (
        pytest.raises(StoreError, match="another process is working on run 'one': process"),
        reserved(stores[1], "one", "nhs"),
    ):
        pass
    first.release()
    assert stores[1].reservation("one").take()


def test_a_dead_holder_is_succeeded_when_its_lease_has_ended(stores: list[Store]) -> None:
    first = taken(stores[0])
    first._ended.set()  # it renews no more
    begun = time.monotonic()
    second = taken(stores[1])
    assert 0.5 < time.monotonic() - begun < 5
    second.release()


def test_who_slept_writes_nothing_more(stores: list[Store]) -> None:
    first = taken(stores[0])
    stores[0].create("one", CONFIG)
    tell(stores[0], "one")
    first._ended.set()
    second = taken(stores[1])
    tell(stores[1], "one")
    with pytest.raises(StoreError, match="the lease on run 'one' was lost"):
        tell(stores[0], "one")
    assert len(stores[1].run("one").trials) == 2
    first.release()
    assert stores[0].reservation("one").take() is False, "it gave back only its own"
    second.release()


def test_a_holder_that_was_succeeded_notices_by_itself(stores: list[Store]) -> None:
    first = taken(stores[0])
    with stores[1].engine.begin() as connection:
        connection.execute(lease.leases.update().values(token="another"))
    time.sleep(2 * lease.RENEWAL + 0.2)
    with pytest.raises(StoreError, match="was lost"):
        first.check()


def test_a_short_absence_of_the_server_is_survived(stores: list[Store], server: Server) -> None:
    first = taken(stores[0])
    server.stop()
    time.sleep(0.5)
    server.resume()
    time.sleep(2 * lease.RENEWAL)
    first.check()
    first.release()


def test_who_asks_while_the_server_is_away_learns_why(stores: list[Store], server: Server) -> None:
    made = stores[0].reservation("one")
    server.stop()
    try:
        for ask in (made.take, made.holder):
            with pytest.raises(StoreError, match=r"failed: .*(refused|closed the connection|terminating)"):
                ask()
    finally:
        server.resume()
    assert made.take()
    made.release()


def test_one_of_many_gets_it(stores: list[Store]) -> None:
    got: list[Lease] = []

    def take() -> None:
        made = Lease(stores[0].engine, stores[0].url, "one")
        if made.take():
            got.append(made)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    got[0].release()


def test_a_clock_that_is_wrong_changes_nothing(stores: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    first = taken(stores[0])
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert not stores[1].reservation("one").take()
    first.check()
    first.release()


def test_a_second_driver_of_a_run_is_refused(nas: Program, server: Server) -> None:
    url = server.create("drivers")
    begun = nas("run", "--name", "a", "--budget", "1", *QUICK, "--store", url)
    assert begun.code == 0, begun.err
    with closing(Store(url, writable=True)) as store:
        held = store.reservation("a")
        assert held.take()
        second = nas("run", "--name", "a", "--budget", "2", *QUICK, "--store", url)
        held.release()
    assert (second.code, "another process is working on run 'a'" in second.err) == (1, True)
    again = nas("run", "--name", "a", "--budget", "2", *QUICK, "--store", url)
    assert again.code == 0, again.err
