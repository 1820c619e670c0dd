"""How the front's hypervolume grew, trial by trial."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import front, verification
from results.colours import BLUE, GREY, VERMILION
from results.figures.common.style import layout
from results.figures.common.view import View
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Progress", place=2, is_open=True)


@dataclass(frozen=True, kw_only=True)
class ProgressInfo:
    """The hypervolume after each trial; where `relative`, as a multiple of the anchors' own."""

    volumes: tuple[float, ...]
    failed: tuple[int, ...]
    relative: bool
    anchors: str
    summary: str


def progress_info(run: Run) -> ProgressInfo:
    """The hypervolume of the front after each trial."""
    reference = front.reference_point(run)
    volumes = front.attainment(run, reference) if reference is not None else [0.0] * len(run.trials)
    last = front.relative_hypervolume(run)
    scale = last / volumes[-1] if last and volumes and volumes[-1] else 1.0
    times = f"is {last:.2f} times that of {front.anchor_names(run)} alone" if last else "is compared with nothing"
    if last and (doubtful := verification.doubtful(run)):
        times = f"is not compared yet: {doubtful} latencies of the front and of {front.anchor_names(run)} are doubtful"
    return ProgressInfo(
        volumes=tuple(round(volume * scale, 6) for volume in volumes),
        failed=tuple(trial.number for trial in run.trials if trial.state == "failed"),
        relative=last is not None,
        anchors=front.anchor_names(run),
        summary=f"The front's hypervolume {times}.",
    )


def progress_figure(info: ProgressInfo) -> "go.Figure":
    """A step line, with a cross on the axis for each failure and the anchors' own volume dashed."""
    import plotly.graph_objects as go

    figure = go.Figure()
    before = (None, *info.volumes)
    last = len(info.volumes) - 1
    steps = [trial for trial, volume in enumerate(info.volumes) if volume != before[trial] or trial == last]
    heights = [info.volumes[trial] for trial in steps]
    figure.add_scatter(x=steps, y=heights, mode="lines", name="front", line={"shape": "hv", "color": BLUE})
    crosses = {"symbol": "x", "color": VERMILION, "size": 8}
    figure.add_scatter(x=info.failed, y=[0] * len(info.failed), mode="markers", name="failed", marker=crosses)
    if info.relative:
        figure.add_hline(y=1, line={"dash": "dash", "color": GREY}, annotation={"text": f"{info.anchors} alone"})
    figure.update_layout(layout("trial", "hypervolume, anchors = 1" if info.relative else "hypervolume"))
    figure.update_layout(showlegend=bool(info.failed), yaxis_rangemode="tozero")
    return figure
