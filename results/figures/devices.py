"""Do devices agree? The rank of every network on one device against its rank on another."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST
from results.colours import BLUE, GREY
from results.figures.common.style import layout
from results.figures.common.view import View
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 1000  # points: of more networks, every nth
VIEW = View(heading="Do devices agree?", place=7)


@dataclass(frozen=True, kw_only=True)
class DevicesInfo:
    """Networks that two latencies know, with their ranks among all such networks: 1 is the fastest."""

    trials: tuple[int, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    names: tuple[str, str]
    summary: str


def devices_info(run: Run) -> DevicesInfo:
    """The first latency of a run, and the other one that was measured for most of its networks."""
    named = Counter({metric.name: 0 for metric in run.objectives if metric.kind == "measured"})
    for trial in run.succeeded():
        named.update(name for name, made in trial.measurements.items() if made.metric.kind == "measured")
    latencies = list(named)
    if len(latencies) < 2:
        only = f"only {latencies[0]} was measured" if latencies else "no latency was measured"
        another = f"nas measure {run.name} --all --latency SPEC{run.store_option}"
        return _nothing(f"There is nothing to compare: {only}. {another} adds another.")
    names = (latencies[0], max(latencies[1:], key=named.__getitem__))
    both = [trial for trial in run.succeeded() if set(names) <= trial.measurements.keys()]
    values = np.array([[trial.value(name) for name in names] for trial in both]).reshape(-1, 2)
    if len(both) < FEWEST:
        return _nothing(
            f"{len(both)} networks were measured by both {names[0]} and {names[1]}: {FEWEST} are the least."
        )
    ranks = np.stack([np.searchsorted(np.sort(column), column) for column in values.T], axis=1) + 1
    step = -(-len(both) // MOST)
    return DevicesInfo(
        trials=tuple(trial.number for trial in both[::step]),
        first=tuple(ranks[::step, 0].tolist()),
        second=tuple(ranks[::step, 1].tolist()),
        names=names,
        summary=f"{names[0]} and {names[1]} rank {len(both)} networks alike with a tau of "
        f"{ranking.tau_interval(values[:, 0], values[:, 1])}; 1 is the same order.",
    )


def _nothing(summary: str) -> DevicesInfo:
    return DevicesInfo(trials=(), first=(), second=(), names=("", ""), summary=summary)


def devices_figure(info: DevicesInfo) -> "go.Figure":
    """A point for every network; on the line, both devices rank it alike."""
    import plotly.graph_objects as go

    figure = go.Figure()
    last = max(info.first, default=0)
    line = {"color": GREY, "width": 1, "dash": "dash"}
    ends = [1, last] if last else []
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip")
    figure.add_scattergl(
        x=info.first,
        y=info.second,
        customdata=info.trials,
        mode="markers",
        marker={"color": BLUE, "size": 7, "opacity": 0.7},
        hovertemplate="trial %{customdata}: %{x} and %{y}<extra></extra>",
    )
    figure.update_layout(layout(f"rank by {info.names[0]}", f"rank by {info.names[1]}"), showlegend=False)
    return figure
