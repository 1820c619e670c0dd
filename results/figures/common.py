"""What all figures share: colours that every eye tells apart, axis titles that say which
way is better, a layout, and the shape of a network in numbers."""

from collections.abc import Sequence
from typing import Any

from evaluators import Metric
from results.store.record import Trial

LONGEST = 36  # letters of a metric's name on an axis; beyond, its options are left to the table
FRONT, CLOUD, ANCHOR, KNEE = "#0072B2", "#8a8f98", "#1b1f24", "#D55E00"


def title(metric: Metric, validity: str = "") -> str:
    """The text beside an axis: what it is, in which unit, which way is better, and what it is not."""
    better = "lower is better" if metric.direction == "minimize" else "higher is better"
    checked = validity.partition(" [")[0] if validity.startswith("tau") else "unvalidated"
    untold = "trained" if metric.direction == "maximize" else "measured"
    kind = {"score": f" score, {checked}", "predicted": f" not {untold}"}.get(metric.kind, "")
    name = metric.name if len(metric.name) <= LONGEST else metric.name.partition(":")[0]
    return f"{name}{kind} [{metric.unit}], {better}"


def layout(x: str, y: str) -> dict[str, Any]:
    """A figure with these two axis titles, transparent: the page behind it is light or dark."""
    axis = {"gridcolor": "rgba(128,128,128,0.18)", "zeroline": False, "automargin": True}
    return {
        "template": "none",
        "xaxis": {"title": {"text": x}, **axis},
        "yaxis": {"title": {"text": y}, **axis},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"l": 64, "r": 24, "t": 36, "b": 56},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "uirevision": "constant",
        "hovermode": "closest",
    }


def beside(x: Sequence[float]) -> list[str]:
    """Where the names of points stand: to the right, but for the last point, beyond which the figure may end."""
    return ["top left" if each == max(x) else "bottom right" for each in x]


def shape(trial: Trial) -> dict[str, int]:
    """What can be said of a network's shape in a few numbers."""
    stages = trial.architecture.stages
    kinds, blocks = "".join(stage.blocks for stage in stages), trial.architecture.blocks
    return {
        "blocks": len(kinds),
        "in stage 3": len(stages[2].blocks),
        "transformers": kinds.count("T"),
        "first of them": kinds.find("T") + 1 or len(kinds) + 1,
        "width of stage 3": blocks[2][-1].out_channels,
        "width of stage 4": blocks[3][-1].out_channels,
    }
