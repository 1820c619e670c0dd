"""Writes docs/pictures/ from the dashboard of a run: `python scripts/make_picture.py runs/nhs-1.html`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PLACE = Path(__file__).parent.parent / "docs" / "pictures"
PICTURES = {"front": (1280, 930, "light"), "front-dark": (1280, 930, "dark"), "front-narrow": (390, 844, "light")}


def main(page_file: Path) -> None:
    """The top of the page as a browser shows it, finer than a screen: light, dark, and on a telephone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme) in PICTURES.items():
            view = {"width": width, "height": height}
            page = browser.new_page(viewport=view, color_scheme=scheme, device_scale_factor=1.5)
            page.goto(page_file.resolve().as_uri())
            page.wait_for_selector("body[data-ready='1']")
            page.evaluate("document.querySelectorAll('.modebar-container').forEach((bar) => bar.remove())")
            page.screenshot(path=PLACE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
