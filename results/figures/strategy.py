"""The hybrid-strategy map: where the front's transformer blocks stand, and how many of them pay off.

Positions are counted from the end of each stage: the Next Hybrid Strategy (Next-ViT, arXiv 2207.05501, section 3.3) is
a statement about ends, and stages differ in depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from results import front, validity
from results.colours import BLUE, GREY, VERMILION
from results.figures.common.style import AXIS, layout, title
from results.figures.common.view import View
from results.store.record import Run, Trial
from search_spaces import PAPER
from search_spaces.nextvit.stage import TRANSFORMERS

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Where do the transformers go?", place=1, is_open=True)
POSITIONS = 10  # from the end of a stage
FEWEST = 5  # networks of the front: a share of fewer says nothing
STAGES = 4


@dataclass(frozen=True, kw_only=True)
class StrategyInfo:
    """Both maps. `surplus[stage][position]` is a share of transformers on the front minus that in all networks;
    None where fewer than five networks of the front have a block there."""

    surplus: tuple[tuple[float | None, ...], ...]
    paper: tuple[tuple[int, int], ...]  # (stage, position) of the transformers of Next-ViT-S, from 0
    depths: tuple[int, ...]
    transformers: tuple[int, ...]
    best: tuple[tuple[float | None, ...], ...]  # [number of transformers][depth of stage 3]
    anchors: tuple[tuple[str, int, int], ...]  # name, depth of stage 3, transformers
    score: str
    summary: str


def strategy_info(run: Run) -> StrategyInfo:
    """Where transformers stand on the run's front, and the best accuracy objective by depth and number of them."""
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
    surplus = _surplus(members, everyone)
    return StrategyInfo(
        surplus=surplus,
        paper=tuple(
            (index, position)
            for index, stage in enumerate(PAPER["next-vit-s"].stages)
            for position, kind in enumerate(reversed(stage.blocks))
            if kind == "T" and position < POSITIONS and everyone
        ),
        depths=depths,
        transformers=counts,
        best=tuple(tuple(best.get((depth, count)) for depth in depths) for count in counts),
        anchors=tuple((trial.anchor, *_axes(trial)) for trial in everyone if trial.anchor),
        score=title(metric, validity.shown(run, metric)),
        summary=_summary(members, surplus) if whole else "The front is empty.",
    )


def _ours(trials: Sequence[Trial]) -> list[Trial]:
    """Those of the Next-ViT family."""
    return [trial for trial in trials if trial.stages]


def _axes(trial: Trial) -> tuple[int, int]:
    """The depth of stage 3 and the number of transformers of a network: the two axes of the second map."""
    stages = trial.stages
    return len(stages[2].blocks), sum(kind in TRANSFORMERS for stage in stages for kind in stage.blocks)


def _surplus(members: Sequence[Trial], everyone: Sequence[Trial]) -> tuple[tuple[float | None, ...], ...]:
    def share(trials: Sequence[Trial], stage: int, position: int) -> tuple[float, int]:
        rows = [trial.stages[stage].blocks for trial in trials]
        there = [row[-1 - position] in TRANSFORMERS for row in rows if len(row) > position]
        return (sum(there) / len(there) if there else 0.0), len(there)

    def cell(stage: int, position: int) -> float | None:
        here, count = share(members, stage, position)
        return None if count < FEWEST else here - share(everyone, stage, position)[0]

    return tuple(tuple(cell(stage, position) for position in range(POSITIONS)) for stage in range(STAGES))


def _summary(members: Sequence[Trial], surplus: Sequence[Sequence[float | None]]) -> str:
    """How many networks of the front have transformers, and where there are more and fewer than elsewhere."""
    if not members:
        return "The front holds no network of the Next-ViT family."
    having = sum(bool(_axes(trial)[1]) for trial in members)
    how_many = f"{having or 'None'} of the {len(members)} networks of the front {_has(having)} a transformer."
    cells = [
        (value, stage, position)
        for stage, row in enumerate(surplus)
        for position, value in enumerate(row)
        if value is not None
    ]
    if not cells:
        return f"{how_many} These are too few networks to say where transformers stand."
    (most, *there), (least, *elsewhere) = max(cells), min(cells)
    places = [
        f"more transformers {_place(*there)} ({_percent(most):+d}%)" if _percent(most) > 0 else "",
        f"fewest {_place(*elsewhere)} ({_percent(least):+d}%)" if _percent(least) < 0 else "",
    ]
    where = " and ".join(filter(None, places)) or "neither more nor fewer at any place"
    return f"{how_many} Against all networks tried, the front has {where}. Rings mark the transformers of Next-ViT-S."


def _has(count: int) -> str:
    return "have" if count > 1 else "has"


def _percent(share: float) -> int:
    """In whole percent, halves upwards, as the page rounds."""
    return floor(100 * share + 0.5)


def _place(stage: int, position: int) -> str:
    return f"in stage {stage + 1}, {'last' if not position else f'{position} before the last'}"


def strategy_figure(info: StrategyInfo) -> "go.Figure":
    """Two heat maps side by side; rings and names mark the paper's networks."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, horizontal_spacing=0.2, column_widths=[0.45, 0.55])
    figure.add_heatmap(
        z=info.surplus,
        x=list(range(POSITIONS)),
        y=[f"stage {number}" for number in range(1, STAGES + 1)],
        zmid=0,
        zmin=-1,
        zmax=1,
        colorscale=[[0, BLUE], [0.5, "rgba(128,128,128,0.08)"], [1, VERMILION]],
        colorbar={"x": 0.37, "thickness": 12, "tickformat": "+.0%"},
        hovertemplate="%{y}, %{x} before the last: %{z:+.0%}<extra></extra>",
        row=1,
        col=1,
    )
    ring = {"symbol": "circle-open", "size": 15, "color": GREY, "line": {"width": 2}}
    figure.add_scatter(
        x=[position for _, position in info.paper],
        y=[f"stage {stage + 1}" for stage, _ in info.paper],
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
        yaxis={"autorange": "reversed", "title": None},
        xaxis2={"title": {"text": "depth of stage 3"}, "zeroline": False, **AXIS},
        yaxis2={"title": {"text": "transformers"}, "zeroline": False, **AXIS},
    )
    return figure
