"""The dashboard, live: the same page from this machine's own address, loaded anew when there is something new."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nas import console
from results import load
from results.pages import dashboard
from results.store.database import sqlite_path
from search_spaces.common.errors import NasError, UsageError

HOST = "127.0.0.1"  # this machine alone: a run is nobody else's business


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """The page as it was at one moment, and its version: what answers one request, whatever happens meanwhile."""

    version: str
    page: bytes


class Live:
    """The page of a run; built anew only when the database has changed."""

    def __init__(self, store_url: str, name: str) -> None:
        self.store_url, self.name = store_url, name
        self.lock = threading.Lock()
        self.seen: object = None
        self.rendering: Rendering | None = None
        self.latest()

    def latest(self) -> Rendering:
        """The page as it is now. A database that cannot be read at this moment leaves it as it was."""
        with self.lock:
            state = self._state()
            if self.rendering and state is not None and state == self.seen:
                return self.rendering
            try:
                run = load(self.name, self.store_url)
            except NasError:
                if not self.rendering:
                    raise
                return self.rendering
            self.seen = state
            version = dashboard.version(run)
            if not self.rendering or version != self.rendering.version:
                self.rendering = Rendering(version=version, page=dashboard.page(run, live=True).encode())
            return self.rendering

    def _state(self) -> object:
        """When the files of the database were written last; None where there are none to look at."""
        path = sqlite_path(self.store_url)
        if not path:
            return None
        files = [path, path.with_name(path.name + "-wal")]
        return [file.stat().st_mtime_ns for file in files if file.exists()]


def serve(store_url: str, name: str | None, port: int, ready: Callable[[str], object]) -> None:
    """Serves the page of a run until Ctrl-C; `ready` is told its address.

    Raises:
        UsageError: the port is taken.
    """
    live = Live(store_url, load(name, store_url).name)
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(live))
    except OSError as error:
        raise UsageError(f"port {port} of {HOST}: {error.strerror}", "name another --port, or none") from None
    server.daemon_threads = True
    address = f"http://{HOST}:{server.server_port}/"
    console.say(f"run {live.name}, live on {address}  (Ctrl-C ends it)")
    ready(address)
    with server, contextlib.suppress(KeyboardInterrupt):  # the way to end it
        server.serve_forever(poll_interval=0.2)


def _handler(live: Live) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, with_body: bool) -> None:
            # A page of another site may name us by an address of its own (DNS rebinding): it gets nothing.
            host = self.headers.get("Host", "").rpartition(":")[0]
            if host not in (HOST, "localhost") or self.path.partition("?")[0] != "/":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            latest = live.latest()
            known = self.headers.get("If-None-Match") == f'"{latest.version}"'
            self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
            self.send_header("ETag", f'"{latest.version}"')
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", "0" if known else str(len(latest.page)))
            self.end_headers()
            if with_body and not known:
                self.wfile.write(latest.page)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a page that looks every two seconds would fill the terminal."""

    return Handler
