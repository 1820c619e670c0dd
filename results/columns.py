"""A run as columns: what the page needs to draw any pair of metrics by itself, without ever judging who beats whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluators import Metric
from results import front
from results.figures.common import title
from results.record import Run, Trial
from results.validity import UNVALIDATED

STAGES = 4
DIGITS = 5  # significant ones: intervals are wider, and a page of 10,000 networks is a third smaller


def metrics(run: Run) -> list[Metric]:
    """Everything that is known of the run's networks: the objectives first, then whatever else was counted."""
    found = {name: each.metric for trial in run.succeeded() for name, each in trial.measurements.items()}
    objectives = {metric.name: metric for metric in run.objectives}
    return [*objectives.values(), *(found[name] for name in sorted(found.keys() - objectives.keys()))]


def columns(run: Run) -> dict[str, Any]:
    """One row for each network with a value, and for each pair of metrics the rows on its front."""
    trials, known = run.succeeded(), metrics(run)
    rows = {trial.number: row for row, trial in enumerate(trials)}
    return {
        "metrics": {metric.name: _described(run, metric) for metric in known},
        "numbers": [trial.number for trial in trials],
        "notations": [str(trial.architecture) for trial in trials],
        "infeasible": [row for row, trial in enumerate(trials) if trial.state == "infeasible"],
        "anchors": {row: trial.anchor for row, trial in enumerate(trials) if trial.anchor},
        "values": {metric.name: _values(trials, metric.name) for metric in known},
        "halves": {metric.name: _halves(trials, metric.name) for metric in known},
        "stages": [_stage(trials, index) for index in range(STAGES)],
        "pairs": {
            x.name: {y.name: _pair(run, rows, x, y) for y in known if y.direction == "maximize"}
            for x in known
            if x.direction == "minimize"
        },
    }


def _pair(run: Run, rows: Mapping[int, int], x: Metric, y: Metric) -> dict[str, Any]:
    """The front of two metrics among the trials that have both and keep the run's limits, from the best y down."""
    two = replace(run, config={**run.config, "objectives": [vars(y), vars(x)]})
    chosen = front.front(two, [t for t in run.feasible() if {x.name, y.name} <= t.measurements.keys()])
    bend = front.knee(two, chosen)
    return {"front": [rows[trial.number] for trial in chosen], "knee": rows[bend.number] if bend else None}


def _stage(trials: Sequence[Trial], index: int) -> dict[str, Any]:
    """What the notation does not tell of a stage: every (convolution width, transformer width, r), and whose it is."""
    stages = [trial.architecture.stages[index] for trial in trials]
    found = [(each.conv_width, each.transformer_width, each.mix_block_ratio) for each in stages]
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(found))}
    return {"kinds": list(kinds), "rows": [kinds[each] for each in found]}


def _described(run: Run, metric: Metric) -> dict[str, Any]:
    devices = sorted(
        {
            trial.measurements[metric.name].device.label
            for trial in run.succeeded()
            if metric.name in trial.measurements and trial.measurements[metric.name].device.facts
        }
    )
    validity = run.validity.get(metric.name, UNVALIDATED) if metric.kind == "score" else ""
    return {
        "unit": metric.unit,
        "direction": metric.direction,
        "kind": metric.kind,
        "title": title(metric, validity),
        "device": ", ".join(devices),
    }


def _values(trials: Sequence[Trial], name: str) -> list[float | None]:
    return [_short(trial.measurements[name].value) if name in trial.measurements else None for trial in trials]


def _halves(trials: Sequence[Trial], name: str) -> list[float]:
    """Half the width of each interval; an empty column where no interval has any."""
    found = [trial.measurements.get(name) for trial in trials]
    halves = [float(f"{(each.high - each.low) / 2:.2g}") if each else 0.0 for each in found]
    return halves if any(halves) else []


def _short(value: float) -> float | int:
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short == int(short) else short
