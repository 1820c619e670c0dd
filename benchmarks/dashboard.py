"""What the dashboard of 10,000 trials on three devices costs: bytes, elements, seconds until it is ready and responds.

    python benchmarks/dashboard.py [TRIALS]

Compare its start with that of an empty run on the same machine: both pages contain all of Plotly.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from results.pages import dashboard
from tests import synthetic
from tests.browser.conftest import ARGUMENTS

ACTIONS = {
    "another metric on the x axis": "document.getElementById('x').value = 'trt'; x.dispatchEvent(new Event('change'))",
    "a limit": "set({ limits: { ort: 60 } })",
    "a budget": "set({ budget: 40 })",
    "a third metric": "set({ colour: 'params' })",
    "replay": "set({ until: 5000 })",
    "a row of the table": "document.querySelector('#front tbody tr:not([hidden])').click()",
    "two networks": "set({ compare: 0 })",
    "sorted by latency": "document.querySelector('#front th:nth-child(3) button').click()",
    "pointing at all networks": "inspect.click()",
    "parallel axes": "document.querySelector('[data-view=parallel]').open = true",
    "what matters": "document.querySelector('[data-view=importance]').open = true",
}


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = Path(tempfile.mkdtemp())
    start = time.perf_counter()
    dashboard.write(synthetic.large(trials), folder / "large.html")
    print(f"written in {time.perf_counter() - start:.1f} s: {(folder / 'large.html').stat().st_size / 1e6:.2f} MB")
    dashboard.write(synthetic.run([]), folder / "empty.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name in ("empty", "large", "empty", "large"):
            page = browser.new_page()
            print(f"{name}: ready in {ready(page, folder / f'{name}.html'):.2f} s")
        nodes = page.evaluate("document.querySelectorAll('#pareto *').length")
        print(f"{nodes} elements in the front's figure")
        for action, script in ACTIONS.items():
            print(f"{action}: {answered(page, script):.2f} s")
        browser.close()


def ready(page: Page, path: Path) -> float:
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready='1']")
    return time.perf_counter() - start


def answered(page: Page, script: str) -> float:
    """Seconds until the browser has drawn what followed."""
    start = time.perf_counter()
    page.evaluate(
        f"async () => {{ {script}; await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))); }}"
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
