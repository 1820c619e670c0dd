"""The hybrid-strategy maps: where transformer blocks pay off, and how many of them a stage wants.

Positions are counted from the end of each stage: the Next Hybrid Strategy (Next-ViT, arXiv 2207.05501, section 3.3) is
a statement about ends, and stages differ in depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results import evidence, front
from results.colours import BLUE, GREY, INK, VERMILION
from results.evidence import MANY, PLACES, STAGES, Cell
from results.figures.common.style import AXIS, layout
from results.figures.common.view import View
from results.store.record import Run, Trial
from search_spaces import PAPER

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Where do the transformers go?", place=1, is_open=True)
OPEN = "rgba(128,128,128,0.12)"  # where pairs do not tell
FEW = 6  # columns that a map has at the least
CORNER = 0.33  # of a square: where a star stands
KEY = "Numbers count pairs; hatched squares do not tell; stars are Next-ViT-S."
NAMES = [f"stage {stage + 1}" for stage in range(STAGES)]


@dataclass(frozen=True, kw_only=True)
class StrategyInfo:
    """Both maps: what a transformer is worth at a place of a stage, and what a number of them is worth in a stage."""

    places: tuple[Cell, ...]
    numbers: tuple[Cell, ...]
    unit: str  # of what they are worth
    paper_places: tuple[tuple[int, int], ...]  # (stage, place) of the transformers of Next-ViT-S, from 0
    paper_numbers: tuple[tuple[int, int], ...]  # (stage, number of transformers) of Next-ViT-S
    worth: str  # what the cells say, in sentences
    summary: str


def strategy_info(run: Run) -> StrategyInfo:
    """Where transformers pay off by the accuracy objective, and how many of them."""
    members = front.front(run)
    has_pairs = len(run.objectives) > 1 and bool(run.feasible())
    places, numbers = (tuple(find(run) if has_pairs else ()) for find in (evidence.places, evidence.numbers))
    worth = evidence.sentences(run.objectives[0], places, numbers)
    worth += f" {KEY}" if places or numbers else ""
    stages = PAPER["next-vit-s"].stages if run.succeeded() else ()
    blocks = [stage.blocks[::-1] for stage in stages]
    return StrategyInfo(
        places=places,
        numbers=numbers,
        unit=evidence.unit(run.objectives[0]),
        paper_places=tuple(
            (stage, place)
            for stage, row in enumerate(blocks)
            for place in range(min(PLACES, len(row)))
            if row[place] == "T"
        ),
        paper_numbers=tuple((stage, row.count("T")) for stage, row in enumerate(blocks)),
        worth=worth,
        summary=f"{_count([trial for trial in members if trial.stages])} {worth}" if members else "The front is empty.",
    )


def _count(members: Sequence[Trial]) -> str:
    """How many networks of the front have transformers; the page says it of the front that it shows."""
    if not members:
        return "The front holds no network of the Next-ViT family."
    having = sum(any(evidence.transformers(trial)) for trial in members)
    has = "have" if having > 1 else "has"
    return f"{having or 'None'} of the {len(members)} networks of the front {has} a transformer."


def strategy_figure(info: StrategyInfo) -> "go.Figure":
    """Two heat maps side by side; stars mark Next-ViT-S."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, horizontal_spacing=0.16, column_widths=[0.55, 0.45])
    columns = max([FEW, *(cell.column + 1 for cell in info.numbers), *(number + 1 for _, number in info.paper_numbers)])
    if info.places or info.numbers or info.paper_places:
        _add_map(figure, info.places, info.paper_places, PLACES, "before the last: %{z:+.2g}", 1, info.unit)
        _add_map(figure, info.numbers, info.paper_numbers, columns, "transformers: %{z:+.2g}", 2, info.unit)
    figure.update_layout(layout("blocks before the last of the stage", ""), showlegend=False)
    stages = {
        "range": [STAGES - 0.5, -0.5],
        "tickvals": list(range(STAGES)),
        "ticktext": NAMES,
        "zeroline": False,
        **AXIS,
    }
    figure.update_layout(
        xaxis={"range": [-0.5, PLACES - 0.5], "dtick": 1},
        xaxis2={
            "title": {"text": "transformers in the stage"},
            "range": [-0.5, columns - 0.5],
            "tickvals": list(range(columns)),
            "ticktext": [f"{number}{'+' if number == MANY else ''}" for number in range(columns)],
            "zeroline": False,
            **AXIS,
        },
        yaxis=stages,
        yaxis2=stages,
    )
    return figure


def _add_map(
    figure: "go.Figure",
    cells: Sequence[Cell],
    paper: Sequence[tuple[int, int]],
    columns: int,
    shown: str,
    col: int,
    unit: str,
) -> None:
    """The squares that pairs tell from nothing in colour, the others hatched, with their numbers of pairs; stars."""
    at = {"row": 1, "col": col}
    told, others = [cell for cell in cells if cell.told], [cell for cell in cells if not cell.told]
    most = max((abs(cell.gain.value) for cell in told), default=1.0)
    figure.add_heatmap(
        **_squares(told, columns, shown),
        zmin=-most,
        zmax=most,
        colorscale=[[0, BLUE], [0.5, "rgba(128,128,128,0.15)"], [1, VERMILION]],
        colorbar={"x": 0.46 if col == 1 else 1.02, "thickness": 12, "title": {"text": unit}},
        showscale=bool(told),
        **at,
    )
    figure.add_heatmap(**_squares(others, columns, shown), colorscale=[[0, OPEN], [1, OPEN]], showscale=False, **at)
    hatch = {"symbol": "line-ne", "size": 36, "opacity": 0.35, "line": {"color": GREY, "width": 1}}
    for marked, marker in ((told, {"opacity": 0}), (others, hatch)):
        figure.add_scatter(
            x=[cell.column for cell in marked],
            y=[cell.stage for cell in marked],
            text=[str(cell.pairs) for cell in marked],
            mode="markers+text",
            marker=marker,
            hoverinfo="skip",
            **at,
        )
    figure.add_scatter(
        x=[column + CORNER for _, column in paper],
        y=[stage - CORNER for stage, _ in paper],
        mode="markers",
        marker={"symbol": "star", "size": 9, "color": INK},
        hoverinfo="skip",
        **at,
    )


def _squares(cells: Sequence[Cell], columns: int, shown: str) -> dict[str, Any]:
    """Squares of a heat map, with what is known of them when pointed at; None where there is none."""
    known = {(cell.stage, cell.column): cell for cell in cells}
    rows = [[known.get((stage, column)) for column in range(columns)] for stage in range(STAGES)]
    return {
        "x": list(range(columns)),
        "y": list(range(STAGES)),
        "z": [[cell.gain.value if cell else None for cell in row] for row in rows],
        "customdata": [[[c.gain.low, c.gain.high, c.pairs] if c else None for c in row] for row in rows],
        "text": [[str(stage + 1)] * columns for stage in range(STAGES)],
        "hoverongaps": False,
        "hovertemplate": f"stage %{{text}}, %{{x}} {shown} [%{{customdata[0]:.2g}}, %{{customdata[1]:.2g}}]"
        "<br>%{customdata[2]} pairs<extra></extra>",
        "xgap": 2,
        "ygap": 2,
    }
