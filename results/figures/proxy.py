"""Can we trust what stands in for accuracy? Its values against what real training reached."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import validity
from results.colours import BLUE
from results.figures.common.style import layout, title
from results.figures.common.view import View
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Can we trust the accuracy?", place=5)


@dataclass(frozen=True, kw_only=True)
class ProxyInfo:
    """The networks of a run of which both are known, and in words how their order agrees."""

    trials: tuple[int, ...]
    told: tuple[float, ...]
    reached: tuple[float, ...]
    axes: tuple[str, str]
    summary: str


def proxy_info(run: Run) -> ProxyInfo:
    """The accuracy objective of a run against real trainings of its networks."""
    metric = run.objectives[0]
    if metric.kind == "trained":
        return ProxyInfo(
            trials=(), told=(), reached=(), axes=("", ""), summary=f"{metric.name} was reached by real training."
        )
    pairs = [
        (trial.number, trial.value(metric.name), found)
        for trial in run.succeeded()
        for found in trial.measurements.values()
        if found.metric.kind == "trained"
    ]
    fidelity = pairs[0][2].metric if pairs else metric
    pairs = [pair for pair in pairs if pair[2].metric == fidelity]
    words = validity.shown(run, metric)
    return ProxyInfo(
        trials=tuple(number for number, _, _ in pairs),
        told=tuple(value for _, value, _ in pairs),
        reached=tuple(found.value for _, _, found in pairs),
        axes=(title(metric, words), title(fidelity)),
        summary=f"{metric.name}: {words}.",
    )


def proxy_figure(info: ProxyInfo) -> "go.Figure":
    """A point for each network that was really trained."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=info.told,
        y=info.reached,
        customdata=info.trials,
        mode="markers",
        marker={"color": BLUE, "size": 9},
        hovertemplate="trial %{customdata}: %{x:.4g}, %{y:.4g}<extra></extra>",
    )
    figure.update_layout(layout(*info.axes), showlegend=False)
    return figure
