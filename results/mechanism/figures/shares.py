"""How rich in high frequencies the maps are: of the parts of transformer blocks, and of every block's output."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators.mechanism import spectrum
from results.figures.common.style import titled
from results.mechanism.figures.style import PARTS, Points, categories, error, kind_style, tick
from results.mechanism.report import Report, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHARE = "high frequencies [% of power]"


@dataclass(frozen=True, kw_only=True)
class BranchesInfo:
    """In each block with both: the high-frequency shares of what its parts add, and those of white noise."""

    parts: dict[str, Points]
    white: tuple[float, ...]


def branches_info(report: Report) -> BranchesInfo:
    """The transformer blocks, from the first to the last."""
    names = tuple(block.name for block in report.mixing)
    return BranchesInfo(
        parts={
            part: Points(blocks=names, intervals=tuple(percent(getattr(block, part)) for block in report.mixing))
            for part in PARTS
        },
        white=tuple(100 * spectrum.white_share(block.side) for block in report.mixing),
    )


def branches_figure(info: BranchesInfo) -> "go.Figure":
    """A row for each block: attention's share, convolution's, and that of white noise."""
    import plotly.graph_objects as go

    figure = go.Figure()
    names = info.parts["attention"].blocks
    for part, colour in PARTS.items():
        points = info.parts[part]
        figure.add_scatter(
            name=f"what {part} adds",
            x=[each.value for each in points.intervals],
            y=points.blocks,
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x=error(points.intervals),
        )
    figure.add_scatter(name="white noise", x=info.white, y=names, mode="markers", marker=tick("line-ns-open"))
    figure.update_layout(
        {
            **titled(
                "What attention and convolution add in a transformer block", SHARE, "block", 210 + 30 * len(names)
            ),
            "xaxis_rangemode": "tozero",
            "yaxis_type": "category",
            "yaxis_categoryarray": names[::-1],
        }
    )
    return figure


@dataclass(frozen=True, kw_only=True)
class SharesInfo:
    """The high-frequency shares of the blocks' outputs by kind, and those of white noise for every block."""

    blocks: tuple[str, ...]
    kinds: dict[str, Points]
    white: tuple[float, ...]


def shares_info(report: Report) -> SharesInfo:
    """All blocks whose maps are large enough."""
    seen = report.seen
    kinds = {
        kind: Points(
            blocks=tuple(block.name for block in seen if block.kind == kind),
            intervals=tuple(percent(block.output) for block in seen if block.kind == kind and block.output),
        )
        for kind in dict.fromkeys(block.kind for block in seen)
    }
    white = tuple(100 * spectrum.white_share(block.side) for block in seen)
    return SharesInfo(blocks=tuple(block.name for block in seen), kinds=kinds, white=white)


def shares_figure(info: SharesInfo) -> "go.Figure":
    """The blocks in their order, and how rich in high frequencies their outputs are."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for kind, points in info.kinds.items():
        name, colour = kind_style(kind)
        figure.add_scatter(
            name=name,
            x=points.blocks,
            y=[each.value for each in points.intervals],
            mode="markers",
            marker={"color": colour, "size": 9},
            error_y=error(points.intervals),
        )
    figure.add_scatter(name="white noise", x=info.blocks, y=info.white, mode="markers", marker=tick("line-ew-open"))
    figure.update_layout({**titled("The output of every block", "block", SHARE), **categories(info.blocks)})
    return figure
