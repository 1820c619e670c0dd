"""The command `nas dashboard`: the page of a run as a file, or live at an address of this machine."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from nas import console
from results import load
from results.pages import dashboard
from results.store import names
from results.store.database_url import is_postgresql, sqlite_path
from results.store.store import Store
from search_spaces.common import files
from search_spaces.common.errors import NasError, UsageError

HOST = "127.0.0.1"  # no other machine can read the page


def write_dashboard(store_url: str, name: str | None, output: Path | None) -> Path:
    """Writes the dashboard of a run, next to the database by default. Returns its path."""
    if output:
        files.check_file(output)
    run = load(name, store_url)
    database = sqlite_path(store_url)
    path = output or names.file_in(database.parent if database else Path(), run.name, ".html")
    dashboard.write(run, path)
    return path


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """One version of the page. A request is answered from one rendering, even if the run goes on meanwhile."""

    version: str
    page: bytes


class LivePage:
    """The page of a run, rendered again only when the database has changed."""

    def __init__(self, store_url: str, name: str) -> None:
        self.store_url, self.name = store_url, name
        self.lock = threading.Lock()
        self.state: object = None
        self.rendering: Rendering | None = None
        self.latest()

    def latest(self) -> Rendering:
        """The current page, or the last one while the database cannot be read."""
        with self.lock:
            state = self._database_state()
            if self.rendering and state is not None and state == self.state:
                return self.rendering
            try:
                run = load(self.name, self.store_url)
            except NasError:
                if not self.rendering:
                    raise
                return self.rendering
            self.state = state
            team = team_facts(self.store_url, self.name)
            version = dashboard.version(run, team)
            if not self.rendering or version != self.rendering.version:
                self.rendering = Rendering(version=version, page=dashboard.page(run, live=True, further=team).encode())
            return self.rendering

    def _database_state(self) -> object:
        """The times at which the database's files were last written; None for a database without files."""
        path = sqlite_path(self.store_url)
        if not path:
            return None
        database_files = [path, path.with_name(path.name + "-wal")]
        return [file.stat().st_mtime_ns for file in database_files if file.exists()]


def team_facts(store_url: str, name: str) -> dict[str, str]:
    """Who works on a run of a server, and how its lanes are doing; nothing for a file, or while it cannot be said."""
    if not is_postgresql(store_url):
        return {}
    from nas.commands.farm import status

    with contextlib.suppress(NasError), contextlib.closing(Store(store_url)) as store:
        return {"driver": store.driver(name) or "nobody", "lanes": status.sentence(store_url) or "none"}
    return {}


def serve(store_url: str, name: str | None, port: int, ready: Callable[[str], object]) -> None:
    """Serves the page of a run until Ctrl-C; calls `ready` with its address.

    Raises:
        UsageError: the port is taken.
    """
    live = LivePage(store_url, load(name, store_url).name)
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(live))
    except OSError as error:
        raise UsageError(f"port {port} of {HOST}: {error.strerror}", "name another --port, or none") from None
    server.daemon_threads = True
    address = f"http://{HOST}:{server.server_port}/"
    console.say(f"run {live.name}, live on {address}  (Ctrl-C ends it)")
    ready(address)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.2)


@cache
def _plotly() -> tuple[str, bytes]:
    """The version and the text of Plotly's script, which a browser fetches once."""
    from plotly.offline import get_plotlyjs, get_plotlyjs_version

    return get_plotlyjs_version(), get_plotlyjs().encode()


def _handler(live: LivePage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, with_body: bool) -> None:
            # Another site may reach us under its own name (DNS rebinding): such a request gets nothing.
            host, path = self.headers.get("Host", "").rpartition(":")[0], self.path.partition("?")[0]
            if host not in (HOST, "localhost") or path not in ("/", f"/{dashboard.PLOTLY}"):
                self.send_error(HTTPStatus.NOT_FOUND)
            elif path == "/":
                latest = live.latest()
                self._send(latest.version, "text/html", latest.page, with_body)
            else:
                version, script = _plotly()
                self._send(version, "text/javascript", script, with_body)

        def _send(self, version: str, kind: str, content: bytes, with_body: bool) -> None:
            """Sends a document, or only that it has not changed."""
            is_current = self.headers.get("If-None-Match") == f'"{version}"'
            self.send_response(HTTPStatus.NOT_MODIFIED if is_current else HTTPStatus.OK)
            self.send_header("ETag", f'"{version}"')
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", "0" if is_current else str(len(content)))
            self.end_headers()
            if with_body and not is_current:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Logs nothing: the page asks every five seconds."""

    return Handler
