"""The result of `nas strategies` as one HTML page: a figure for each question, and every network."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from results.colours import BLUE, GREY, VERMILION
from results.figures.common.style import titled
from results.pages import document
from results.strategies.report import Answer, Report
from results.strategies.table import NETWORK_HEADINGS, network_row
from search_spaces.common import files

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEAD = (
    "Every strategy was built at several depths, and its widths were changed until its measured latency was within 2 % "
    "of the same target. So a difference is one of the strategy, not of its cost."
)
INTERVALS = {
    "predicted": "Intervals (90 %) are of predicted differences to Next-ViT's strategy: what is common cancels.",
    "other": (
        "Intervals are of paired differences to Next-ViT's strategy, from the scatter of all strategies; with 95 %, "
        "all of a question hold at once."
    ),
}


def write(report: Report, path: Path) -> None:
    """Writes the page, whole or not at all."""
    files.replace(path, page(report))


def page(report: Report) -> str:
    """The whole page as text."""
    scalings = ", ".join(f"{name} ({depths})" for name, depths in report.scalings.items())
    rows = [
        network_row(answer, standing, entry)
        for answer in report.answers
        for standing in answer.standings
        for entry in standing.entries
    ]
    return document.report(
        title=f"Hybrid strategies at {report.milliseconds:g} ms",
        lead=f"{LEAD} {INTERVALS.get(report.metric.kind, INTERVALS['other'])}",
        facts={
            "latency": f"{report.latency.name}, {report.milliseconds:g} ms on {report.device}",
            "judged by": _judge(report),
            "depths": scalings,
        },
        remarks=[*(f"{answer.text} {answer.sentence}" for answer in report.answers), *report.remarks],
        figures={answer.name: figure(report, answer) for answer in report.answers if not answer.unseen},
        headings=NETWORK_HEADINGS,
        rows=["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows],
    )


def _judge(report: Report) -> str:
    words = {"score": "a score", "predicted": "predicted, not trained", "trained": "trained"}
    fidelity = f"; {report.fidelity}" if report.fidelity else ""
    return f"{report.metric.name} [{report.metric.unit}], {words.get(report.metric.kind, report.metric.kind)}{fidelity}"


def figure(report: Report, answer: Answer) -> "go.Figure":
    """The differences to the reference with their intervals, in the order of the catalogue."""
    import plotly.graph_objects as go

    drawn, unit = go.Figure(), "points" if report.metric.unit == "%" else report.metric.unit
    compared = [(each.name, each.difference) for each in answer.standings if each.difference]
    for name, apart, colour in (("told apart", True, VERMILION), ("not told apart", False, GREY)):
        mine = [(label, each) for label, each in compared if each.told_apart == apart]
        drawn.add_scatter(
            name=name,
            x=[each.value for _, each in mine],
            y=[label for label, _ in mine],
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.value for _, each in mine],
                "arrayminus": [each.value - each.low for _, each in mine],
            },
            visible=bool(mine),
        )
    drawn.add_scatter(
        name="Next-ViT's own strategy",
        x=[0.0],
        y=[answer.reference],
        mode="markers",
        marker={"color": BLUE, "size": 10},
    )
    names = [each.name for each in answer.standings][::-1]
    drawn.update_layout(
        {
            **titled(
                answer.text,
                f"difference in {report.metric.name.partition(':')[0]} [{unit}]",
                "",
                190 + 26 * len(names),
            ),
            "xaxis_zeroline": True,
            "yaxis_categoryorder": "array",
            "yaxis_categoryarray": names,
        }
    )
    return drawn
