"""The front among all candidates: a latency against the accuracy objective."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evaluators import Metric
from evaluators.prediction.predicted import predicted_spec
from results import front, validity, verification
from results.colours import BLUE, GREY, INK, VERMILION
from results.figures.common.style import label_positions, layout, title
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Points of one kind: trial numbers, coordinates, and the ends of each interval."""

    trials: tuple[int, ...] = ()
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    x_ends: tuple[tuple[float, float], ...] = ()
    y_ends: tuple[tuple[float, float], ...] = ()
    labels: tuple[str, ...] = ()

    def without(self, other: "Layer") -> "Layer":
        """The points of this layer that are not in the other."""
        kept = [index for index, trial in enumerate(self.trials) if trial not in other.trials]
        return Layer(**{name: tuple(column[index] for index in kept) for name, column in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class ParetoInfo:
    """The front among all candidates, for one latency."""

    x: Metric
    y: Metric
    front: Layer
    doubtful: Layer  # those of the front with a doubtful latency
    dominated: Layer
    infeasible: Layer
    predicted: Layer
    anchors: Layer
    doubtful_anchors: Layer
    knee: Layer
    summary: str
    whose: str = "the paper's"  # anchors they are
    validity: str = ""  # of the accuracy objective, as a sentence


def pareto_info(run: Run, latency: str | None = None) -> ParetoInfo:
    """The layers of the front's figure: its latency (the first by default) against the accuracy objective."""
    y, *latencies = run.objectives
    x = next(metric for metric in latencies if latency in (None, metric.name))
    members = front.front(run)
    numbers = {trial.number for trial in members}
    bend = front.knee(run, members)
    succeeded = run.succeeded()
    anchors = [trial for trial in succeeded if trial.anchor]

    def doubtful(trials: Sequence[Trial]) -> Layer:
        return _layer([t for t in trials if any(t.measurements[metric.name].doubtful for metric in (x, y))], x, y)

    return ParetoInfo(
        x=x,
        y=y,
        front=_layer(members, x, y),
        doubtful=doubtful(members),
        dominated=_layer([t for t in run.feasible() if t.number not in numbers and not t.anchor], x, y),
        infeasible=_layer([t for t in succeeded if t.state == "infeasible" and not t.anchor], x, y),
        predicted=_layer(_predicted(run, x), replace(x, name=predicted_spec(x.name)), y),
        anchors=_layer(anchors, x, y),
        doubtful_anchors=doubtful(anchors),
        knee=_layer([bend] if bend else [], x, y),
        whose=front.whose_anchors(run),
        validity=validity.shown(run, y) if y.kind == "score" else "",
        summary=" ".join([_pareto_summary(members, bend, x, y), *verification.remarks(run, members)]),
    )


def _predicted(run: Run, x: Metric) -> list[Trial]:
    """The networks that were not measured because a prediction of this latency left them no prospect."""
    return [trial for trial in run.predicted() if predicted_spec(x.name) in trial.measurements]


def _layer(trials: Sequence[Trial], x: Metric, y: Metric) -> Layer:
    def values(metric: Metric) -> tuple[float, ...]:
        return tuple(trial.value(metric.name) for trial in trials)

    def ends(metric: Metric) -> tuple[tuple[float, float], ...]:
        measurements = (trial.measurements[metric.name] for trial in trials)
        return tuple((measurement.low, measurement.high) for measurement in measurements)

    return Layer(
        trials=tuple(trial.number for trial in trials),
        x=values(x),
        y=values(y),
        x_ends=ends(x),
        y_ends=ends(y),
        labels=tuple(trial.anchor for trial in trials),
    )


def _pareto_summary(members: Sequence[Trial], bend: Trial | None, x: Metric, y: Metric) -> str:
    if not members:
        return "No candidate has succeeded within the limits."
    at = f" The knee is trial {bend.number}: {bend.measurements[x.name]}, {bend.measurements[y.name]}." if bend else ""
    span = sorted(trial.value(x.name) for trial in members)
    reach = f"from {span[0]:.3g} to {span[-1]:.3g} {x.unit}" if len(span) > 1 else f"at {span[0]:.3g} {x.unit}"
    are = "network is" if len(members) == 1 else "networks are"
    return f"{len(members)} {are} on the front, {reach}.{at}"


def pareto_figure(info: ParetoInfo) -> "go.Figure":
    """Better is always up and to the left; the cloud is WebGL, the front SVG with its intervals.

    The page refills these traces, which it knows by their index: see results/assets/page/4-front.js.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    _add_cloud(figure, info)
    _add_front(figure, info)
    _add_anchors(figure, info)
    thin = {"color": GREY, "width": 1.2}
    intervals = _intervals(info.front, info.anchors)
    figure.add_scattergl(
        name="95 % intervals", mode="lines", hoverinfo="skip", line=thin, showlegend=False, **intervals
    )
    crosses = {"color": GREY, "size": 6, "symbol": "x-thin-open"}
    unmeasured = _coordinates(info.predicted)
    figure.add_scattergl(name="predicted, not measured", mode="markers", hoverinfo="skip", marker=crosses, **unmeasured)
    figure.update_layout(layout(title(info.x), title(info.y, info.validity)))
    return figure


def _add_cloud(figure: "go.Figure", info: ParetoInfo) -> None:
    cloud = {"mode": "markers", "hoverinfo": "skip"}
    dots = {"color": GREY, "size": 6, "opacity": 0.55}
    rings = {"color": GREY, "size": 7, "symbol": "circle-open", "opacity": 0.6}
    figure.add_scattergl(name="beyond a limit", marker=rings, **cloud, **_coordinates(info.infeasible))
    figure.add_scattergl(name="dominated", marker=dots, **cloud, **_coordinates(info.dominated))


def _add_front(figure: "go.Figure", info: ParetoInfo) -> None:
    """The steps, the members, hollow where a latency is doubtful, and the knee."""
    figure.add_scatter(name="best so far", mode="lines", hoverinfo="skip", line=_step(info.x), **_steps(info))
    diamonds = {"color": BLUE, "size": 10, "symbol": "diamond", "line": {"color": "white", "width": 1}}
    hollow = {"color": BLUE, "size": 10, "symbol": "diamond-open", "line": {"width": 2}}
    sure = _points(info.front.without(info.doubtful), info)
    figure.add_scatter(name="front", mode="markers", marker=diamonds, **sure)
    doubtful = _points(info.doubtful, info, "doubtful")
    figure.add_scatter(name="front, latency doubtful", mode="markers", marker=hollow, **doubtful)
    ring = {"color": VERMILION, "size": 19, "symbol": "circle-open", "line": {"width": 2.5}}
    figure.add_scatter(name="knee", mode="markers", hoverinfo="skip", marker=ring, **_coordinates(info.knee))


def _add_anchors(figure: "go.Figure", info: ParetoInfo) -> None:
    """The anchors as stars, hollow where a latency is doubtful."""
    name = f"{info.whose}, {'measured here' if info.x.kind == 'measured' else 'predicted'}"
    stars = {"color": INK, "size": 14, "symbol": "star", "line": {"color": "white", "width": 1}}
    hollow = {"color": INK, "size": 13, "symbol": "star-open", "line": {"width": 1.5}}
    figure.add_scatter(name=name, marker=stars, **_named(info.anchors.without(info.doubtful_anchors), info))
    doubtful = _named(info.doubtful_anchors, info, "doubtful")
    figure.add_scatter(name=f"{info.whose}, latency doubtful", marker=hollow, **doubtful)


def _coordinates(layer: Layer) -> dict[str, Any]:
    return {"x": layer.x, "y": layer.y, "customdata": layer.trials}


def _intervals(*layers: Layer) -> dict[str, Any]:
    """All 95 % intervals as one line with gaps: SVG would need an element for every piece, hence WebGL."""
    x: list[float | None] = []
    y: list[float | None] = []
    for layer in layers:
        for at_x, at_y, x_ends, y_ends in zip(layer.x, layer.y, layer.x_ends, layer.y_ends, strict=True):
            x += [*x_ends, None, at_x, at_x, None]
            y += [at_y, at_y, None, *y_ends, None]
    return {"x": x, "y": y}


def _points(layer: Layer, info: ParetoInfo, note: str = "") -> dict[str, Any]:
    values = f"trial %{{customdata}}<br>%{{x:.4g}} {info.x.unit}, %{{y:.4g}} {info.y.unit}"
    return {**_coordinates(layer), "hovertemplate": values + (f"<br>{note}" if note else "") + "<extra></extra>"}


def _named(layer: Layer, info: ParetoInfo, note: str = "") -> dict[str, Any]:
    names = {"mode": "markers+text", "text": layer.labels, "textposition": label_positions(layer.x)}
    return {**names, **_points(layer, info, note)}


def _step(x: Metric) -> dict[str, Any]:
    """Steps along what the front attains: a straight line would claim networks that nobody tested."""
    return {"color": BLUE, "width": 1.5, "shape": "hv" if x.direction == "minimize" else "vh"}


def _steps(info: ParetoInfo) -> dict[str, Any]:
    order = sorted(zip(info.front.x, info.front.y, strict=True))
    return {"x": [x for x, _ in order], "y": [y for _, y in order]}
