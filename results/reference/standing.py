"""Where a device stands beside published ones: the ratios of Next-ViT-S, B and L, which milliseconds do not enter."""

from math import exp, hypot, log

from evaluators import Measurement
from results.reference.facts import SIZES, ratios
from results.store.record import Run, Trial

SHOWN = ("t4-trt8", "iphone12-coreml5", "i7-12700h")  # a GPU, a telephone and a CPU


def sentences(run: Run) -> list[str]:
    """A sentence for each latency by which a run measured Next-ViT-S, B and L; none where it did not."""
    trials = {trial.anchor: trial for trial in run.trials if trial.anchor in SIZES}
    if len(trials) < len(SIZES):
        return []
    published = ratios()
    others = ", ".join(str(published[key]) for key in SHOWN)
    return [
        f"S : B : L is {here} here by {metric.name}; published at 224 pixels: {others}."
        for metric in run.objectives
        if metric.kind == "measured" and (here := _here([trials[size] for size in SIZES], metric.name))
    ]


def _here(trials: list[Trial], metric: str) -> str:
    """The ratios to the first of these networks, with intervals: `1 : 1.45 [1.43, 1.47] : 1.98 [1.95, 2.01]`."""
    found = [trial.measurements[metric] for trial in trials if metric in trial.measurements]
    if len(found) < len(trials):
        return ""
    first, *others = found
    return " : ".join(["1", *(_ratio(other, first) for other in others)])


def _ratio(measurement: Measurement, first: Measurement) -> str:
    """A ratio of latencies with its 95 % interval; the errors of their logarithms are independent."""
    ratio = measurement.value / first.value
    width = hypot(*(log(each.high / each.low) / 2 for each in (measurement, first)))
    return f"{ratio:.2f} [{ratio / exp(width):.2f}, {ratio * exp(width):.2f}]"
