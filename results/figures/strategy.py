"""The hybrid-strategy map: where transformer blocks pay off, and how many of them.

Positions are counted from the end of each stage: the Next Hybrid Strategy (Next-ViT, arXiv 2207.05501, section 3.3) is
a statement about ends, and stages differ in depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results import evidence, front, validity
from results.colours import BLUE, GREY, VERMILION
from results.evidence import PLACES, STAGES, Cell
from results.figures.common.style import AXIS, layout, title
from results.figures.common.view import View
from results.store.record import Run, Trial
from search_spaces import PAPER
from search_spaces.nextvit.stage import TRANSFORMERS

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Where do the transformers go?", place=1, is_open=True)
OPEN = "rgba(128,128,128,0.12)"  # where pairs do not tell


@dataclass(frozen=True, kw_only=True)
class StrategyInfo:
    """Both maps: what a transformer is worth at a place, and the best value by depth and number of transformers."""

    cells: tuple[Cell, ...]
    unit: str  # of what a transformer is worth
    paper: tuple[tuple[int, int], ...]  # (stage, position) of the transformers of Next-ViT-S, from 0
    depths: tuple[int, ...]
    transformers: tuple[int, ...]
    best: tuple[tuple[float | None, ...], ...]  # [number of transformers][depth of stage 3]
    anchors: tuple[tuple[str, int, int], ...]  # name, depth of stage 3, transformers
    score: str
    worth: str  # what the cells say, in sentences
    summary: str


def strategy_info(run: Run) -> StrategyInfo:
    """Where transformers pay off, and the best accuracy objective by depth and number of them."""
    whole = front.front(run)
    members, everyone, feasible = map(_ours, (whole, run.succeeded(), run.feasible()))
    metric = run.objectives[0]
    shapes = {trial.number: _axes(trial) for trial in feasible}
    depths = tuple(sorted({depth for depth, _ in shapes.values()}))
    counts = tuple(sorted({count for _, count in shapes.values()}))
    best: dict[tuple[int, int], float] = {}
    sign = 1 if metric.direction == "maximize" else -1
    for trial in feasible:
        key, value = shapes[trial.number], trial.value(metric.name)
        best[key] = max(best.get(key, value), value, key=lambda candidate: sign * candidate)
    cells = tuple(evidence.cells(run)) if len(run.objectives) > 1 and feasible else ()
    worth = evidence.sentences(metric, cells)
    return StrategyInfo(
        cells=cells,
        unit=evidence.unit(metric),
        paper=tuple(
            (index, position)
            for index, stage in enumerate(PAPER["next-vit-s"].stages)
            for position, kind in enumerate(reversed(stage.blocks))
            if kind == "T" and position < PLACES and everyone
        ),
        depths=depths,
        transformers=counts,
        best=tuple(tuple(best.get((depth, count)) for depth in depths) for count in counts),
        anchors=tuple((trial.anchor, *_axes(trial)) for trial in everyone if trial.anchor),
        score=title(metric, validity.shown(run, metric)),
        worth=worth,
        summary=f"{_count(members)} {worth}" if whole else "The front is empty.",
    )


def _ours(trials: Sequence[Trial]) -> list[Trial]:
    """Those of the Next-ViT family."""
    return [trial for trial in trials if trial.stages]


def _axes(trial: Trial) -> tuple[int, int]:
    """The depth of stage 3 and the number of transformers of a network: the two axes of the second map."""
    stages = trial.stages
    return len(stages[2].blocks), sum(kind in TRANSFORMERS for stage in stages for kind in stage.blocks)


def _count(members: Sequence[Trial]) -> str:
    """How many networks of the front have transformers; the page says it of the front that it shows."""
    if not members:
        return "The front holds no network of the Next-ViT family."
    having = sum(bool(_axes(trial)[1]) for trial in members)
    has = "have" if having > 1 else "has"
    return f"{having or 'None'} of the {len(members)} networks of the front {has} a transformer."


def strategy_figure(info: StrategyInfo) -> "go.Figure":
    """Two heat maps side by side; rings and names mark the paper's networks."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, horizontal_spacing=0.16, column_widths=[0.55, 0.45])
    told = [cell for cell in info.cells if cell.told]
    most = max((abs(cell.gain.value) for cell in told), default=1.0)
    figure.add_heatmap(
        **_squares(told),
        zmin=-most,
        zmax=most,
        colorscale=[[0, BLUE], [0.5, "rgba(128,128,128,0.15)"], [1, VERMILION]],
        colorbar={"x": 0.46, "thickness": 12, "title": {"text": info.unit}},
        xgap=2,
        ygap=2,
        row=1,
        col=1,
    )
    open_ = [cell for cell in info.cells if not cell.told]
    figure.add_heatmap(
        **_squares(open_), colorscale=[[0, OPEN], [1, OPEN]], showscale=False, xgap=2, ygap=2, row=1, col=1
    )
    figure.add_scatter(
        x=[cell.place for cell in open_],
        y=[_stage(cell.stage) for cell in open_],
        mode="markers",
        marker={"symbol": "line-ne", "size": 22, "line": {"color": GREY, "width": 1}},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    ring = {"symbol": "circle-open", "size": 15, "color": GREY, "line": {"width": 2}}
    figure.add_scatter(
        x=[position for _, position in info.paper],
        y=[_stage(stage) for stage, _ in info.paper],
        mode="markers",
        marker=ring,
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_heatmap(
        z=info.best,
        x=info.depths,
        y=info.transformers,
        colorscale="Cividis",
        colorbar={"thickness": 12},
        hovertemplate="stage 3 of %{x} blocks, %{y} transformers: best %{z:.4g}<extra></extra>",
        row=1,
        col=2,
    )
    figure.add_scatter(
        x=[depth for _, depth, _ in info.anchors],
        y=[count for _, _, count in info.anchors],
        text=[name for name, _, _ in info.anchors],
        textposition=[
            "top left" if depth == max(info.depths, default=depth) else "top center" for _, depth, _ in info.anchors
        ],
        mode="markers+text",
        marker={**ring, "symbol": "square-open"},
        hoverinfo="skip",
        row=1,
        col=2,
    )
    figure.update_layout(layout("blocks before the last of the stage", ""), showlegend=False)
    figure.update_layout(
        xaxis={"range": [-0.5, PLACES - 0.5], "dtick": 1},
        yaxis={
            "categoryorder": "array",
            "categoryarray": [_stage(stage) for stage in reversed(range(STAGES))],
            "range": [-0.5, STAGES - 0.5],
        },
        xaxis2={"title": {"text": "depth of stage 3"}, "zeroline": False, **AXIS},
        yaxis2={"title": {"text": "transformers"}, "zeroline": False, **AXIS},
    )
    return figure


def _squares(cells: Sequence[Cell]) -> dict[str, Any]:
    """Squares of a heat map, with what is known of them when pointed at; None where there is none."""
    known = {(cell.stage, cell.place): cell for cell in cells}
    rows = [[known.get((stage, place)) for place in range(PLACES)] for stage in range(STAGES)]
    return {
        "x": list(range(PLACES)),
        "y": [_stage(stage) for stage in range(STAGES)],
        "z": [[cell.gain.value if cell else None for cell in row] for row in rows],
        "customdata": [[[c.gain.low, c.gain.high, c.pairs] if c else None for c in row] for row in rows],
        "text": [[str(cell.pairs) if cell else "" for cell in row] for row in rows],
        "texttemplate": "%{text}",
        "hoverongaps": False,
        "hovertemplate": "%{y}, %{x} before the last: %{z:+.2g} [%{customdata[0]:.2g}, %{customdata[1]:.2g}]"
        "<br>%{customdata[2]} pairs<extra></extra>",
    }


def _stage(index: int) -> str:
    return f"stage {index + 1}"
