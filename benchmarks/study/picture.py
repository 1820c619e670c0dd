"""The study in one figure, from what is kept here: `python -m benchmarks.study.picture docs/pictures/study.svg`.

On the left hybrid strategies at one measured latency, trained on photographs; on the right the fronts of the searched
spaces, as published networks predict them.
"""

import json
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.drawing import draw
from benchmarks.strategies import analyse
from benchmarks.study.report import KEPT
from results.colours import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILION
from results.figures.common.style import AXIS, layout
from results.front import front
from results.store.record import Run
from results.store.store import Store
from results.strategies.report import Report, Standing
from search_spaces.strategies.catalogue import NEXT_VIT

WIDTH, HEIGHT = 1180, 720
LEFT, RIGHT = {"row": 1, "col": 1}, {"row": 1, "col": 2}
SLOWEST = 200.0  # ms that the right panel shows


@dataclass(frozen=True)
class Look:
    """How the front of a space is drawn."""

    colour: str
    dash: str
    symbol: str


LOOKS = {
    "nhs": Look(BLUE, "solid", "diamond"),
    "free": Look(VERMILION, "dot", "square"),
    "metaformer": Look(GREEN, "dash", "circle"),
    "fastvit": Look(PURPLE, "dashdot", "triangle-up"),
    "maxxvit": Look(ORANGE, "longdash", "cross"),
}


def main() -> None:
    results = [json.loads(line) for line in (analyse.HERE / "results.jsonl").read_text().splitlines()]
    report = analyse.reported(json.loads((analyse.HERE / "genotypes.json").read_text()), results)
    with closing(Store(f"sqlite:///{KEPT}")) as store:
        runs = [store.run(name) for name in store.names()]
    draw(figure(report, runs), Path(sys.argv[1]))


def figure(report: Report, runs: list[Run]) -> go.Figure:
    """Both panels, with a legend for each."""
    made = make_subplots(
        1,
        2,
        column_widths=[0.42, 0.58],
        horizontal_spacing=0.08,
        subplot_titles=[
            f"{len(names(report))} strategies at {report.milliseconds:g} ms, trained on photographs",
            "Searched spaces, as published networks predict them",
        ],
    )
    made.update_layout(layout("", ""), width=WIDTH, height=HEIGHT, paper_bgcolor="white", plot_bgcolor="white")
    made.update_layout(margin={"l": 130, "r": 16, "t": 60, "b": 60})
    made.update_layout(legend={"orientation": "v", "x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom"})
    _strategies(made, report)
    for run in runs:
        if run.name in LOOKS:
            _front(made, run, LOOKS[run.name])
    _anchors(made, runs[0])
    made.update_xaxes(**AXIS, zeroline=False)
    made.update_yaxes(**AXIS, zeroline=False)
    made.update_xaxes(title_text="top-1 against Next-ViT's strategy [points]", zeroline=True, **LEFT)
    made.update_xaxes(title_text="latency [ms], measured: ONNX Runtime, two cores", range=[0, SLOWEST], **RIGHT)
    made.update_yaxes(title_text="ImageNet top-1 [%], predicted: lower end of the interval", **RIGHT)
    return made


def names(report: Report) -> list[str]:
    """The strategies that were trained, the best first."""
    values = {each.name: each.value for each in analyse.compared(report).standings if each.value is not None}
    return sorted(values, key=lambda name: -values[name])


def _strategies(made: go.Figure, report: Report) -> None:
    order = names(report)
    standings = {each.name: each for each in analyse.compared(report).standings}
    for words, apart, colour in (("told apart", True, VERMILION), ("not told apart", False, GREY)):
        mine = [standings[name] for name in order if _is_apart(standings[name]) is apart]
        values = [each.difference for each in mine if each.difference]
        error: dict[str, Any] = {
            "type": "data",
            "symmetric": False,
            "array": [each.high - each.value for each in values],
            "arrayminus": [each.value - each.low for each in values],
            "thickness": 1.5,
            "width": 3,
        }
        made.add_scatter(
            x=[each.value for each in values],
            y=[each.name for each in mine],
            error_x=error,
            mode="markers",
            marker={"color": colour, "size": 8},
            name=words,
            showlegend=False,
            **LEFT,
        )
    made.add_scatter(
        x=[0], y=[NEXT_VIT.name], mode="markers", marker={"color": BLUE, "size": 12, "symbol": "star"},
        showlegend=False, **LEFT,
    )  # fmt: skip
    labels = [f"<b>{name}</b>" if name == NEXT_VIT.name else name for name in order]
    made.update_yaxes(
        categoryorder="array", categoryarray=order[::-1], tickvals=order, ticktext=labels, tickfont={"size": 12}, **LEFT
    )


def _is_apart(standing: Standing) -> bool | None:
    return standing.difference.told_apart if standing.difference else None


def _front(made: go.Figure, run: Run, look: Look) -> None:
    accuracy, latency = (metric.name for metric in run.objectives)
    points = sorted((trial.value(latency), trial.value(accuracy)) for trial in front(run))
    made.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines+markers",
        name=f"{run.name}, {len(run.succeeded())} networks",
        line={"color": look.colour, "dash": look.dash, "width": 1.5, "shape": "hv"},
        marker={"color": look.colour, "symbol": look.symbol, "size": 6},
        **RIGHT,
    )


def _anchors(made: go.Figure, run: Run) -> None:
    """The paper's networks, as the first run measured them."""
    accuracy, latency = (metric.name for metric in run.objectives)
    anchors = [trial for trial in run.succeeded() if trial.anchor]
    made.add_scatter(
        x=[trial.value(latency) for trial in anchors],
        y=[trial.value(accuracy) for trial in anchors],
        mode="markers",
        name="Next-ViT-S, B, L",
        marker={"color": GREY, "symbol": "star", "size": 14, "line": {"color": INK, "width": 1}},
        **RIGHT,
    )


if __name__ == "__main__":
    main()
