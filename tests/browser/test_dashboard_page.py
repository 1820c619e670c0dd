"""The dashboard in a real browser: drawn, silent, and usable by mouse and by keyboard."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from results.glyphs import svg
from results.pages import dashboard
from results.store.record import Run
from search_spaces.nextvit.architecture import PARTS
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
                plot.scrollIntoView({ block: "center" });
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
    for one in opened:
        assert one.errors == []
        assert [url for url in one.requests if not url.startswith(("file:", "data:", "blob:"))] == []
        one.page.context.close()


def test_a_click_on_the_front_or_an_anchor_opens_its_card(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.click_point("front", 2)
    assert "Trial 3" in opened.card
    assert "nas export test-run --trial 3 -o trial-3.json" in opened.card
    opened.click_point("the paper's, measured here", 0)
    assert "Trial 0, next-vit-s" in opened.card
    assert opened.page.url.endswith("#trial=0")


def test_the_front_in_the_page_is_the_front(show: Any) -> None:
    opened = show(synthetic.typical())
    drawn = opened.page.evaluate(
        "document.getElementById('pareto').data.find((item) => item.name === 'front').customdata"
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
    assert "Trial 4\nThe knee of this front." in opened.card.replace("\n\n", "\n")


def test_the_table_sorts(show: Any) -> None:
    opened = show(synthetic.typical())
    numbers = "[...document.querySelectorAll('#front tbody tr')].map((row) => row.dataset.trial)"
    opened.page.click("#front th:nth-child(3) button")
    assert opened.page.evaluate(numbers) == ["3", "4", "8"]
    opened.page.click("#front th:nth-child(3) button")
    assert opened.page.evaluate(numbers) == ["8", "4", "3"]
    assert "±0.1" in opened.page.inner_text("#front tbody")


def test_a_link_is_a_view(show: Any) -> None:
    assert "Trial 2, next-vit-l" in show(synthetic.typical(), hash_="#trial=2").card


def test_nothing_offers_to_upload(show: Any) -> None:
    opened = show(synthetic.typical())
    titles = opened.page.eval_on_selector_all(".modebar-btn", "all => all.map((item) => item.dataset.title)")
    assert set(titles) == {"Download plot as a PNG", "Reset axes"}


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (640, "light")])
def test_a_telephone_and_twice_the_size_need_no_sideways_scrolling(show: Any, width: int, scheme: str) -> None:
    """640 pixels are a window of 1280 at 200 %."""
    opened = show(
        synthetic.typical(), hash_="#trial=2&compare=0", viewport={"width": width, "height": 740}, color_scheme=scheme
    )
    opened.page.click("#controls summary")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_is_white_and_its_ink_is_dark(show: Any) -> None:
    opened = show(synthetic.typical(), color_scheme="dark")
    ink = "document.getElementById('pareto')._fullLayout.font.color"
    assert opened.page.evaluate(ink) == "#e6edf3"
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.page.wait_for_function(f"{ink} === '#1b1f24'")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


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
    empty = opened.page.inner_text("#nothing")
    assert empty == ("" if run.succeeded() else "The front is empty so far. Causes of failures are listed below.")
    assert opened.page.query_selector("section b") is None


def test_without_webgl_the_cloud_is_still_there(tmp_path: Path, show: Any) -> None:
    opened = show(synthetic.typical(), hash_="")
    opened.page.context.add_init_script(
        """const original = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind.startsWith("webgl") ? null : original.call(this, kind, ...rest);
        };"""
    )
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready='1']")
    kinds = opened.page.evaluate("document.getElementById('pareto').data.map((item) => item.type)")
    assert "scattergl" not in kinds
    assert opened.page.query_selector(".no-webgl") is None
    opened.page.click("details[data-view='parallel'] summary")
    opened.page.wait_for_function("document.getElementById('parallel').textContent.includes('no WebGL')")


def drawn(opened: Opened, trace: str) -> list[int]:
    """The trials of one layer of the front's figure."""
    return opened.page.evaluate(
        "name => document.getElementById('pareto').data.find((item) => item.name === name).customdata", trace
    )


def test_another_metric_has_another_front(show: Any) -> None:
    """Both axes can be selected, and the table and the address follow."""
    opened = show(synthetic.on_two_devices())
    assert drawn(opened, "front") == [8, 4, 3]
    opened.page.select_option("#x", "trt")
    assert drawn(opened, "front") == [8]
    assert opened.page.eval_on_selector_all("#front tbody tr:not([hidden])", "all => all.length") == 1
    assert "trt [ms], lower is better" in opened.page.inner_text("#pareto")
    assert opened.page.url.endswith("#x=trt")
    assert "another device" in opened.page.inner_html("#x")


def test_a_limit_hollows_out_what_is_beyond_and_says_how_much(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.click("#controls summary")
    opened.page.focus("#limits input[aria-label='limit on ort, by dragging']")
    opened.page.keyboard.press("Home")  # the least, then a step at a time
    for _ in range(60):
        opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_function("current.front.length === 2")
    assert drawn(opened, "front") == [4, 3]
    assert set(drawn(opened, "beyond a limit")) == {5, 6, 8}
    assert opened.page.inner_text("#kept").startswith("3 of 8 networks keep the limits set here")
    assert "limit=ort" in opened.page.url


def test_a_link_holds_the_whole_selection(show: Any) -> None:
    opened = show(synthetic.on_two_devices(), hash_="#x=trt&y=entropy&limit=ort%3C%3D70&trial=3&compare=4")
    assert drawn(opened, "front") == [4], "the best of those that keep it, though it was on no front before"
    assert opened.page.input_value("#x") == "trt"
    assert "Trial 3" in opened.card
    assert "trial 4" in opened.page.inner_text("#compared")


@pytest.mark.parametrize(
    "hash_",
    [
        "#trial=99",
        "#x=constructor&y=ort&limit=toString<=1",
        "#x=nothing&limit=no<=1&trial=",
        "#limit=ort<=x&compare=-1",
        "#%%%",
    ],
)
def test_a_wrong_link_is_the_page_as_it_was(show: Any, hash_: str) -> None:
    opened = show(synthetic.typical(), hash_=hash_)
    assert drawn(opened, "front") == [8, 4, 3]


def test_two_networks_are_compared_by_keyboard(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.focus("#front tbody tr")
    opened.page.keyboard.press("c")
    assert "Trial 8 is marked" in opened.page.inner_text("#compared")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    text = opened.page.inner_text("#compared")
    assert "-35 (-36.8 %)" in text
    assert "stage 3, blocks" in text
    assert "stage 1, blocks" not in text, "only what differs"


def test_networks_within_each_others_intervals_are_called_not_distinguishable(show: Any) -> None:
    close = [synthetic.trial(number, 4.0 + number, 50.0 + number / 10) for number in range(2)]
    opened = show(synthetic.run(close), hash_="#trial=0&compare=1")
    assert "not distinguishable" in opened.page.inner_text("#compared")


def test_dominated_networks_are_pointed_at_when_asked_for(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.check("#inspect")
    opened.click_point("dominated", 0)
    assert "Trial 5" in opened.card
    assert "ort" in opened.card
    assert opened.page.query_selector("#card .timed"), "a network off the front is drawn, too"


def test_brushing_the_parallel_axes_filters_every_view(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.click("details[data-view='parallel'] summary")
    opened.page.wait_for_function("document.getElementById('parallel')._fullLayout !== undefined")
    opened.page.wait_for_selector("details[data-view='parallel'][data-heard]")
    opened.page.evaluate("Plotly.restyle('parallel', {'dimensions[1].constraintrange': [[4, 5]]}, [0])")
    assert drawn(opened, "front") == [4, 3]
    again = show(synthetic.typical(), hash_=opened.page.url.partition("#")[2].join(["#", ""]))
    assert drawn(again, "front") == [4, 3]
    brush = "document.getElementById('parallel').data[0].dimensions[1].constraintrange"
    assert again.page.evaluate(brush) == [4, 5], "the axis shows what the link says"


def test_the_selected_network_is_marked_in_the_other_views(show: Any) -> None:
    opened = show(synthetic.typical())
    opened.page.click("details[data-view='parallel'] summary")
    opened.page.wait_for_selector("details[data-view='parallel'][data-heard]")
    opened.page.focus("#front tbody tr")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function("document.getElementById('progress').layout.shapes.at(-1).x0 === 8")
    strategy = opened.page.evaluate("document.getElementById('strategy').data.at(-1)")
    assert [round(x + 0.33) for x in strategy["x"]] == [0, 1, 0, 1], "the transformers of each stage"
    assert [round(y + 0.33) for y in strategy["y"]] == [0, 1, 2, 3]
    assert opened.page.evaluate("document.getElementById('parallel').data[0].line.color.at(-1)") == 2


def test_the_page_draws_a_network_as_python_does(show: Any) -> None:
    run = synthetic.many()
    opened = show(run)
    for trial in run.trials[:20]:
        assert opened.page.evaluate("trial => glyph(stagesOf(rowOf.get(trial)))", trial.number) == svg(
            trial.architecture
        )


def test_the_card_tells_where_the_time_goes(show: Any) -> None:
    run = synthetic.typical()
    parts = dict(zip(PARTS, (9.5, 14.5, 18.5, 42.5, 14.5, 0.5), strict=True))
    measured = run.trials[3].measurements["ort"]
    shares = {f"{part} [%]": share for part, share in parts.items()}
    run.trials[3].measurements["ort"] = replace(measured, secondary=shares)
    opened = show(run, hash_="#trial=3")
    assert "of ort" in opened.card
    assert "42.5 %" in opened.card
    opened.page.evaluate("set({ trial: 4 })")
    assert "of ort" not in opened.card, "a run-time that does not tell leaves no empty column"


def test_the_downloaded_config_is_what_export_writes(show: Any) -> None:
    run = synthetic.typical()
    opened = show(run, hash_="#trial=3")
    with opened.page.expect_download() as downloading:
        opened.page.click("#card >> text=Download the config")
    assert Path(downloading.value.path()).read_text() == run.trials[3].architecture.to_json()


def test_ten_thousand_networks_on_three_devices(show: Any, tmp_path: Path) -> None:
    """The file stays small, and so does what the browser has to hold."""
    opened = show(synthetic.large())
    assert (tmp_path / "page.html").stat().st_size <= 6.5e6
    assert opened.page.evaluate("document.querySelectorAll('#pareto *').length") <= 300
    opened.page.select_option("#x", "trt")
    assert "trt" in opened.page.inner_text("#pareto")


def test_a_device_that_measured_only_some_shows_those(show: Any) -> None:
    run = synthetic.on_two_devices()
    del run.trials[8].measurements["trt"]
    opened = show(run, hash_="#x=trt&trial=8&compare=3")
    assert drawn(opened, "front") == [4, 5]
    assert 8 not in drawn(opened, "dominated")
    assert "trt" not in opened.page.inner_text("#compared"), "what one of them lacks is not compared"


def test_without_anchors_nothing_is_compared_with_the_paper(show: Any) -> None:
    opened = show(synthetic.run([synthetic.trial(number, 4.0 + number, 50.0 + number) for number in range(3, 9)]))
    assert drawn(opened, "the paper's, measured here") == []
    assert "compared with nothing" in opened.page.inner_text("[aria-label='Health'] .health")
