"""The fronts of the study in one figure: `python -m benchmarks.study.picture docs/pictures/study.svg`.

Every point of Next-ViT's space is drawn by the stages in which it has transformers; other families are lines.
"""

import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go

from benchmarks.drawing import draw
from benchmarks.study.report import KEPT, attention
from results.colours import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILION
from results.figures.common.style import AXIS, layout
from results.front import front
from results.store.record import Run, Trial
from results.store.store import Store

WIDTH, HEIGHT = 1000, 560
SLOWEST = 285.0  # ms
OURS = "nhs"


@dataclass(frozen=True)
class Look:
    """How networks are drawn, and what they are called."""

    words: str
    colour: str
    symbol: str
    dash: str = "solid"


PLACES = {
    (False, False, False, True): Look("stage 4 alone", ORANGE, "circle"),
    (False, True, False, True): Look("stages 2 and 4", GREEN, "square"),
    (False, True, True, True): Look("stages 2, 3 and 4: Next-ViT's strategy", BLUE, "diamond"),
    (True, True, True, True): Look("every stage", VERMILION, "triangle-up"),
}
PEERS = {
    "fastvit": Look("FastViT's space: stage 4, or none", PURPLE, "x-thin", "dashdot"),
    "metaformer": Look("CAFormer's space: stages 3 and 4", INK, "x-thin", "dash"),
    "maxxvit": Look("MaxViT's and CoAtNet's space: stages 3 and 4, or all", GREY, "x-thin", "dot"),
}


def main() -> None:
    with closing(Store(f"sqlite:///{KEPT}")) as store:
        draw(figure({name: store.run(name) for name in store.names()}), Path(sys.argv[1]))


def figure(runs: dict[str, Run]) -> go.Figure:
    """All fronts, and the paper's networks."""
    made = go.Figure(layout=layout("", ""))
    made.update_layout(width=WIDTH, height=HEIGHT, paper_bgcolor="white", plot_bgcolor="white")
    made.update_layout(margin={"l": 64, "r": 16, "t": 24, "b": 60})
    made.update_layout(legend={"orientation": "v", "x": 0.985, "xanchor": "right", "y": 0.03, "yanchor": "bottom"})
    made.update_layout(legend={"title": {"text": "<b>Fronts, by the stages with attention</b>"}})
    for name, look in PEERS.items():
        _add(made, runs[name], front(runs[name]), look, mode="lines")
    ours = front(runs[OURS])
    for places, look in PLACES.items():
        named = Look(f"Next-ViT's space: {look.words}", look.colour, look.symbol)
        _add(made, runs[OURS], [each for each in ours if attention(each.architecture) == places], named)
    anchors = [trial for trial in runs[OURS].succeeded() if trial.anchor]
    _add(made, runs[OURS], anchors, Look("Next-ViT-S, B and L", INK, "star"))
    made.update_traces(marker_size=14, selector={"name": "Next-ViT-S, B and L"})
    made.update_xaxes(**AXIS, title_text="latency [ms], measured: ONNX Runtime, two cores", range=[20, SLOWEST])
    made.update_yaxes(**AXIS, title_text="ImageNet top-1 [%], predicted: lower end of the interval")
    return made


def _add(made: go.Figure, run: Run, trials: list[Trial], look: Look, mode: str = "markers") -> None:
    accuracy, latency = (metric.name for metric in run.objectives)
    points = sorted((trial.value(latency), trial.value(accuracy)) for trial in trials)
    made.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode=mode,
        name=look.words,
        line={"color": look.colour, "dash": look.dash, "width": 2, "shape": "hv"},
        marker={"color": look.colour, "symbol": look.symbol, "size": 8},
    )


if __name__ == "__main__":
    main()
