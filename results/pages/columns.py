"""A run as columns of data, from which the page finds and draws the front of any two metrics."""

import base64
from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np

from evaluators import Measurement, Metric
from evaluators.prediction.predicted import predicted_spec
from results import validity
from results.figures.common.style import title
from results.glyphs import fields
from results.store.record import Run, Trial

STAGES = 4
STARTUP = 10  # trials before a sampler has a model: see nas/search/proposals.py
NO_SHAPE = (None, None, None, ())  # of a stage of another family


def metrics(run: Run) -> list[Metric]:
    """All metrics of the run's networks: the objectives first, then the others by name."""
    shown = [*run.succeeded(), *run.predicted()]
    measured = {name: measurement.metric for trial in shown for name, measurement in trial.measurements.items()}
    objectives = {metric.name: metric for metric in run.objectives}
    return [*objectives.values(), *(measured[name] for name in sorted(measured.keys() - objectives.keys()))]


def columns(run: Run) -> dict[str, Any]:
    """One row for each network with a value. Values are exact, so that the page finds the front that Python finds."""
    trials, known = [*run.succeeded(), *run.predicted()], metrics(run)
    by_metric = {metric.name: [trial.measurements.get(metric.name) for trial in trials] for metric in known}
    return {
        "metrics": {metric.name: _described(run, metric) for metric in known},
        "numbers": [trial.number for trial in trials],
        "predictions": predictions(run),
        "infeasible": [row for row, trial in enumerate(trials) if trial.state == "infeasible"],
        "anchors": {row: trial.anchor for row, trial in enumerate(trials) if trial.anchor},
        "random": _random(run, trials),
        "names": {row: str(trial.architecture) for row, trial in enumerate(trials) if not trial.stages},
        "values": {
            name: _packed([m.value if m else None for m in column], "<f8") for name, column in by_metric.items()
        },
        "intervals": {name: ends for name, column in by_metric.items() if (ends := _intervals(column))},
        "doubtful": {name: rows for name, column in by_metric.items() if (rows := _doubtful(column))},
        "stages": [_stage(trials, index) for index in range(STAGES)],
        "fields": _coded([fields(trial.architecture) for trial in trials]),
    }


def predictions(run: Run) -> dict[str, str]:
    """By latency: the metric that predicts it for the networks that were not measured; nothing where all were."""
    named = {name for trial in run.predicted() for name in trial.measurements}
    pairs = {metric.name: predicted_spec(metric.name) for metric in run.objectives if metric.kind == "measured"}
    return {name: predicted for name, predicted in pairs.items() if predicted in named}


def _random(run: Run, trials: Sequence[Trial]) -> list[int]:
    """The rows of networks that were drawn at random, from the run's own draws alone."""
    if run.config.get("taught_by"):
        return []  # its first networks are the best of earlier runs
    last = np.inf if run.config.get("sampler") == "random" else STARTUP
    return [row for row, trial in enumerate(trials) if trial.number < last and not trial.anchor]


def _stage(trials: Sequence[Trial], index: int) -> dict[str, Any]:
    """A stage of every network: its blocks, widths of convolutions and transformers, r, and other blocks' widths."""
    stages = [trial.stages[index] if trial.stages else None for trial in trials]
    shapes = [
        (stage.conv_width, stage.transformer_width, stage.mix_block_ratio, stage.zoo_widths) if stage else NO_SHAPE
        for stage in stages
    ]
    return {"blocks": _coded([stage.blocks if stage else "" for stage in stages]), "shapes": _coded(shapes)}


def _coded(column: Sequence[Hashable]) -> dict[str, Any]:
    """A column with few distinct values: the values, and for each row the index of its value."""
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
        "said": said(metric),
        "title": title(metric, validity.shown(run, metric)),
        "device": ", ".join(devices),
    }


def said(metric: Metric) -> str:
    """What a number is, for a sentence: a prediction is no measurement, and a score no accuracy."""
    if metric.name.partition(":")[0] == "published":
        return "from published networks"
    untrue = "trained" if metric.direction == "maximize" else "measured"
    words = {"score": f"{metric.name}, a score and no accuracy", "predicted": f"predicted, not {untrue}"}
    return words.get(metric.kind, metric.kind)


def _intervals(column: Sequence[Measurement | None]) -> dict[str, str]:
    """The ends of each interval, to seven digits; nothing where no interval has any width."""
    if not any(m and m.high > m.low for m in column):
        return {}
    return {end: _packed([getattr(m, end) if m else None for m in column], "<f4") for end in ("low", "high")}


def _packed(values: Sequence[float | None], kind: Literal["<f8", "<f4"]) -> str:
    """Numbers as JavaScript's typed arrays hold them, NaN where there is none, in base64: exact, in half the text."""
    return base64.b64encode(np.array(values, dtype=float).astype(kind).tobytes()).decode()


def _doubtful(column: Sequence[Measurement | None]) -> dict[str, list[int]]:
    """The rows with a doubtful measurement, by its quality flag."""
    flagged = [
        (measurement.quality, row) for row, measurement in enumerate(column) if measurement and measurement.doubtful
    ]
    return {flag: [row for other, row in flagged if other == flag] for flag in sorted({flag for flag, _ in flagged})}
