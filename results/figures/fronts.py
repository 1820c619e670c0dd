"""Two fronts in one plane."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import front, validity
from results.colours import BLUE, GREY, INK, VERMILION
from results.figures.common.style import label_positions, layout, title
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class FrontsInfo:
    """The members of both fronts, from left to right, and the anchors of the first run."""

    names: tuple[str, str]
    points: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]
    doubtful: tuple[tuple[bool, ...], tuple[bool, ...]]  # which of these points have a doubtful latency
    anchors: tuple[tuple[str, float, float], ...]
    whose: str  # anchors they are
    axes: tuple[str, str]


def fronts_info(first: Run, second: Run) -> FrontsInfo:
    """Both fronts in the plane of the first latency and the accuracy objective."""
    y, x = first.objectives[:2]

    def members(run: Run) -> list[tuple[float, float, bool]]:
        return sorted((t.value(x.name), t.value(y.name), t.measurements[x.name].doubtful) for t in front.front(run))

    sides = (members(first), members(second))
    return FrontsInfo(
        names=(first.name, second.name),
        points=(tuple((x, y) for x, y, _ in sides[0]), tuple((x, y) for x, y, _ in sides[1])),
        doubtful=(tuple(doubt for _, _, doubt in sides[0]), tuple(doubt for _, _, doubt in sides[1])),
        anchors=tuple((t.anchor, t.value(x.name), t.value(y.name)) for t in first.succeeded() if t.anchor),
        whose=front.whose_anchors(first),
        axes=(title(x), title(y, validity.shown(first, y))),
    )


def fronts_figure(info: FrontsInfo) -> "go.Figure":
    """Diamonds and squares, hollow where a latency is doubtful, with step lines; the anchors as stars."""
    import plotly.graph_objects as go

    figure = go.Figure()
    looks = ((BLUE, "diamond", "solid"), (VERMILION, "square", "dash"))
    sides = zip(info.names, info.points, info.doubtful, looks, strict=True)
    for name, points, doubtful, (colour, symbol, dash) in sides:
        figure.add_scatter(
            name=name,
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "shape": "hv", "dash": dash},
            marker={"color": colour, "symbol": symbol, "size": 9},
        )
        hollow = [point for point, doubt in zip(points, doubtful, strict=True) if doubt]
        if hollow:
            figure.add_scatter(
                name=f"{name}, latency doubtful",
                x=[x for x, _ in hollow],
                y=[y for _, y in hollow],
                mode="markers",
                marker={"color": "white", "symbol": symbol, "size": 9, "line": {"color": colour, "width": 2}},
            )
    if info.anchors:
        figure.add_scatter(
            name=info.whose,
            x=[x for _, x, _ in info.anchors],
            y=[y for _, _, y in info.anchors],
            text=[name for name, _, _ in info.anchors],
            mode="markers+text",
            textposition=label_positions([x for _, x, _ in info.anchors]),
            marker={"color": GREY, "symbol": "star", "size": 13, "line": {"color": INK, "width": 1}},
        )
    figure.update_layout(layout(*info.axes), height=480)
    return figure
