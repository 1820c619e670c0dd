"""Is the run in good health? Sentences to read before one believes a front."""

from collections import Counter
from collections.abc import Iterator

from evaluators.core.measurement import Quality
from results import front, verification
from results.parameters import parameters
from results.store.record import Run, Trial

AT_EDGE = 0.8  # of the front's networks with a parameter at one end of its range: the space may be too small there
FEWEST = 5  # networks of the front, below which nothing is said about edges

MEANINGS: dict[Quality, str] = {  # what a quality flag means for the numbers that carry it; empty where all is well
    "exact": "",
    "score": "",
    "trained": "",
    "predicted": "",
    "clean": "",
    "corrected": "",
    "abstains": "come from a prediction that does not rank the networks that were trained",
    "noisy": "are noisy: their intervals stayed wide",
    "cpu_time": "are CPU times: other programs took the CPU",
    "drifted": "drifted: the machine ran at another speed than at first",
}


def sentences(run: Run) -> list[str]:
    """What is good and what is doubtful about a run, the most important first."""
    members = front.front(run)
    return [
        *_against_the_paper(run, members),
        *_without_anchors(run),
        *_edges(run, members),
        *_doubts(run),
        *_causes(run),
        *filter(None, [run.ignored_sentence()]),
    ]


def _against_the_paper(run: Run, members: list[Trial]) -> Iterator[str]:
    volume = front.relative_hypervolume(run)
    anchors = [trial for trial in run.succeeded() if trial.anchor]
    if volume is None:
        yield "None of the paper's networks was measured in this run, so the front is compared with nothing."
        return
    if obstacles := verification.obstacles(run):
        yield f"The front is not compared with {front.anchor_names(run)}. {' '.join(obstacles)}"
        return
    costs = front.as_costs([run.point(trial) for trial in anchors], run.objectives)
    ours = front.as_costs([run.point(trial) for trial in members], run.objectives)
    beaten = sum(bool(((ours <= row).all(1) & (ours < row).any(1)).any()) for row in costs) if len(ours) else 0
    verdict = "beats" if volume > 1 else "does not beat"
    yield (
        f"The front {verdict} {front.anchor_names(run)} on this device: it covers {volume:.2f} times as much, and "
        f"{beaten} of the {len(anchors)} are beaten in every objective."
    )


def _without_anchors(run: Run) -> Iterator[str]:
    """Latencies that the paper's networks lack, so that the others have nothing to compare with."""
    metrics = {
        name: measurement.metric for trial in run.succeeded() for name, measurement in trial.measurements.items()
    }
    for name, metric in sorted(metrics.items()):
        missing = [trial for trial in run.succeeded() if trial.anchor and name not in trial.measurements]
        if metric.kind == "measured" and missing:
            numbers = " ".join(f"--trial {trial.number}" for trial in missing)
            yield (
                f"{', '.join(trial.anchor for trial in missing)} not measured by {name}: "
                f"nas measure {run.name} {numbers} --latency {name}{run.store_option}"
            )


def _edges(run: Run, members: list[Trial]) -> Iterator[str]:
    if len(members) < FEWEST:
        return
    ends: Counter[tuple[str, float]] = Counter()
    for used in parameters(run, members):
        for name, value in used.params.items():
            range_ = used.distributions[name]
            low, high = getattr(range_, "low", None), getattr(range_, "high", None)
            if low is not None and high is not None and high > low + 1 and value in (low, high):
                ends[name, value] += 1
    for (name, value), count in ends.most_common():
        if count >= AT_EDGE * len(members):
            yield (
                f"{count} of {len(members)} networks of the front have {name} at {value:g}, an end of its range: "
                "better ones may lie outside the space."
            )


def _doubts(run: Run) -> Iterator[str]:
    seen = Counter(trial.architecture for trial in run.trials if trial.state != "running")
    if repeated := sum(count - 1 for count in seen.values()):
        yield f"{repeated} candidates were tried more than once."
    flags = Counter((name, m.quality) for trial in run.succeeded() for name, m in trial.measurements.items())
    for (name, flag), count in flags.most_common():
        if meaning := MEANINGS.get(flag, f"are {flag}"):  # a user's plug-in may have other flags
            yield f"{count} measurements of {name} {meaning}."


def _causes(run: Run) -> Iterator[str]:
    causes = Counter(trial.cause for trial in run.trials if trial.state == "failed").most_common()
    yield from (f"{count} × {cause}" for cause, count in causes)
    if not causes:
        yield "No candidate failed."
