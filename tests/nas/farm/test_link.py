"""A link that fails between a worker and the database: cut, and hanging without a word, by a proxy between them."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from evaluators.workers.lanes import LaneWorker
from nas.farm.queue import PostgresQueue
from tests.nas.farm.conftest import ROOT, job, logged
from tests.postgresql import Server

AWAY = 4.0  # seconds, in which a worker of these tests passes for dead


class Link:
    """Forwards connections on a port of its own to the server, while it is up."""

    def __init__(self, port: int) -> None:
        self.server, self.up, self.refuses = port, threading.Event(), False
        self.ends: list[socket.socket] = []
        self.up.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                near, _ = self.listener.accept()
                if self.refuses:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self.server))
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with source, sink, contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self.up.wait()
                sink.sendall(data)

    def cut(self) -> None:
        """Ends all connections, and accepts none."""
        self.refuses = True
        for each in self.ends:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.ends.clear()

    def hang(self) -> None:
        """Passes nothing on, without a word."""
        self.up.clear()

    def mend(self) -> None:
        """As before."""
        self.refuses = False
        self.up.set()


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    link = Link(server.port)
    yield link
    link.mend()
    link.listener.close()


@pytest.mark.parametrize("fail", [Link.cut, Link.hang])
def test_a_worker_outlives_its_link(
    fail: Callable[[Link], None],
    link: Link,
    url: str,
    queue: PostgresQueue,
    work: Any,
    server: Server,
    tmp_path: Path,
) -> None:
    """It fails while a job is being done; the worker passes for dead, and has the answer."""
    work(seconds=1.0, through=url.replace(f":{server.port}/", f":{link.port}/"))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(LaneWorker(queue, "a").run, job(3), 60)
        while not queue.state("a").doing:
            time.sleep(0.05)
        fail(link)
        time.sleep(AWAY)
        link.mend()
        assert asked.result(timeout=60)["ratio"] == 3.0
    assert LaneWorker(queue, "a").run(job(4), 60)["ratio"] == 4.0, "its worker has come back"
    done = [seed for _, _, seed in logged(tmp_path)]
    assert done.count(4) == 1 and 1 <= done.count(3) <= 2, "at the most once more, for whoever passed for dead"


STUBBORN = """
import asyncio
from procrastinate.exceptions import ConnectorException
from tests.nas.farm import sleeper

original, calls = sleeper.Sleeper._beat, []

async def beat(self, app):  # the second is cancelled while it asks a connection that is dead
    calls.append(await original(self, app))
    try:
        await asyncio.sleep(60 if len(calls) == 2 else 0)
    except asyncio.CancelledError:
        raise ConnectorException

sleeper.Sleeper._beat = beat
sleeper.main()
"""


def test_a_worker_whose_beat_was_cut_off_works_on(
    queue: PostgresQueue, server: Server, url: str, tmp_path: Path
) -> None:
    """What ends the beat is lost with its connection. The row is removed as by another worker that took it for dead."""
    command = [sys.executable, "-c", STUBBORN, url, "a", str(tmp_path / "log"), "0.0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as worker:
        try:
            LaneWorker(queue, "a").run(job(1), 60)
            time.sleep(1)  # until the second beat
            server.execute("DELETE FROM procrastinate_workers", url.split("/")[-1])
            assert LaneWorker(queue, "a").run(job(2), 60)["ratio"] == 2.0
        finally:
            worker.kill()
