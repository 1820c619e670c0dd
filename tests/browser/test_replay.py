"""The replay: the front as it was, and what random search had attained by then."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from results.store.record import Run
from tests import synthetic

pytestmark = pytest.mark.browser
TYPICAL = synthetic.typical()
LINE = "document.getElementById('pareto').data.find((trace) => trace.name.startsWith('random search'))"


def test_the_run_is_replayed(show: Any) -> None:
    page = show(TYPICAL)
    assert page.evaluate("current.front.map((row) => columns.numbers[row])") == [8, 4, 3]
    page.focus("#replay")
    page.keyboard.press("ArrowLeft")  # without trial 8
    page.wait_for_function("current.front.length === 2")
    assert page.inner_text("#kept") == "The run up to trial 6."
    assert "until=6" in page.url
    page.keyboard.press("End")
    page.wait_for_function("state.until === null")
    again = show(TYPICAL, "#until=3")
    assert again.evaluate("current.front.map((row) => columns.numbers[row])") == [3]
    assert "take trial 3" in again.inner_text("#take")
    later = show(TYPICAL, "#until=3&trial=4")
    assert "tried after the trial at which the replay stands" in later.inner_text("#card")


def drawn(count: int, **config: Any) -> Run:
    """Three anchors, then networks that were drawn at random, one of them beyond a limit."""
    random = np.random.default_rng(count)
    points = zip(random.integers(0, 6, count).tolist(), random.uniform(20, 60, count).tolist(), strict=True)
    trials = [synthetic.trial(3 + number, *point) for number, point in enumerate(points)]
    trials[1] = synthetic.trial(4, 9.0, 10.0, state="infeasible")
    return synthetic.run([*synthetic.anchors(), *trials], **config)


@pytest.mark.parametrize("tries", [1, 2, 4, 9])
def test_random_search_attains_what_half_of_all_orders_attain(show: Any, tries: int) -> None:
    run = drawn(9, sampler="random")
    page = show(run, f"#until={2 + tries}")
    line = page.evaluate(LINE)
    assert line["name"] == f"random search after {tries}, with even odds"
    mine = [trial for trial in run.trials if not trial.anchor]
    for latency in (trial.value("ort") for trial in mine):
        for score in range(6):
            reach = {
                t.number for t in mine if t.state == "ok" and t.value("ort") <= latency and t.value("entropy") >= score
            }
            orders = list(combinations([trial.number for trial in mine], tries))
            odds = sum(bool(reach & set(order)) for order in orders) / len(orders)
            shown = any(x <= latency and y >= score for x, y in zip(line["x"], line["y"], strict=True))
            assert shown == (odds >= 0.5), (latency, score, odds)


def test_random_search_is_known_as_far_as_the_run_drew_at_random(show: Any) -> None:
    page = show(drawn(20), "#until=20")
    assert page.evaluate("columns.random.length") == 7, "seven draws before the sampler has a model of ten networks"
    assert page.evaluate(LINE)["name"] == "random search after 7, with even odds"
    assert page.evaluate(f"set({{ until: null }}) || {LINE}") is None, "only in the replay"
    assert show(drawn(20, taught_by=["other"])).evaluate("columns.random") == [], (
        "the best of an earlier run come first"
    )
