"""How reliable the numbers of a front are: which are predictions, and which measurements are doubtful.

A predicted latency is unverified until the network is measured on that device. A latency is doubtful where the machine
was not calm; a front with a doubtful latency is compared with nothing.
"""

import math
from collections import Counter
from collections.abc import Sequence

from evaluators import Measurement
from evaluators.statistics.intervals import normal
from results import front, novelty
from results.store.record import Run, Trial

FEW = 10  # trials that a command names by number


def measured(trial: Trial, objective: str) -> Measurement | None:
    """The measurement that a prediction predicted, where the network was measured in that context."""
    prediction = trial.measurements.get(objective)
    wanted = prediction.protocol.get("predicted_from") if prediction else None
    measurements = (measurement for measurement in trial.measurements.values() if measurement.metric.kind == "measured")
    return next((measurement for measurement in measurements if measurement.context == wanted), None)


def remarks(run: Run, members: Sequence[Trial]) -> list[str]:
    """A sentence for each objective that is predicted or doubtful for some of these networks, and on strange ones."""
    return predictions(run, members) + doubts(run, members) + novelty.remarks(members)


def predictions(run: Run, members: Sequence[Trial]) -> list[str]:
    """A sentence for each objective of the run that is predicted: how many of these networks were measured too."""
    accuracy, *latencies = run.objectives
    sentences = [_prediction_of_accuracy(accuracy.name, members)] if accuracy.kind == "predicted" and members else []
    return sentences + [
        _prediction_of_latency(run, metric.name, members) for metric in latencies if metric.kind == "predicted"
    ]


def _prediction_of_accuracy(objective: str, members: Sequence[Trial]) -> str:
    """How far a prediction of accuracy was checked: its own warning."""
    sentence = next(
        (trial.measurements[objective].warnings[0] for trial in members if objective in trial.measurements), ""
    )
    return f"{objective}: {sentence}."


def _prediction_of_latency(run: Run, objective: str, members: Sequence[Trial]) -> str:
    known = [trial for trial in members if objective in trial.measurements]
    pairs = [(trial.value(objective), measured(trial, objective)) for trial in known]
    errors = [abs(value / measurement.value - 1) for value, measurement in pairs if measurement]
    latency = objective.partition(":predicted")[0].partition(",predicted")[0]
    if not errors:
        return (
            f"{objective} is predicted, not measured: this front is unverified until "
            f"'nas measure {run.name} --front --latency {latency}{run.store_option}' has measured it on its device."
        )
    others = "" if len(errors) == len(pairs) else f"; the other {len(pairs) - len(errors)} are unverified"
    return (
        f"{objective} is predicted; {len(errors)} of these {len(pairs)} networks were measured too, "
        f"off by {sum(errors) / len(errors):.1%} on average{others}."
    )


def flags(run: Run) -> list[str]:
    """A sentence for each latency that was measured: how many measurements have which flag."""
    found = {
        metric.name: [trial for trial in run.succeeded() if metric.name in trial.measurements]
        for metric in run.objectives
        if metric.kind == "measured"
    }
    return [f"{name}: {_flags(trials, name)}{_speed(trials[-1], name)}" for name, trials in found.items() if trials]


def _speed(trial: Trial, name: str) -> str:
    """At which speed of the device milliseconds are given, and how well that is known."""
    error = trial.measurements[name].details.get("constant_error")
    if error is None:
        return ""
    return (
        f"; milliseconds at this device's typical speed, which is known within {normal() * error:.1%} and common to all"
    )


def doubts(run: Run, trials: Sequence[Trial], whose: str = "these") -> list[str]:
    """A sentence for each latency that is doubtful for some trials: how many, why, and what measures them again."""
    by_metric = {
        metric.name: [trial for trial in trials if metric.name in trial.measurements] for metric in run.objectives
    }
    return [
        f"{len(doubtful)} of {whose} {len(known)} latencies by {name} {'are' if len(doubtful) > 1 else 'is'} doubtful "
        f"({_flags(doubtful, name)}): measure again with 'nas measure {run.name} {_which(run, doubtful)} "
        f"--latency {name}{run.store_option}'."
        for name, known in by_metric.items()
        if (doubtful := [trial for trial in known if trial.measurements[name].doubtful])
    ]


def _flags(trials: Sequence[Trial], name: str) -> str:
    counts = Counter(trial.measurements[name].quality for trial in trials)
    return ", ".join(f"{count} {flag}" for flag, count in counts.most_common())


def _which(run: Run, trials: Sequence[Trial]) -> str:
    """The options of `nas measure` that select these trials; it measures only what is doubtful again."""
    numbers = {trial.number for trial in trials}
    if numbers <= {trial.number for trial in front.front(run)}:
        return "--front"
    return " ".join(f"--trial {number}" for number in sorted(numbers)) if len(numbers) <= FEW else "--all"


def obstacles(run: Run) -> list[str]:
    """Why the run's front cannot be compared with the paper's networks or with another front; empty where it can."""
    members, others = _compared(run)
    return doubts(run, members, "the front's") + doubts(run, others, front.whose_anchors(run))


def doubtful(run: Run) -> int:
    """How many networks of the front and of the paper have a doubtful latency."""
    names = [metric.name for metric in run.objectives]
    return sum(any(trial.measurements[name].doubtful for name in names) for part in _compared(run) for trial in part)


def contenders(run: Run) -> list[Trial]:
    """Networks off the front that may belong there: their latencies are above it by less than twice their errors."""
    members = front.front(run)
    numbers = {trial.number for trial in members}
    others = [trial for trial in run.feasible() if trial.number not in numbers]
    latencies = [index for index, metric in enumerate(run.objectives) if metric.kind == "measured"]
    if not (members and others and latencies):
        return []
    costs = front.as_costs([run.point(trial) for trial in members], run.objectives)
    names = {index: run.objectives[index].name for index in latencies}
    widest = {index: max(_error(member, name) for member in members) for index, name in names.items()}
    found = []
    for trial in others:
        point = front.as_costs([run.point(trial)], run.objectives)[0]
        for index, name in names.items():
            point[index] *= math.exp(-2 * math.hypot(_error(trial, name), widest[index]))
        if not ((costs <= point).all(1) & (costs < point).any(1)).any():
            found.append(trial)
    return found


def _error(trial: Trial, metric: str) -> float:
    """The standard error of the logarithm of a latency."""
    measurement = trial.measurements[metric]
    return math.log(measurement.high / measurement.low) / 2 / normal()


def _compared(run: Run) -> tuple[list[Trial], list[Trial]]:
    """The front, and the paper's networks that are not on it."""
    members = front.front(run)
    numbers = {trial.number for trial in members}
    return members, [trial for trial in run.succeeded() if trial.anchor and trial.number not in numbers]
