"""Can we trust the stopwatch? The width of every latency's interval, and whether the machine stayed the same."""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from evaluators import Metric
from evaluators.stopwatch.calibration import ratio_of
from results import front
from results.colours import BLUE, GREY, VERMILION
from results.figures.common.style import layout
from results.figures.common.view import View
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="Can we trust the stopwatch?", place=6)
DRAWN = 1000  # trials; of more, every second, third, ... is drawn


@dataclass(frozen=True, kw_only=True)
class StopwatchInfo:
    """Of the first latency that was measured: by trial, half the interval and the reference network's change, in %."""

    metric: str
    trials: tuple[int, ...]
    halves: tuple[float, ...]
    reference: tuple[float | None, ...]  # against the median of the run
    summary: str


def stopwatch_info(run: Run) -> StopwatchInfo:
    """How well the measured latencies of a run can be distinguished."""
    metric = next((m for m in run.objectives if m.kind == "measured"), None)
    trials = [trial for trial in run.succeeded() if metric and metric.name in trial.measurements]
    if not metric or not trials:
        return StopwatchInfo(metric="", trials=(), halves=(), reference=(), summary="No latency was measured.")
    measurements = [trial.measurements[metric.name] for trial in trials]
    references = [math.exp(ratio.reference) if (ratio := ratio_of(m)) else None for m in measurements]
    usual = median([m for m in references if m] or [1.0])
    halves = tuple(round(50 * (m.high - m.low) / m.value, 4) if m.value else 0.0 for m in measurements)
    doubtful = sum(m.doubtful for m in measurements)
    return StopwatchInfo(
        metric=metric.name,
        trials=tuple(trial.number for trial in trials),
        halves=halves,
        reference=tuple(round(100 * (m / usual - 1), 4) if m else None for m in references),
        summary=f"Half the 95 % interval is {median(halves):.2g} % of the latency at the median, {max(halves):.2g} % "
        f"at worst; {doubtful} of {len(trials)} measurements are doubtful. {_overlaps(run, metric)}",
    )


def _overlaps(run: Run, metric: Metric) -> str:
    """How many neighbours on the front the intervals do not separate."""
    members = sorted(front.front(run), key=lambda trial: trial.value(metric.name))
    pairs = [(a.measurements[metric.name], b.measurements[metric.name]) for a, b in pairwise(members)]
    overlapping = sum(first.high >= second.low for first, second in pairs)
    return f"Of {len(pairs)} neighbours on the front, {overlapping} are not distinguishable by {metric.name}."


def stopwatch_figure(info: StopwatchInfo) -> "go.Figure":
    """Crosses for the reference network, dots for the intervals, over the trials."""
    import plotly.graph_objects as go

    figure = go.Figure()
    every = slice(None, None, 1 + len(info.trials) // DRAWN)
    trials, halves, reference = info.trials[every], info.halves[every], info.reference[every]
    dots = {"color": BLUE, "size": 5}
    crosses = {"size": 6, "symbol": "x-thin", "line": {"width": 1.5, "color": VERMILION}}
    figure.add_scatter(name="half the interval", x=trials, y=halves, mode="markers", marker=dots)
    figure.add_scatter(
        name="the reference network against its median", x=trials, y=reference, mode="markers", marker=crosses
    )
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_layout(layout("trial", f"% of {info.metric or 'the latency'}"))
    return figure
