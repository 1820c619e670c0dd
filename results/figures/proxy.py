"""Can we trust the accuracy objective? Its values against the accuracy that training reached."""

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
    """The networks of a run that were trained, and a sentence on how far both orders agree."""

    trials: tuple[int, ...]
    predicted: tuple[float, ...]
    reached: tuple[float, ...]
    axes: tuple[str, str]
    summary: str


def proxy_info(run: Run) -> ProxyInfo:
    """The accuracy objective of a run against real trainings of its networks."""
    metric = run.objectives[0]
    if metric.kind == "trained":
        return ProxyInfo(
            trials=(), predicted=(), reached=(), axes=("", ""), summary=f"{metric.name} was reached by training."
        )
    pairs = [
        (trial.number, trial.value(metric.name), accuracy)
        for trial in run.succeeded()
        for accuracy in trial.measurements.values()
        if accuracy.metric.kind == "trained"
    ]
    fidelity = pairs[0][2].metric if pairs else metric
    pairs = [pair for pair in pairs if pair[2].metric == fidelity]
    sentence = validity.shown(run, metric)
    return ProxyInfo(
        trials=tuple(number for number, _, _ in pairs),
        predicted=tuple(value for _, value, _ in pairs),
        reached=tuple(accuracy.value for _, _, accuracy in pairs),
        axes=(title(metric, sentence), title(fidelity)),
        summary=f"{metric.name}: {sentence}.",
    )


def proxy_figure(info: ProxyInfo) -> "go.Figure":
    """A point for every network that was trained."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=info.predicted,
        y=info.reached,
        customdata=info.trials,
        mode="markers",
        marker={"color": BLUE, "size": 9},
        hovertemplate="trial %{customdata}: %{x:.4g}, %{y:.4g}<extra></extra>",
    )
    figure.update_layout(layout(*info.axes), showlegend=False)
    return figure
