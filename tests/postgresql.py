"""A real PostgreSQL server for tests: Debian's, in a folder of its own, gone when the tests end."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

ON_BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
NUMBERS = itertools.count(1)
ACCOUNT = "postgres"  # the server refuses to run as root
FAST = ("fsync=off", "full_page_writes=off", "max_connections=40", "shared_buffers=16MB")


def programs() -> Path:
    """The folder of the server's programs; skips the test where there is none, and fails in continuous integration."""
    found = shutil.which("initdb")
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if not found and not newest:
        sentence = "no PostgreSQL server: install postgresql"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return Path(found).parent if found else newest[-1].parent


@dataclass
class Server:
    """A server on the loopback, in a folder."""

    folder: Path
    port: int
    programs: Path

    @classmethod
    def start(cls, folder: Path) -> "Server":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server = cls(folder=folder, port=free.getsockname()[1], programs=programs())
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(folder, ACCOUNT)
        server.run("initdb", "-D", "data", "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-sync")
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.writelines(
                f"{line}\n" for line in (*FAST, f"port={server.port}", f"unix_socket_directories='{folder}'")
            )
        server.resume()
        return server

    def run(self, program: str, *arguments: str) -> None:
        """One of the server's programs, as its own account where this is root."""
        account = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.getuid() == 0 else {}
        command: Sequence[str] = [str(self.programs / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True, timeout=60, **account)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stdout + done.stderr

    def resume(self) -> None:
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Ends it. Version 15 may miss the end of its last process, and then sleeps for a minute: a signal wakes it."""
        file = self.folder / "data" / "postmaster.pid"
        process = int(file.read_text().split()[0])
        self.run("pg_ctl", "-D", "data", "-W", "-m", mode, "stop")
        patience = time.monotonic() + 120
        while file.exists():
            assert time.monotonic() < patience, "the server does not end"
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCHLD)
            time.sleep(0.05)

    def url(self, database: str, user: str = ACCOUNT) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = ACCOUNT) -> list[tuple[object, ...]]:
        """Runs a statement outside any transaction; returns its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def cut(self, database: str) -> None:
        """Ends all connections to a database."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def create(self, database: str) -> str:
        """A new empty database; returns its URL."""
        self.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def copy(self, database: str) -> str:
        """A new database with the content of another; returns its URL."""
        name = f"{database}-{next(NUMBERS)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database}"')
        return self.url(name)
