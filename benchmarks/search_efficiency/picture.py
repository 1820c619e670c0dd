"""The curves as a picture: the share of the hypervolume that is still missing, on a logarithmic axis."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.search_efficiency import report, tables
from benchmarks.search_efficiency.compare import BUDGET, EVERY
from benchmarks.search_efficiency.samplers import SAMPLERS
from results.colours import BLUE, GREEN, GREY, INK, LIGHT_GREY, PURPLE, VERMILION
from results.figures.common.style import AXIS, layout

FEWEST = 3  # seeds: with fewer, a curve is not drawn
COLUMNS, WIDTH, HEIGHT = 3, 1080, 330
LINES = {
    "random": (GREY, "solid"),
    "mutation": (INK, "dot"),
    "tpe": (GREEN, "solid"),
    "nsga2": (PURPLE, "solid"),
    "gp": (BLUE, "solid"),
    "ridge": (LIGHT_GREY, "dash"),
    "screen": (VERMILION, "solid"),
}


def figure(found: dict[str, dict[str, report.Curves]]) -> go.Figure:
    """A panel for each table; a band is the 95 % interval of a mean over seeds."""
    rows = -(-len(found) // COLUMNS)
    titles = [tables.NAMES[name] for name in found]
    made = make_subplots(rows, COLUMNS, subplot_titles=titles, vertical_spacing=0.24 / rows, horizontal_spacing=0.06)
    shown = set[str]()
    for number, by_sampler in enumerate(found.values()):
        place: dict[str, Any] = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        for sampler in (each for each in LINES if len(by_sampler.get(each, ())) >= FEWEST):
            _add(made, sampler, by_sampler[sampler], place, shown=sampler not in shown)
            shown.add(sampler)
    made.update_layout(layout("", ""), width=WIDTH, height=rows * HEIGHT, paper_bgcolor="white", plot_bgcolor="white")
    made.update_layout(legend={"y": -0.08, "yanchor": "top"}, margin={"b": 110})
    made.update_xaxes(**AXIS, range=[0, BUDGET], title={"text": "evaluations", "standoff": 4})
    made.update_yaxes(**AXIS, type="log", tickvals=[0.3, 0.1, 0.03, 0.01, 0.003, 0.001], title_text="")
    made.update_yaxes(title_text="missing share of the hypervolume", col=1)
    return made


def _add(made: go.Figure, sampler: str, of: report.Curves, place: dict[str, Any], *, shown: bool) -> None:
    ends = range(2 * EVERY, report.last(of) + 1, EVERY)
    points = np.array([report.interval(np.array(list(report.at(of, end).values()))) for end in ends])
    mean, low, high = np.maximum(1 - points.T, 1e-4)
    colour, dash = LINES[sampler]
    x = list(ends)
    made.add_scatter(
        x=x + x[::-1], y=np.round([*low, *high[::-1]], 5), fill="toself", line={"width": 0}, fillcolor=colour,
        opacity=0.15, showlegend=False, mode="lines", **place
    )  # fmt: skip
    line = {"color": colour, "dash": dash, "width": 2}
    made.add_scatter(
        x=x, y=np.round(mean, 5), mode="lines", line=line, name=SAMPLERS[sampler].words, showlegend=shown, **place
    )
