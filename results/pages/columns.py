"""A run as columns: all that the page needs to find and draw the front of any two metrics by itself."""

import base64
from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np

from evaluators import Measurement, Metric
from results import validity
from results.figures.common.style import title
from results.store.record import Run, Trial

STAGES = 4


def metrics(run: Run) -> list[Metric]:
    """Everything that is known of the run's networks: the objectives first, then whatever else was counted."""
    found = {name: each.metric for trial in run.succeeded() for name, each in trial.measurements.items()}
    objectives = {metric.name: metric for metric in run.objectives}
    return [*objectives.values(), *(found[name] for name in sorted(found.keys() - objectives.keys()))]


def columns(run: Run) -> dict[str, Any]:
    """One row for each network with a value. Values are exact, so that the page finds the front that Python finds."""
    trials, known = run.succeeded(), metrics(run)
    found = {metric.name: [trial.measurements.get(metric.name) for trial in trials] for metric in known}
    return {
        "metrics": {metric.name: _described(run, metric) for metric in known},
        "numbers": [trial.number for trial in trials],
        "infeasible": [row for row, trial in enumerate(trials) if trial.state == "infeasible"],
        "anchors": {row: trial.anchor for row, trial in enumerate(trials) if trial.anchor},
        "values": {
            name: _packed([each.value if each else None for each in column], "<f8") for name, column in found.items()
        },
        "intervals": {name: ends for name, column in found.items() if (ends := _intervals(column))},
        "doubtful": {name: rows for name, column in found.items() if (rows := _doubtful(column))},
        "stages": [_stage(trials, index) for index in range(STAGES)],
    }


def _stage(trials: Sequence[Trial], index: int) -> dict[str, Any]:
    """A stage of every network: its blocks, and the width of its convolutions and transformers with r."""
    stages = [trial.architecture.stages[index] for trial in trials]
    shapes = [(each.conv_width, each.transformer_width, each.mix_block_ratio) for each in stages]
    return {"blocks": _coded([each.blocks for each in stages]), "shapes": _coded(shapes)}


def _coded(column: Sequence[Hashable]) -> dict[str, Any]:
    """A column of few different values: each of them once, and which one it is in each row."""
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(column))}
    return {"kinds": list(kinds), "rows": [kinds[each] for each in column]}


def _described(run: Run, metric: Metric) -> dict[str, Any]:
    devices = sorted(
        {
            trial.measurements[metric.name].device.label
            for trial in run.succeeded()
            if metric.name in trial.measurements and trial.measurements[metric.name].device.facts
        }
    )
    return {
        "unit": metric.unit,
        "direction": metric.direction,
        "kind": metric.kind,
        "title": title(metric, validity.shown(run, metric)),
        "device": ", ".join(devices),
    }


def _intervals(column: Sequence[Measurement | None]) -> dict[str, str]:
    """The ends of each interval, to seven digits; nothing where no interval has any width."""
    if not any(each and each.high > each.low for each in column):
        return {}
    return {end: _packed([getattr(each, end) if each else None for each in column], "<f4") for end in ("low", "high")}


def _packed(values: Sequence[float | None], kind: Literal["<f8", "<f4"]) -> str:
    """Numbers as JavaScript's typed arrays hold them, NaN where there is none, in base64: exact, in half the text."""
    return base64.b64encode(np.array(values, dtype=float).astype(kind).tobytes()).decode()


def _doubtful(column: Sequence[Measurement | None]) -> dict[str, list[int]]:
    """The rows whose measurement has to be taken again, by its flag."""
    flagged = [(each.quality, row) for row, each in enumerate(column) if each and each.doubtful]
    return {flag: [row for other, row in flagged if other == flag] for flag in sorted({flag for flag, _ in flagged})}
