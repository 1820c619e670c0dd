"""How far attention reaches, by block and head."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.colours import VERMILION
from results.figures.common.style import titled
from results.mechanism.figures.style import Points, categories, error, tick
from results.mechanism.report import Report, distance

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class DistancesInfo:
    """Mean attention distances by block in pixels: the mean over heads, each head's, and that of a uniform attention.

    `side` are the pixels of an image's side.
    """

    mean: Points
    heads: tuple[tuple[float, ...], ...]
    uniform: tuple[float, ...]
    side: int


def distances_info(report: Report) -> DistancesInfo:
    """The blocks with attention."""
    reaches = [(block.name, block.reach) for block in report.attending if block.reach]
    return DistancesInfo(
        mean=Points(
            blocks=tuple(name for name, _ in reaches), intervals=tuple(distance(reach) for _, reach in reaches)
        ),
        heads=tuple(tuple(round(value, 3) for value in reach.heads.mean(0).tolist()) for _, reach in reaches),
        uniform=tuple(round(reach.uniform, 3) for _, reach in reaches),
        side=report.resolution,
    )


def distances_figure(info: DistancesInfo) -> "go.Figure":
    """Dots for the heads, a larger one for their mean, and a tick for what attention that knows no place would have."""
    import plotly.graph_objects as go

    figure, names = go.Figure(), info.mean.blocks
    figure.add_scatter(
        name="a head",
        x=[name for name, heads in zip(names, info.heads, strict=True) for _ in heads],
        y=[value for heads in info.heads for value in heads],
        mode="markers",
        marker={"color": VERMILION, "size": 6, "opacity": 0.4},
    )
    figure.add_scatter(
        name="mean over heads",
        x=names,
        y=[each.value for each in info.mean.intervals],
        mode="markers",
        marker={"color": VERMILION, "size": 11},
        error_y=error(info.mean.intervals),
    )
    figure.add_scatter(name="equal for all keys", x=names, y=info.uniform, mode="markers", marker=tick("line-ew-open"))
    figure.update_layout(
        {
            **titled("How far attention reaches", "block", f"mean attention distance [px of {info.side}]"),
            **categories(names),
        }
    )
    return figure
