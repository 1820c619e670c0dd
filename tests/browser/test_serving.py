"""`nas dashboard --serve`: a real server, asked by a real browser while a run is being written."""

import contextlib
import http.client
import itertools
import re
import signal
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import evaluators
from nas.commands.dashboard import HOST, LivePage, _handler
from nas.search.config import Config
from results.pages import dashboard
from results.store.store import Proposal, Store
from search_spaces import Architecture
from tests import synthetic
from tests.conftest import Program

pytestmark = pytest.mark.browser


def tell(store: Store, notation: str, latency: float) -> None:
    architecture = Architecture.from_notation(notation)
    trial = store.begin(
        "live",
        Proposal(architecture=architecture, params={}, distributions={}, system_attrs={}, anchor="", replaced={}),
    )
    config = Config.from_dict(store.config("live"))
    score, clock = config.objectives
    measurements = {
        score.spec: replace(synthetic.measurement(score.metric, 4.0)),
        clock.spec: replace(synthetic.measurement(clock.metric, latency)),
        "params": evaluators.get("params").measure(architecture),
    }
    for measurement in measurements.values():
        store.remember(architecture, measurement)
    store.finish("live", trial, measurements, values=[4.0, latency], constraints={}, seconds={})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/runs/nas.db", writable=True)
    store.create("live", Config(budget=9, proxy="entropy").to_dict())
    tell(store, "C-C-C-C", 20.0)
    yield store
    store.close()


@pytest.fixture
def address(nas: Program, store: Store) -> Iterator[str]:
    process = nas.start("dashboard", "live", "--serve")
    assert process.stderr
    address = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
    assert address
    yield address.group()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def answer(address: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, ETag and body."""
    url = urllib.parse.urlsplit(address)
    with contextlib.closing(http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)) as connection:
        connection.request("GET", url.path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["ETag"] or "", response.read()


def test_a_page_shows_new_trials_as_they_arrive(browser: Browser, address: str, store: Store) -> None:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-ready='1']")
    page.click("#front tbody tr")
    page.click("details[data-view='stopwatch'] summary")
    tell(store, "C-C-CC-C", 10.0)
    page.wait_for_function("document.querySelectorAll('#front tbody tr').length === 1 && location.hash === '#trial=0'")
    page.wait_for_function(
        "JSON.parse(document.getElementById('data')?.textContent ?? 'null')?.columns.numbers.length === 2"
    )
    page.wait_for_selector("details[data-view='stopwatch'][open]")
    page.context.close()


def test_only_what_is_new_is_sent_and_only_to_this_machine(address: str) -> None:
    status, version, page = answer(address)
    assert (status, b"stopwatch" in page) == (200, True)
    assert len(page) < 500_000, "Plotly is fetched once, apart from the page"
    status, script_version, script = answer(address + dashboard.PLOTLY)
    assert (status, b"plotly" in script[:500]) == (200, True)
    assert answer(address + dashboard.PLOTLY, **{"If-None-Match": script_version}) == (304, script_version, b"")
    assert answer(address, **{"If-None-Match": version}) == (304, version, b"")
    assert answer(address, Host="evil.example:80")[0] == 404
    assert answer(address + "etc/passwd")[0] == 404


def test_a_taken_port_and_a_file_are_refused(nas: Program, address: str) -> None:
    port = address.rstrip("/").rpartition(":")[2]
    taken = nas("dashboard", "live", "--serve", "--port", port)
    assert (taken.code, "Address already in use" in taken.err) == (2, True)
    both = nas("dashboard", "live", "--serve", "-o", "page.html")
    assert (both.code, "writes no file" in both.err) == (2, True)
    alone = nas("dashboard", "live", "--port", "0")
    assert (alone.code, "--port 0 is for --serve" in alone.err) == (2, True)


def test_one_request_is_answered_from_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version, length and body belong together, although the page changes with every request."""
    lengths = itertools.count(1000)
    monkeypatch.setattr("nas.commands.dashboard.load", lambda name, store_url: synthetic.run([]))
    monkeypatch.setattr(LivePage, "_database_state", lambda live: None)  # always something new
    monkeypatch.setattr(dashboard, "version", lambda run, team: str(next(lengths)))
    monkeypatch.setattr(dashboard, "page", lambda run, live, further: "x" * (next(lengths) - 1))
    send_header = BaseHTTPRequestHandler.send_header

    def slowly(handler: BaseHTTPRequestHandler, name: str, value: str) -> None:
        time.sleep(0.002)  # so that others ask between two lines of an answer
        send_header(handler, name, value)

    monkeypatch.setattr(BaseHTTPRequestHandler, "send_header", slowly)
    live = LivePage("sqlite:///any.db", "live")

    def ask(method: str) -> tuple[int, int, int]:
        with contextlib.closing(http.client.HTTPConnection(*server.server_address, timeout=30)) as connection:
            connection.request(method, "/")
            response = connection.getresponse()
            body = response.read()
            return int(response.headers["ETag"].strip('"')), int(response.headers["Content-Length"]), len(body)

    with ThreadingHTTPServer((HOST, 0), _handler(live)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, ["GET", "HEAD"] * 60))
        server.shutdown()
    assert len({version for version, _, _ in answers}) == len(answers)
    for (version, length, body), method in zip(answers, ["GET", "HEAD"] * 60, strict=True):
        assert (length, body) == (version, version if method == "GET" else 0)
