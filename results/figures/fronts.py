"""Two fronts in one plane."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import front
from results.figures.common import ANCHOR, FRONT, beside, layout, title
from results.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class FrontsInfo:
    """The members of each run's front, from left to right, and the anchors of the first."""

    names: tuple[str, str]
    points: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]
    anchors: tuple[tuple[str, float, float], ...]
    axes: tuple[str, str]


def fronts_info(first: Run, second: Run) -> FrontsInfo:
    """Both fronts in the plane of the first latency and the accuracy objective."""
    y, x = first.objectives[:2]

    def members(run: Run) -> tuple[tuple[float, float], ...]:
        return tuple(sorted((trial.value(x.name), trial.value(y.name)) for trial in front.front(run)))

    return FrontsInfo(
        names=(first.name, second.name),
        points=(members(first), members(second)),
        anchors=tuple((t.anchor, t.value(x.name), t.value(y.name)) for t in first.succeeded() if t.anchor),
        axes=(title(x), title(y, first.validity.get(y.name, ""))),
    )


def fronts_figure(info: FrontsInfo) -> "go.Figure":
    """Diamonds and squares, each with the step that is attained; the anchors as stars."""
    import plotly.graph_objects as go

    figure = go.Figure()
    looks = ((FRONT, "diamond", "solid"), ("#D55E00", "square", "dash"))
    for name, points, (colour, symbol, dash) in zip(info.names, info.points, looks, strict=True):
        figure.add_scatter(
            name=name,
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "shape": "hv", "dash": dash},
            marker={"color": colour, "symbol": symbol, "size": 9},
        )
    if info.anchors:
        figure.add_scatter(
            name="the paper's",
            x=[x for _, x, _ in info.anchors],
            y=[y for _, _, y in info.anchors],
            text=[name for name, _, _ in info.anchors],
            mode="markers+text",
            textposition=beside([x for _, x, _ in info.anchors]),
            marker={"color": "#8a8f98", "symbol": "star", "size": 13, "line": {"color": ANCHOR, "width": 1}},
        )
    figure.update_layout(layout(*info.axes), height=480)
    return figure
