"""The front in the page is Python's: of any two metrics, under any limit, in figure, table, card, map and words."""

import random
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from evaluators import Metric
from results import front, load
from results.figures.pareto import pareto_info
from results.figures.strategy import strategy_info
from results.pages import dashboard
from results.store.record import Run, Trial
from tests import synthetic
from tests.conftest import Program

pytestmark = pytest.mark.browser

FRONT = """() => ({
    figure: current.front.map((row) => columns.numbers[row]),
    table: [...document.querySelectorAll("#front tbody tr")].map((line) => Number(line.dataset.trial)),
    knee: current.knee === null ? null : columns.numbers[current.knee],
    words: document.getElementById("pareto").getAttribute("aria-label"),
    below: document.getElementById("pareto-summary").textContent,
    map: document.getElementById("strategy").getAttribute("aria-label"),
    card: document.querySelector("#card h2")?.textContent,
})"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors


def opened(page: Page, run: Run, folder: Path, hash_: str = "") -> Page:
    path = folder / "page.html"
    dashboard.write(run, path)
    page.goto("about:blank")
    page.goto(path.as_uri() + hash_)
    page.wait_for_selector("body[data-ready='1']")
    return page


# Any two columns


def case(seed: int) -> dict[str, Any]:
    """Two columns with ties and gaps, with one direction or the other, some rows beyond the run's limits."""
    draw = random.Random(seed)
    rows, fine = range(draw.randrange(60)), draw.random() < 0.5

    def value() -> float | None:
        return None if draw.random() < 0.1 else draw.uniform(-1, 1) if fine else float(draw.randrange(-3, 4))

    directions = [draw.choice(["minimize", "maximize"]) for _ in range(2)]
    limit = draw.choice([None, 0.0, 1.0])
    infeasible = [row for row in rows if draw.random() < 0.1]
    return {"y": [value() for _ in rows], "x": [value() for _ in rows], "directions": directions} | {
        "limit": limit,
        "infeasible": infeasible,
    }


def keeps(value: float, limit: float, metric: Metric) -> bool:
    """At the most for a cost, and at the least for anything else."""
    return value <= limit if metric.direction == "minimize" else value >= limit


def by_python(case: dict[str, Any]) -> tuple[list[int], int | None]:
    y, x = (
        Metric(name=name, unit="", direction=direction, kind="measured")
        for name, direction in zip("yx", case["directions"], strict=True)
    )
    trials = [
        Trial(
            number=row,
            architecture=synthetic.PAPER["next-vit-s"],
            state="infeasible" if row in case["infeasible"] else "ok",
            measurements={
                metric.name: synthetic.measurement(metric, case[metric.name][row])
                for metric in (y, x)
                if case[metric.name][row] is not None
            },
        )
        for row in range(len(case["y"]))
    ]
    within = [
        trial
        for trial in trials
        if case["limit"] is None or ("x" in trial.measurements and keeps(trial.value("x"), case["limit"], x))
    ]
    run, members = front.plane(synthetic.run(within), y, x)
    knee = front.knee(run, members)
    return [trial.number for trial in members], knee.number if knee else None


def test_a_thousand_fronts_are_those_of_python(page: Page, tmp_path: Path) -> None:
    cases = [case(seed) for seed in range(1000)]
    opened(page, synthetic.typical(), tmp_path)
    answers = page.evaluate(
        """(cases) => cases.map(({ y, x, directions, limit, infeasible: beyond }) => {
            Object.assign(columns, { values: { y, x }, anchors: {}, metrics: {} });
            ["y", "x"].forEach((name, index) => (columns.metrics[name] = { direction: directions[index] }));
            everyRow.splice(0, everyRow.length, ...x.keys());
            infeasible.clear();
            beyond.forEach((row) => infeasible.add(row));
            Object.assign(state, { x: "x", y: "y", limits: limit === null ? {} : { x: limit } });
            const { front, knee } = findFront();
            return [front, knee];
        })""",
        cases,
    )
    expected = [list(by_python(case)) for case in cases]
    assert [pair for pair in zip(answers, expected, strict=True) if pair[0] != pair[1]] == []
    assert sum(knee is not None for _, knee in expected) > 300, "the cases are worth something"


# A real run


def test_the_page_and_nas_show_agree_under_limits(finished: Program, page: Page, tmp_path: Path) -> None:
    """By the command that the page itself names for a terminal, units and all."""
    run = load("whole", f"sqlite:///{finished.folder}/runs/nas.db")
    opened(page, run, tmp_path)
    fronts = {tuple(trial.number for trial in front.front(run))}
    for metric in ("params", "macs", run.objectives[1].name):
        values = sorted(trial.value(metric) for trial in run.succeeded())
        dearest = max(trial.value(metric) for trial in front.front(run))
        below = [value for value in values if value < 0.97 * dearest][-1:]  # so that one member at least has to go
        for bound in (float(f"{value:.3g}") for value in (values[int(0.6 * len(values))], *below)):
            page.evaluate("limits => set({ limits })", {metric: bound})
            shown = page.evaluate(FRONT)
            command = page.inner_text("#kept").partition("In a terminal: nas ")[2]
            listed = finished(*shlex.split(command), "--json").json
            assert [trial["trial"] for trial in listed["trials"]] == shown["figure"] == shown["table"], (metric, bound)
            fronts.add(tuple(shown["figure"]))
    members = front.front(run)
    assert len(fronts) > 1 or len(members) == 1, "one that is best in everything stays under every limit"
    again = opened(page, run, tmp_path, "#limit=params<=40M")
    assert again.evaluate("state.limits") == {"params": 40}, "with its unit, as in a terminal"


# What follows the front


def test_every_part_of_the_page_follows_the_front(page: Page, tmp_path: Path) -> None:
    run = synthetic.many(60)
    opened(page, run, tmp_path)
    first = page.evaluate(FRONT)
    info = pareto_info(run)
    assert first["figure"] == first["table"] == list(info.front.trials)
    assert first["knee"] == info.knee.trials[0]
    assert first["card"].startswith(f"Trial {first['knee']}")
    bound = sorted(trial.value("ort") for trial in run.succeeded())[30]
    page.evaluate("limits => set({ limits })", {"ort": bound})
    second = page.evaluate(FRONT)
    members = front.front(run, [trial for trial in run.feasible() if trial.value("ort") <= bound])
    limited = replace(run, trials=tuple(trial for trial in run.trials if trial.value("ort") <= bound))
    knee = front.knee(run, members)
    assert knee
    assert second["figure"] == second["table"] == [trial.number for trial in members] != first["figure"]
    assert (second["knee"], second["card"].partition(",")[0]) == (knee.number, f"Trial {knee.number}")
    assert second["words"] == second["below"] == pareto_info(limited).summary != first["words"]
    page.evaluate("limits => set({ limits })", {"ort": 1})
    assert page.evaluate(FRONT)["table"] == []
    assert page.inner_text("#nothing") == page.inner_text("#pareto-summary").partition(" Scores")[0]
    assert page.evaluate("document.getElementById('strategy').getAttribute('aria-label')") == "The front is empty."


def test_a_network_that_a_limit_brings_to_the_front_has_row_card_and_place(page: Page, tmp_path: Path) -> None:
    run = synthetic.typical()
    run.trials[5].measurements["params"] = synthetic.measurement(replace(synthetic.OTHER, name="params", unit="M"), 9.0)
    opened(page, run, tmp_path, "#limit=params<=10")
    assert page.evaluate(FRONT)["table"] == [5], "networks without that number do not keep its limit"
    page.click("#front tbody tr")
    assert "Trial 5" in page.inner_text("#card")
    assert "On this front." in page.inner_text("#card")
    page.evaluate("set({ trial: 8 })")
    assert "beyond a limit" in page.inner_text("#card")


# Words


@pytest.mark.parametrize(
    "run",
    [
        synthetic.typical(),
        synthetic.many(40),
        synthetic.doubtful({3: "drifted", 4: "noisy", 0: "cpu_time"}),
        synthetic.run([]),
    ],
    ids=["typical", "many", "doubtful", "empty"],
)
def test_the_page_says_what_python_says(page: Page, tmp_path: Path, run: Run) -> None:
    shown = opened(page, run, tmp_path).evaluate(
        FRONT.replace('getElementById("strategy")', 'getElementById("strategy")?')
    )
    assert shown["words"] == pareto_info(run).summary
    if run.trials:
        assert shown["map"] == strategy_info(run).summary


def test_a_doubtful_latency_is_marked_wherever_it_stands(page: Page, tmp_path: Path) -> None:
    opened(page, synthetic.doubtful({3: "drifted", 0: "cpu_time"}), tmp_path, "#trial=3&compare=4")
    names = (
        "document.getElementById('pareto').data.flatMap((t) => t.customdata?.length ? [[t.name, t.customdata]] : [])"
    )
    traces = dict(page.evaluate(names))
    assert traces["front"] == [8, 4]
    assert traces["front, latency doubtful"] == [3]
    assert traces["the paper's, latency doubtful"] == [0]
    assert "front, latency doubtful" in page.text_content("#pareto .legend")
    assert "◇ drifted" in page.inner_text("#front tbody tr[data-trial='3']")
    assert "◇" not in page.inner_text("#front tbody tr[data-trial='4']")
    assert "◇ ort is doubtful (drifted): measure again with 'nas measure test-run --trial 3" in page.inner_text("#card")
    assert "doubtful: drifted" in page.inner_text("#compared")
    assert "covers" not in page.inner_text("body")
    assert "beats the paper" not in page.inner_text("body")


def test_an_interval_is_as_long_on_each_side_as_it_was_measured(page: Page, tmp_path: Path) -> None:
    run = synthetic.typical()
    run.trials[3].measurements["ort"] = replace(run.trials[3].measurements["ort"], low=39.5, high=42.0)
    opened(page, run, tmp_path, "#trial=3")
    assert "39.5 to 42" in page.inner_text("#card")
    assert "−0.5 +2" in page.inner_text("#front tbody tr[data-trial='3']")
    ends = page.evaluate("document.getElementById('pareto').data.find((trace) => trace.name === '95 % intervals').x")
    assert {39.5, 42.0} <= set(ends)
