"""Parallel axes: the front and a sample of the other networks, as lines over shape and objectives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from results import front
from results.colours import BLUE
from results.figures.common.shape import shape
from results.figures.common.style import layout
from results.figures.common.view import View
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="All together", place=4)
SAMPLED = 700  # networks that are not on the front: more lines cannot be distinguished, and take a second without a GPU


@dataclass(frozen=True, kw_only=True)
class ParallelInfo:
    """A column for each axis, a row for each network that is drawn."""

    trials: tuple[int, ...]
    on_front: tuple[bool, ...]
    axes: dict[str, tuple[float, ...]]
    summary: str


def parallel_info(run: Run) -> ParallelInfo:
    """The lines: the whole front, and at most `SAMPLED` of the others, drawn with a fixed seed."""
    members = {trial.number for trial in front.front(run)}
    drawn = [trial for trial in run.succeeded() if trial.stages] or run.succeeded()  # other families lack most axes
    others = [trial for trial in drawn if trial.number not in members]
    if len(others) > SAMPLED:
        indices = np.random.default_rng(0).choice(len(others), SAMPLED, replace=False)
        others = [others[index] for index in sorted(indices)]
    top = [trial for trial in drawn if trial.number in members]
    trials = others + top
    rows = [_row(run, trial) for trial in trials]
    return ParallelInfo(
        trials=tuple(trial.number for trial in trials),
        on_front=tuple(trial.number in members for trial in trials),
        axes={name: tuple(row[name] for row in rows) for name in rows[0]} if rows else {},
        summary=f"{len(top)} networks of the front and {len(others)} others; drag along an axis to filter "
        "every view of this page.",
    )


def _row(run: Run, trial: Trial) -> dict[str, float]:
    return shape(trial) | {f"{metric.name} [{metric.unit}]": trial.value(metric.name) for metric in run.objectives}


def parallel_figure(info: ParallelInfo) -> "go.Figure":
    """The front's lines in blue, the others in grey."""
    import plotly.graph_objects as go

    line = {"color": [int(member) for member in info.on_front], "colorscale": [[0, "#b8bcc2"], [1, BLUE]]}
    figure = go.Figure()
    figure.add_parcoords(
        dimensions=[{"label": name, "values": values} for name, values in info.axes.items()],
        line={**line, "cmin": 0, "cmax": 1},
    )
    figure.update_layout(layout("", ""))
    figure.update_layout(margin={"l": 60, "r": 40, "t": 50, "b": 24})
    return figure
