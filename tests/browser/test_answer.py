"""The answer in a real browser: a number typed, one click, and the command that exports the network."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from results.store.record import Run
from tests import synthetic

pytestmark = pytest.mark.browser
TYPICAL = synthetic.typical()


def answer(page: Page, budget: str) -> str:
    page.fill("#budget", budget)
    page.wait_for_function("budget => state.budget === Number(budget)", arg=budget)
    return page.inner_text("#take")


def test_which_network_for_70_ms_how_sure_what_it_looks_like_and_how_to_get_it(show: Any) -> None:
    """One number typed, one click."""
    page = show(TYPICAL)
    assert "take trial 4 · 60 ms [59.9, 60.1] · 4.8 nats [4.79, 4.81] entropy, a score and no accuracy" in answer(
        page, "70"
    )
    assert "1.20 × next-vit-s" in page.inner_text("#take")
    assert page.get_attribute("#drawing svg", "aria-label").startswith("stage 1: CCC")
    assert page.evaluate("document.getElementById('pareto').data.at(-1).customdata") == [4]
    page.click("text=Copy the export command")
    page.wait_for_selector("#get >> text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "nas export test-run --trial 4 -o trial-4.json"
    with page.expect_download() as downloading:
        page.click("#get >> text=Download the config")
    assert Path(downloading.value.path()).read_text() == TYPICAL.trials[4].architecture.to_json()
    assert "Trial 4" in page.inner_text("#card"), "the card rests on the answer"


def test_a_budget_that_nothing_keeps_names_the_nearest(show: Any) -> None:
    page = show(TYPICAL)
    said = answer(page, "30")
    assert "there is no network: the nearest, trial 3, has 40 ms [39.9, 40.1], 10 ms too many." in said
    assert page.inner_text("#get") == ""


def test_the_budget_is_dragged_and_a_link_holds_it(show: Any) -> None:
    page = show(TYPICAL)
    page.focus("#slide")
    page.keyboard.press("End")
    page.wait_for_function("state.budget === 95")
    assert "take trial 8" in page.inner_text("#take")
    again = show(TYPICAL, "#budget=60")
    assert again.input_value("#budget") == "60" and "take trial 4" in again.inner_text("#take")


def test_the_formats_compose_the_command(show: Any) -> None:
    page = show(TYPICAL, "#trial=3")
    page.check("#card input[value='onnx']")
    page.check("#card input[value='timm']")
    page.uncheck("#card input[value='config']")
    assert page.inner_text("#card code") == "nas export test-run --trial 3 --to onnx,timm -o trial-3/"


def test_commands_carry_the_store_of_the_run(show: Any) -> None:
    doubtful = replace(synthetic.doubtful({4: "noisy"}), store="sqlite:///a b.db")
    page = show(doubtful, "#trial=3")
    assert page.inner_text("#card code").endswith("-o trial-3.json --store 'sqlite:///a b.db'")
    assert "--latency ort --store 'sqlite:///a b.db'" in page.inner_text("#pareto-summary")


def test_a_doubtful_front_says_so_first_with_the_command_that_measures_again(show: Any) -> None:
    page = show(synthetic.doubtful({4: "noisy"}))
    assert "1 of the front's 3 latencies by ort is doubtful (1 noisy)" in page.inner_text("#doubt")
    assert "◇ doubtful: noisy" in answer(page, "70")
    page.click("#doubt button")
    page.wait_for_selector("#doubt >> text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "nas measure test-run --front --latency ort"
    assert page.is_hidden("#doubt") is False
    assert show(TYPICAL).is_hidden("#doubt")


def test_back_undoes_a_choice_and_escape_clears_it(show: Any) -> None:
    page = show(TYPICAL)
    page.evaluate("set({ trial: 3 })")
    page.evaluate("set({ trial: 8 })")
    page.go_back()
    page.wait_for_function("state.trial === 3")
    assert "Trial 3" in page.inner_text("#card")
    page.keyboard.press("Escape")
    assert page.evaluate("[state.trial, state.compare]") == [None, None]


def test_the_first_row_is_five_tabs_away(show: Any) -> None:
    page = show(TYPICAL)
    for key in ("Tab", "Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.trial") == "8"


def test_limits_go_both_ways_and_are_cleared_at_once(show: Any) -> None:
    page = show(TYPICAL, "#limit=ort<=70&limit=entropy>=4.75")
    assert page.evaluate("current.front.map((row) => columns.numbers[row])") == [4]
    page.click("#controls summary")
    page.click("text=Clear all limits")
    assert page.evaluate("current.front.length") == 3
    page.fill("#limits input[type='number'] >> nth=1", "50")
    page.wait_for_function("current.front.length === 1")
    assert "limit=ort%3C%3D50" in page.url


def test_a_third_metric_is_a_colour(show: Any) -> None:
    page = show(synthetic.on_two_devices())
    page.select_option("#colour", "trt")
    marker = page.evaluate("document.getElementById('pareto').data.find((trace) => trace.name === 'front').marker")
    assert marker["color"] == [12, 16, 17] and "colour=trt" in page.url
    page.select_option("#colour", "")
    assert "colour" not in page.url


def test_an_opened_card_is_in_view(show: Any) -> None:
    page = show(TYPICAL)
    page.click("#front tbody tr >> nth=2")
    top, bottom = page.evaluate("(({ top, bottom }) => [top, bottom])(card.getBoundingClientRect())")
    assert top < page.viewport_size["height"] and bottom > 0


def test_a_front_of_three_objectives_and_noise_everywhere_still_answers(show: Any) -> None:
    run = synthetic.on_two_devices()
    objectives = [*run.config["objectives"], vars(synthetic.OTHER)]
    three = replace(run, config={**run.config, "objectives": objectives})
    noisy = synthetic.doubtful(dict.fromkeys([*range(7), 8], "noisy"), three)
    page = show(noisy)
    assert "take trial 4" in answer(page, "70")
    assert "◇ doubtful: noisy" in page.inner_text("#take")
    assert "of the front's" in page.inner_text("#doubt")
    assert "×" not in page.inner_text("#take"), "nothing is compared with a doubtful latency"


def test_each_step_of_the_front_says_what_it_buys(show: Any) -> None:
    steps = show(TYPICAL).locator("#steps li").all_inner_texts()
    assert steps[0].startswith("40 to 60 ms, trial 3 to trial 4: +20 ms +0.1 nats; ")
    assert len(steps) == 2


def test_two_networks_are_drawn_on_one_scale_of_time(show: Any) -> None:
    page = show(TYPICAL, "#trial=8&compare=3")
    widths = page.evaluate(
        """[...document.querySelectorAll("#compared svg")].map((drawn) => [...drawn.querySelectorAll("rect")]
            .reduce((sum, box) => sum + parseFloat(box.getAttribute("width")), 0))"""
    )
    assert len(widths) == 2 and widths[0] != pytest.approx(widths[1], rel=0.01)
    assert page.locator("#compared .differs").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("run", [TYPICAL, synthetic.doubtful({4: "noisy"})], ids=["typical", "doubtful"])
def test_it_is_accessible(show: Any, run: Run, scheme: Literal["light", "dark"]) -> None:
    """Nothing serious by axe-core, with a network selected and another compared."""
    page = show(run, "#trial=8&compare=3")
    page.emulate_media(color_scheme=scheme)
    page.click("#controls summary")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize(
    "run", [synthetic.run([]), synthetic.run([synthetic.trial(0, 4.5, 50.0)])], ids=["none", "one"]
)
def test_it_stands_with_little(show: Any, run: Run) -> None:
    said = show(run).inner_text("#take")
    assert ("take trial 0" in said) == bool(run.trials)
    assert run.trials or "there is no network yet" in said
