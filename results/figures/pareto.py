"""The front among everything that was measured: a latency against accuracy or what stands in for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluators import Metric
from results import front, verification
from results.figures.common import ANCHOR, CLOUD, FRONT, KNEE, beside, layout, title
from results.record import Run, Trial
from results.validity import UNVALIDATED

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Points of one kind: trial numbers, coordinates, and half the width of each interval."""

    trials: tuple[int, ...] = ()
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    x_half: tuple[float, ...] = ()
    y_half: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParetoInfo:
    """The front among everything that was measured, for one latency."""

    x: Metric
    y: Metric
    front: Layer
    dominated: Layer
    infeasible: Layer
    anchors: Layer
    knee: Layer
    summary: str
    validity: str = ""  # of the accuracy objective, in words


def pareto_info(run: Run, latency: str | None = None) -> ParetoInfo:
    """The layers of the front's figure: its latency (the first by default) against the accuracy objective."""
    y, *latencies = run.objectives
    x = next(metric for metric in latencies if latency in (None, metric.name))
    members = front.front(run)
    numbers = {trial.number for trial in members}
    bend = front.knee(run, members)
    succeeded = run.succeeded()
    return ParetoInfo(
        x=x,
        y=y,
        front=_layer(members, x, y),
        dominated=_layer([t for t in run.feasible() if t.number not in numbers and not t.anchor], x, y),
        infeasible=_layer([t for t in succeeded if t.state == "infeasible" and not t.anchor], x, y),
        anchors=_layer([t for t in succeeded if t.anchor], x, y),
        knee=_layer([bend] if bend else [], x, y),
        validity=run.validity.get(y.name, UNVALIDATED) if y.kind == "score" else "",
        summary=" ".join([_pareto_summary(members, bend, x, y), *verification.remarks(run, members)]),
    )


def _layer(trials: Sequence[Trial], x: Metric, y: Metric) -> Layer:
    def values(metric: Metric) -> tuple[float, ...]:
        return tuple(trial.value(metric.name) for trial in trials)

    def halves(metric: Metric) -> tuple[float, ...]:
        found = (trial.measurements[metric.name] for trial in trials)
        return tuple((measurement.high - measurement.low) / 2 for measurement in found)

    return Layer(
        trials=tuple(trial.number for trial in trials),
        x=values(x),
        y=values(y),
        x_half=halves(x),
        y_half=halves(y),
        labels=tuple(trial.anchor for trial in trials),
    )


def _pareto_summary(members: Sequence[Trial], bend: Trial | None, x: Metric, y: Metric) -> str:
    if not members:
        return "No candidate has succeeded within the limits."
    at = f" The knee is trial {bend.number}: {bend.measurements[x.name]}, {bend.measurements[y.name]}." if bend else ""
    span = sorted(trial.value(x.name) for trial in members)
    reach = f"from {span[0]:.3g} to {span[-1]:.3g} {x.unit}" if len(span) > 1 else f"at {span[0]:.3g} {x.unit}"
    return f"{len(members)} networks are on the front, {reach}.{at}"


def pareto_figure(info: ParetoInfo) -> "go.Figure":
    """Better is always up and to the left; the cloud is WebGL, the front SVG with its intervals."""
    import plotly.graph_objects as go

    cloud = {"mode": "markers", "hoverinfo": "skip"}
    dots = {"color": CLOUD, "size": 6, "opacity": 0.55}
    rings = {"color": CLOUD, "size": 7, "symbol": "circle-open", "opacity": 0.6}
    figure = go.Figure()
    figure.add_scattergl(name="beyond a limit", marker=rings, **cloud, **_coordinates(info.infeasible))
    figure.add_scattergl(name="dominated", marker=dots, **cloud, **_coordinates(info.dominated))
    figure.add_scatter(name="attained", mode="lines", hoverinfo="skip", line=_step(info.x), **_steps(info))
    diamonds = {"color": FRONT, "size": 10, "symbol": "diamond", "line": {"color": "white", "width": 1}}
    figure.add_scatter(name="front", mode="markers", marker=diamonds, **_points(info.front, info))
    ring = {"color": KNEE, "size": 19, "symbol": "circle-open", "line": {"width": 2.5}}
    figure.add_scatter(name="knee", mode="markers", hoverinfo="skip", marker=ring, **_coordinates(info.knee))
    stars = {"color": ANCHOR, "size": 14, "symbol": "star", "line": {"color": "white", "width": 1}}
    figure.add_scatter(
        name="the paper's, measured here" if info.x.kind == "measured" else "the paper's, predicted",
        mode="markers+text",
        marker=stars,
        text=info.anchors.labels,
        textposition=beside(info.anchors.x),
        **_points(info.anchors, info),
    )
    thin = {"color": CLOUD, "width": 1.2}
    intervals = _intervals(info.front, info.anchors)
    figure.add_scattergl(
        name="95 % intervals", mode="lines", hoverinfo="skip", line=thin, showlegend=False, **intervals
    )
    figure.update_layout(layout(title(info.x), title(info.y, info.validity)))
    return figure


def _coordinates(layer: Layer) -> dict[str, Any]:
    return {"x": layer.x, "y": layer.y, "customdata": layer.trials}


def _intervals(*layers: Layer) -> dict[str, Any]:
    """All 95 % intervals as one line with gaps: each gap of an SVG would be an element of the page, hence WebGL."""
    x: list[float | None] = []
    y: list[float | None] = []
    for layer in layers:
        for at_x, at_y, x_half, y_half in zip(layer.x, layer.y, layer.x_half, layer.y_half, strict=True):
            x += [at_x - x_half, at_x + x_half, None, at_x, at_x, None]
            y += [at_y, at_y, None, at_y - y_half, at_y + y_half, None]
    return {"x": x, "y": y}


def _points(layer: Layer, info: ParetoInfo) -> dict[str, Any]:
    return {
        **_coordinates(layer),
        "hovertemplate": f"trial %{{customdata}}<br>%{{x:.4g}} {info.x.unit}, %{{y:.4g}} {info.y.unit}<extra></extra>",
    }


def _step(x: Metric) -> dict[str, Any]:
    """From one member to the next along what is really attained: never a straight line through untested networks."""
    return {"color": FRONT, "width": 1.5, "shape": "hv" if x.direction == "minimize" else "vh"}


def _steps(info: ParetoInfo) -> dict[str, Any]:
    order = sorted(zip(info.front.x, info.front.y, strict=True))
    return {"x": [x for x, _ in order], "y": [y for _, y in order]}
