"""The dashboard in a real browser: drawn, silent, and usable by mouse and by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from results import dashboard
from results.record import Run
from tests import synthetic

pytestmark = pytest.mark.browser


class Opened:
    """A page that is ready, with every request and error since it was opened."""

    def __init__(self, browser: Browser, path: Path, hash_: str = "", **options: Any) -> None:
        self.page: Page = browser.new_context(**options).new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.goto(path.as_uri() + hash_)
        self.page.wait_for_selector("body[data-ready='1']")

    def click_point(self, trace: str, index: int) -> None:
        """A real click on the pixels of a point."""
        x, y = self.page.evaluate(
            """([name, index]) => {
                const plot = document.getElementById("pareto"), {xaxis, yaxis} = plot._fullLayout;
                const {x, y} = plot._fullData.find((trace) => trace.name === name), box = plot.getBoundingClientRect();
                return [box.x + xaxis._offset + xaxis.d2p(x[index]), box.y + yaxis._offset + yaxis.d2p(y[index])];
            }""",
            [trace, index],
        )
        self.page.mouse.move(x, y)
        self.page.wait_for_function(
            """([name, index]) => {
                const point = document.getElementById("pareto")._hoverdata?.[0];
                return point?.pointNumber === index && point.fullData.name === name;
            }""",
            arg=[trace, index],
        )
        self.page.mouse.click(x, y)

    @property
    def card(self) -> str:
        return self.page.inner_text("#card")


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    opened: list[Opened] = []

    def open_page(run: Run, **options: Any) -> Opened:
        path = tmp_path / "page.html"
        dashboard.write(run, path)
        opened.append(Opened(browser, path, **options))
        return opened[-1]

    yield open_page
    for each in opened:
        assert each.errors == []
        assert [url for url in each.requests if not url.startswith(("file:", "data:", "blob:"))] == []
        each.page.context.close()


def test_a_click_on_the_front_or_an_anchor_opens_its_card(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.click_point("front", 2)
    assert "Trial 3" in opened.card
    assert "nas export test-run --trial 3 -o arch.json" in opened.card
    opened.click_point("the paper's, measured here", 0)
    assert "Trial 0, next-vit-s" in opened.card
    assert opened.page.url.endswith("#trial=0")


def test_the_front_in_the_page_is_the_front(show: Any) -> None:
    opened = show(synthetic.typical())
    drawn = opened.page.evaluate(
        "document.getElementById('pareto').data.find((each) => each.name === 'front').customdata"
    )
    assert drawn == [8, 4, 3]


def test_the_table_leads_everywhere_by_keyboard(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.focus("#front tbody tr")
    opened.page.keyboard.press("Enter")
    assert "Trial 8" in opened.card
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    assert "Trial 4" in opened.card
    opened.page.keyboard.press("Escape")
    assert "Point at a diamond" in opened.card


def test_the_table_sorts(show: Any) -> None:
    opened = show(synthetic.typical())
    numbers = "[...document.querySelectorAll('#front tbody tr')].map((row) => row.dataset.trial)"
    opened.page.click("#front th:nth-child(3) button")
    assert opened.page.evaluate(numbers) == ["3", "4", "8"]
    opened.page.click("#front th:nth-child(3) button")
    assert opened.page.evaluate(numbers) == ["8", "4", "3"]


def test_a_link_is_a_view(show: Any) -> None:
    assert "Trial 2, next-vit-l" in show(synthetic.typical(), hash_="#trial=2").card


def test_nothing_offers_to_upload(show: Any) -> None:
    opened = show(synthetic.typical())
    titles = opened.page.eval_on_selector_all(".modebar-btn", "all => all.map((each) => each.dataset.title)")
    assert set(titles) == {"Download plot as a PNG", "Reset axes"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_needs_no_sideways_scrolling(show: Any, scheme: str) -> None:
    opened = show(synthetic.typical(), viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    "run",
    [
        synthetic.run([]),
        synthetic.run([synthetic.trial(0, 4.5, 50.0)]),
        synthetic.run([synthetic.trial(0, 0, 0, state="failed", measurements={}, cause="</script><b>no")]),
    ],
    ids=["empty", "one", "all failed"],
)
def test_the_page_stands_with_little(show: Any, run: Run) -> None:
    opened = show(run)
    assert "Method" in opened.page.inner_text("main")
    assert opened.page.query_selector("section b") is None


def test_without_webgl_the_cloud_is_still_there(tmp_path: Path, show: Any) -> None:
    opened = show(synthetic.typical(), hash_="")
    opened.page.context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready='1']")
    kinds = opened.page.evaluate("document.getElementById('pareto').data.map((each) => each.type)")
    assert "scattergl" not in kinds
    assert opened.page.query_selector(".no-webgl") is None
