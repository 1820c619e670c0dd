"""Figures as pictures: SVG, as a browser draws them."""

import json
import shutil
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

TO_SVG = """async (figure) => decodeURIComponent((await Plotly.toImage(figure, {
    format: 'svg', width: figure.layout.width, height: figure.layout.height})).split(',').slice(1).join(','))"""


def draw(figure: go.Figure, path: Path) -> None:
    """Writes a figure, whose layout has a width and a height."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(f"<div id='figure'></div><script>{get_plotlyjs()}</script>")
        svg = page.evaluate(TO_SVG, json.loads(figure.to_json()))
        browser.close()
    path.write_text(svg)
