"""Writes docs/front.png from the dashboard of a run: `python docs/make_picture.py runs/nhs-1.html`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "front.png"


def main(page_file: Path) -> None:
    """Draws the front as a browser shows it, twice as fine as a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
        page.goto(page_file.resolve().as_uri())
        page.wait_for_selector("body[data-ready='1']")
        page.evaluate("document.querySelectorAll('.modebar-container').forEach((bar) => bar.remove())")
        page.locator("#pareto").screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
