"""Which candidates are worth a measurement: those that may stand on the front, by their score and a predicted latency.

A prediction learns from what the run itself has measured. A candidate is measured unless the front beats it even where
each latency is as low as it may well be (the mean less 1.64 standard deviations).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluators import Measurement
from evaluators.core.measurement import digest, now
from evaluators.prediction import latency_features
from evaluators.prediction.predicted import predicted_spec
from nas.search.sampling.comparable import comparable
from nas.search.screening.screening import informative
from results.front import as_costs
from results.store.record import Run, Trial
from search_spaces import Network

FEWEST = 20  # measured networks, before a prediction decides
GROWTH = 1.25  # of the number of measured networks, until the models are fitted again
BEST_CASE, LEVEL = 1.64, 1.96  # standard deviations: the best case, and the half-width of the interval that is shown

Vector = NDArray[np.float64]


class Prospects:
    """Judges the candidates of a run by its measured trials; of those that it is given, a fixed number teaches it."""

    def __init__(self) -> None:
        self.models: dict[tuple[str, int], _Latency] = {}

    def hopeless(
        self, run: Run, measured: Sequence[Trial], architecture: Network, accuracy: float
    ) -> list[Measurement]:
        """The predicted latencies of a candidate that cannot stand on the front; empty for one to be measured."""
        _, *latencies = run.objectives
        kept = [trial for trial in measured if trial.state == "ok"]
        measured = [trial for trial in measured if type(trial.architecture) is type(architecture)]
        if len(measured) < FEWEST or any(metric.kind != "measured" for metric in latencies):
            return []
        predictions = [self._model(measured, metric.name).predict(architecture) for metric in latencies]
        points = [[trial.value(run.objectives[0].name), *map(comparable, _of(trial, run))] for trial in kept]
        best_case = [accuracy, *(mean - BEST_CASE * spread for mean, spread in predictions)]
        costs = as_costs([*points, best_case], run.objectives)
        if not ((costs[:-1] <= costs[-1]).all(1) & (costs[:-1] < costs[-1]).any(1)).any():
            return []
        return [
            self._model(measured, metric.name).measurement(mean, spread)
            for metric, (mean, spread) in zip(latencies, predictions, strict=True)
        ]

    def _model(self, measured: Sequence[Trial], metric: str) -> "_Latency":
        count = FEWEST
        while count * GROWTH <= len(measured):
            count = int(count * GROWTH)
        key = (metric, count)
        if key not in self.models:
            self.models[key] = _Latency(measured[:count], metric)
        return self.models[key]


def _of(trial: Trial, run: Run) -> list[Measurement]:
    return [trial.measurements[metric.name] for metric in run.objectives[1:]]


class _Latency:
    """The model of one latency."""

    def __init__(self, measured: Sequence[Trial], metric: str) -> None:
        from evaluators.prediction.latency_predictor import Process  # imports SciPy: half a second

        made = [trial.measurements[metric] for trial in measured]
        values = np.array([comparable(each) for each in made])
        rows = informative(values[:, None])
        self.example = made[-1]
        self.resolution = int(self.example.protocol.get("resolution", 224))
        x = np.stack([self._features(measured[row].architecture) for row in rows])
        self.process = Process(x, values[rows])
        self.unit = float(np.median([each.value for each in made] / values))  # of the values, in the metric's own
        self.networks = [measured[row].architecture.id for row in rows]

    def _features(self, architecture: Network) -> Vector:
        return latency_features.features(architecture, self.resolution)

    def predict(self, architecture: Network) -> tuple[float, float]:
        """The mean and the standard deviation, in the numbers that a sampler learns from."""
        mean, spread = self.process.predict(self._features(architecture)[None])
        return float(mean[0]), float(spread[0])

    def measurement(self, mean: float, spread: float) -> Measurement:
        """The prediction as it is stored and shown."""
        metric, count = self.example.metric, len(self.networks)
        value, half = self.unit * mean, self.unit * LEVEL * spread
        return Measurement(
            metric=replace(metric, name=predicted_spec(metric.name), kind="predicted"),
            value=value,
            low=max(0.0, value - half),
            high=value + half,
            samples=count,
            quality="predicted",
            device=self.example.device,
            versions=self.example.versions,
            protocol={
                "evaluator": metric.name,
                "predicted_from": self.example.context,
                "measurements": count,
                "networks": digest(sorted(self.networks)),
            },
            when=now(),
            seconds=0.0,
            warnings=(f"predicted from {count} networks of the run, not measured: it had no prospect of the front",),
        )
