"""A store on a PostgreSQL server: URLs that are refused, servers that fail, and passwords, which nobody sees."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from results.store.database import IDLE_SECONDS
from results.store.database_url import for_driver, shown_url
from results.store.store import Store
from search_spaces.common.errors import StoreError, UsageError
from search_spaces.common.texts import printable
from tests.conftest import QUICK, Program
from tests.postgresql import Server
from tests.results.store.stores import S, fill, measurement, tell

SECRET = "hunter2"


@pytest.fixture
def guarded(server: Server) -> Iterator[str]:
    """The URL of a database of a role with a password, without that password."""
    url = server.copy("whole")
    server.execute(f"DROP ROLE IF EXISTS team; CREATE ROLE team LOGIN PASSWORD '{SECRET}'")
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all team 127.0.0.1/32 scram-sha-256\n{before}")
    server.execute("SELECT pg_reload_conf()")
    yield url.replace("postgres@", "team@")
    rules.write_text(before)
    server.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://localhost", "names no database"),
        ("postgresql://gpu-box/nas", "would not be safe: sslmode is not set"),
        ("postgresql://gpu-box/nas?sslmode=require", "would not be safe: sslmode is require"),
        ("postgresql:///nas?host=gpu-box", "would not be safe"),
        (f"postgresql://me:{SECRET}@gpu-box/nas", "would not be safe"),
        (f"postgresql://me:{SECRET}@host:port/nas", "is not a database URL"),
        (f"postgresql+psycopg2://me:{SECRET}@127.0.0.1", "names no database"),
    ],
)
def test_an_unusable_url_is_refused_without_its_password(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        Store(url, writable=True)
    assert SECRET not in f"{refused.value.message} {refused.value.hint}"


def test_beyond_the_loopback_the_server_has_to_prove_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert for_driver("postgresql://gpu-box/nas?sslmode=verify-full").startswith("postgresql+psycopg://gpu-box/nas?")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "?keepalives_count=3&keepalives_idle=10&" in for_driver("postgresql://gpu-box/nas")


def test_no_password_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://me:{SECRET}@localhost/nas"
    assert shown_url(url) == "postgresql://me:***@localhost/nas"
    assert SECRET not in shown_url(f"postgresql://localhost/nas?password={SECRET}")
    assert printable(f"resume: nas run --store {url}") == "resume: nas run --store postgresql://me:***@localhost/nas"
    assert SECRET not in printable(f"nas run --store 'postgresql://localhost/nas?user=me&password={SECRET}&x=1'")
    assert printable("at 10:30 to me@example.com: http://a:80/b") == "at 10:30 to me@example.com: http://a:80/b"


@pytest.mark.parametrize(("password", "words"), [("", "password"), ("wrong", "authentication failed")])
def test_a_wrong_password_says_where_it_belongs(guarded: str, password: str, words: str) -> None:
    url = guarded.replace("team@", f"team:{password}@") if password else guarded
    with pytest.raises(StoreError, match=words) as refused:
        Store(url)
    assert "~/.pgpass" in refused.value.hint
    assert "wrong" not in f"{refused.value.message} {refused.value.hint}".replace("is wrong", "")


def test_a_role_without_rights_is_told_so(guarded: str) -> None:
    with pytest.raises(StoreError, match="permission denied") as refused:
        Store(guarded.replace("team@", f"team:{SECRET}@"))
    assert "grant" in refused.value.hint


def test_a_server_that_is_not_there_and_a_database_that_is_none(server: Server) -> None:
    with pytest.raises(StoreError, match="refused") as refused:
        Store("postgresql://localhost:1/nas")
    assert "start the server" in refused.value.hint
    with pytest.raises(StoreError, match='"nowhere" does not exist') as missing:
        Store(server.url("nowhere"))
    assert "createdb" in missing.value.hint


def test_an_old_server_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.store.database.OLDEST_SERVER", 99)
    with pytest.raises(StoreError, match=r"PostgreSQL \d+; nas needs 99 or newer"):
        Store(server.url("whole"))


def test_a_database_of_another_program_is_left_alone(server: Server) -> None:
    url = server.create("other")
    server.execute("CREATE TABLE customers (id integer)", "other")
    with pytest.raises(StoreError, match=r"belongs to another program \(tables: customers\)"):
        Store(url, writable=True)
    assert server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "other") == [(1,)]


def test_reading_writes_nothing(server: Server) -> None:
    url = server.copy("whole")
    with closing(Store(url)) as store, pytest.raises(StoreError, match="read-only transaction"):
        store.remember(S, measurement())
    with closing(Store(url)) as store:
        assert store.all_rows() == []


def test_a_restarted_server_and_a_cut_connection_lose_nothing(server: Server) -> None:
    with closing(Store(server.copy("whole"), writable=True)) as store:
        fill(store)
        ours = "FROM pg_stat_activity WHERE datname LIKE 'whole-%'"
        server.execute(f"SELECT pg_terminate_backend(pid) {ours}")
        while server.execute(f"SELECT 1 {ours}"):
            time.sleep(IDLE_SECONDS)
        time.sleep(2 * IDLE_SECONDS)  # it is not asked after every use whether it was cut
        tell(store, "one")
        server.stop()
        time.sleep(2 * IDLE_SECONDS)  # a fast server ends sooner, and its connection would not be asked
        with pytest.raises(StoreError, match="refused"):
            tell(store, "one")
        server.resume()
        tell(store, "one")
        assert [trial.state for trial in store.run("one").trials] == ["ok", "ok", "ok"]


def test_a_run_on_a_server_is_the_run_in_a_file(nas: Program, server: Server) -> None:
    """From the first command to the last: the same candidates, shown, compared, merged and back."""
    url = server.create("team")
    for store in ([], ["--store", url]):
        ended = nas("run", "--name", "a", "--budget", "4", *QUICK, *store)
        assert ended.code == 0, ended.err
    assert networks(url) == networks(f"sqlite:///{nas.folder}/runs/nas.db")
    assert nas("show", "a", "--store", url, "--json").json["run"] == "a"
    moved = nas("merge", "copy.db", url)
    assert moved.code == 0 and "run a: 4 trials" in moved.out + moved.err
    assert networks(f"sqlite:///{nas.folder}/copy.db") == networks(url)
    again = server.create("moved")
    back = nas("merge", again, "copy.db")
    assert back.code == 0 and networks(again) == networks(url)
    known = server.execute("SELECT reltuples FROM pg_class WHERE relname = 'trials'", "moved")
    assert known == [(4.0,)], "the server knows how large its tables are"


def networks(url: str) -> list[str]:
    with closing(Store(url)) as store:
        return [trial.architecture.id for trial in store.run("a").trials]


def test_what_the_program_prints_has_no_password(nas: Program, guarded: str) -> None:
    url = guarded.replace("team@", f"team:{SECRET}@")
    for command in (["show", "--store", url], ["run", "--budget", "2", "--store", url], ["lists", "--store", url]):
        ended = nas(*command)
        assert SECRET not in ended.out + ended.err, command
        assert ended.code in (1, 2)
