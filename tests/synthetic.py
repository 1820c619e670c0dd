"""Runs made by hand, for tests of what is shown: real architectures, numbers that the test chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna

import search_spaces
from evaluators import Device, Measurement, Metric
from evaluators.core.measurement import Quality
from results.store.record import Run, Trial
from search_spaces import PAPER, Architecture

SCORE = Metric(name="entropy", unit="nats", direction="maximize", kind="score")
LATENCY = Metric(name="ort", unit="ms", direction="minimize", kind="measured")
DEVICE = Device(label="a test device", facts={"kind": "cpu", "model": "test"})


def measurement(metric: Metric, value: float, half: float = 0.1) -> Measurement:
    return Measurement(
        metric=metric,
        value=value,
        low=value - half,
        high=value + half,
        samples=9,
        quality="clean",
        device=DEVICE,
        versions={"runtime": "1.0"},
        protocol={"evaluator": metric.name},
        when="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        warnings=("unvalidated",) if metric.kind == "score" else (),
    )


def trial(number: int, score: float, latency: float, **fields: Any) -> Trial:
    """A candidate with a score and a latency; its network has as many blocks in stage 3 as its number says."""
    notation = f"CCC-CCCT-{'C' * (1 + number % 30)}-CCT"
    found = {"entropy": measurement(SCORE, score, 0.01), "ort": measurement(LATENCY, latency)}
    defaults = {"architecture": Architecture.from_notation(notation), "state": "ok", "measurements": found}
    return Trial(number=number, **defaults | fields)


def run(trials: Sequence[Trial], **config: Any) -> Run:
    objectives = [vars(SCORE), vars(LATENCY)]
    defaults = {"space": "nhs", "budget": 9, "proxy": "entropy", "latencies": ["ort"], "limits": [], "seed": 0}
    return Run(
        name="test-run", config={**defaults, "sampler": "gp", "objectives": objectives, **config}, trials=tuple(trials)
    )


def anchors() -> list[Trial]:
    """Next-ViT-S, B and L, as trials 0, 1 and 2."""
    points = zip(PAPER.items(), [(4.5, 50.0), (4.6, 70.0), (4.65, 90.0)], strict=True)
    return [
        trial(number, score, latency, anchor=name, architecture=architecture)
        for number, ((name, architecture), (score, latency)) in enumerate(points)
    ]


def typical() -> Run:
    """Anchors, two networks that beat them, one dominated, one beyond a limit, one failed."""
    return run(
        [
            *anchors(),
            trial(3, 4.7, 40.0),
            trial(4, 4.8, 60.0),
            trial(5, 4.2, 80.0),
            trial(6, 4.9, 120.0, state="infeasible", constraints={"ort<=100ms": 20.0}),
            trial(7, 0, 0, state="failed", measurements={}, cause="it broke", detail="badly"),
            trial(8, 4.9, 95.0),
        ],
        limits=["ort<=100ms"],
    )


def doubtful(flags: Mapping[int, Quality], run_: Run | None = None) -> Run:
    """The typical run, or another, with these quality flags on the latencies of its trials."""
    run_ = run_ or typical()
    for number, flag in flags.items():
        run_.trials[number].measurements["ort"] = replace(run_.trials[number].measurements["ort"], quality=flag)
    return run_


def many(count: int = 60, seed: int = 0, space: str = "nhs") -> Run:
    """Anchors and random networks of the space; score and latency follow the depth of stage 3 alone."""
    random = np.random.default_rng(seed)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    drawn = [search_spaces.get(space).suggest(study.ask()) for _ in range(count)]
    noise = random.normal(0, 0.01, (count, 2))
    depths = [len(architecture.stages[2].blocks) for architecture in drawn]
    trials = [
        trial(number, 4 + depth / 30 + noise[number - 3, 0], 40 + depth + noise[number - 3, 1], architecture=each)
        for number, (each, depth) in enumerate(zip(drawn, depths, strict=True), start=3)
    ]
    return run([*anchors(), *trials], budget=count + 3, space=space)


OTHER = Metric(name="trt", unit="ms", direction="minimize", kind="measured")
OTHERS = Device(label="another device", facts={"kind": "gpu", "model": "other"})


def on_two_devices() -> Run:
    """The typical run, measured on another device too, on which its slowest network is the fastest."""
    run_ = typical()
    for each in run_.succeeded():
        found = replace(measurement(OTHER, 20 - each.number), device=OTHERS)
        each.measurements[OTHER.name] = found
    return run_


def large(count: int = 10_000, different: int = 400) -> Run:
    """As many trials, of fewer networks, on three devices, with counts: what a page must bear."""
    random = np.random.default_rng(0)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [search_spaces.get("nhs").suggest(study.ask()) for _ in range(different)]
    depth = np.array([sum(len(stage.blocks) for stage in each.stages) for each in drawn])[np.arange(count) % different]
    scores = 4 + np.log(depth) / 5 + random.normal(0, 0.05, count)
    times = {
        name: depth * factor + random.gamma(3, 3, count) for name, factor in (("ort", 2), ("trt", 0.4), ("coreml", 0.2))
    }
    metrics = {name: replace(OTHER, name=name) for name in times} | {"params": replace(OTHER, name="params", unit="")}
    trials = anchors()
    for row in range(count):
        architecture = drawn[row % different]
        found = {"entropy": measurement(SCORE, scores[row], 0.01)}
        found |= {name: measurement(metrics[name], times[name][row]) for name in times}
        found["params"] = measurement(metrics["params"], 1e6 * depth[row], 0)
        trials.append(trial(row + 3, 0, 0, architecture=architecture, measurements=found))
    return run(trials, budget=count)
