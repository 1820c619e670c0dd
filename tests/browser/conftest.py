"""A real browser: the system's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from results.pages import dashboard
from results.store.record import Run

ARGUMENTS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-gl=angle",  # WebGL in software, the same on every machine
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("NAS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sentence = "no browser: install chromium, or name one with NAS_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a run; the test fails if the page has an error."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    errors: list[str] = []

    def opened(run: Run, hash_: str = "") -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        path = tmp_path / "page.html"
        dashboard.write(run, path)
        page.goto(path.as_uri() + hash_)
        page.wait_for_selector("body[data-ready='1']")
        return page

    yield opened
    context.close()
    assert not errors
