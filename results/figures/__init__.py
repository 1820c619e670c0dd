"""The figures: each file has `..._info(run)`, plain data that tests compare, and `..._figure(info)`, its drawing.

For notebooks, the function of a figure's own name does both: `figures.pareto(run)` is a Plotly figure.
"""

from typing import TYPE_CHECKING

from results.figures.fronts import fronts_figure, fronts_info
from results.figures.importance import importance_figure, importance_info
from results.figures.parallel import parallel_figure, parallel_info
from results.figures.pareto import pareto_figure, pareto_info
from results.figures.progress import progress_figure, progress_info
from results.figures.proxy import proxy_figure, proxy_info
from results.figures.stopwatch import stopwatch_figure, stopwatch_info
from results.figures.strategy import strategy_figure, strategy_info

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from results.store.record import Run


def pareto(run: "Run", latency: str | None = None) -> "go.Figure":
    """The run's front in a notebook: its first latency, or the one that is named, against its accuracy objective."""
    return pareto_figure(pareto_info(run, latency))


def fronts(first: "Run", second: "Run") -> "go.Figure":
    """The fronts of two runs in one plane."""
    return fronts_figure(fronts_info(first, second))


def progress(run: "Run") -> "go.Figure":
    """How the volume that the front covers grew."""
    return progress_figure(progress_info(run))


def strategy(run: "Run") -> "go.Figure":
    """Where the transformers of the front stand, and how many of them pay."""
    return strategy_figure(strategy_info(run))


def importance(run: "Run") -> "go.Figure":
    """Which parameters of the space matter for each objective."""
    return importance_figure(importance_info(run))


def parallel(run: "Run") -> "go.Figure":
    """The front and other networks as lines over shape and objectives."""
    return parallel_figure(parallel_info(run))


def proxy(run: "Run") -> "go.Figure":
    """What stands in for accuracy against what real training reached."""
    return proxy_figure(proxy_info(run))


def stopwatch(run: "Run") -> "go.Figure":
    """How far the latencies can be told apart, and whether the machine stayed the same."""
    return stopwatch_figure(stopwatch_info(run))
