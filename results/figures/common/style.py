"""What all figures share: a layout, axis titles that say which way is better, and where the names of points stand."""

from collections.abc import Sequence
from typing import Any

from evaluators import Metric

LONGEST = 36  # letters of a metric's name on an axis; beyond, its options are left to the table
AXIS = {"gridcolor": "rgba(128,128,128,0.18)", "automargin": True}


def title(metric: Metric, validity: str = "") -> str:
    """The title of an axis: the metric with its unit, which way is better, and for a score how it was validated.

    `validity` is the sentence of `results.validity`; an axis has room for its rank correlation alone.
    """
    better = "lower is better" if metric.direction == "minimize" else "higher is better"
    checked = validity.partition(" [")[0] if validity.startswith("tau") else "unvalidated"
    untrue = "trained" if metric.direction == "maximize" else "measured"
    name = metric.name if len(metric.name) <= LONGEST else metric.name.partition(":")[0]
    score = f" score, {checked}" if metric.kind == "score" else ""
    predicted = f"predicted, not {untrue}, " if metric.kind == "predicted" else ""
    return f"{name}{score} [{metric.unit}], {predicted}{better}"


def layout(x: str, y: str) -> dict[str, Any]:
    """A figure with these two axis titles, transparent: the page behind it is light or dark."""
    return {
        "template": "none",
        "xaxis": {"title": {"text": x}, "zeroline": False, **AXIS},
        "yaxis": {"title": {"text": y}, "zeroline": False, **AXIS},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"l": 64, "r": 24, "t": 36, "b": 56},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "uirevision": "constant",
        "hovermode": "closest",
    }


def titled(title: str, x: str, y: str, height: int = 400) -> dict[str, Any]:
    """A figure of that height in pixels: its title, below it the legend, both at the left edge, and then the plot."""
    return {
        **layout(x, y),
        "title": {"text": title, "font": {"size": 15}, "x": 0, "xanchor": "left", "y": 1 - 12 / height},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "y": 1 - 38 / height,
            "yref": "container",
            "yanchor": "top",
        },
        "height": height,
        "margin": {"l": 64, "r": 24, "t": 96, "b": 56},
    }


def label_positions(x: Sequence[float]) -> list[str]:
    """Where the names of points stand: on the right, except for the last point, which may be at the figure's edge."""
    return ["top left" if value == max(x) else "bottom right" for value in x]
