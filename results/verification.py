"""What is to be said of a front that rests on predictions: how a predicted accuracy was checked, and that predicted
latencies are unverified until the networks are measured on that device."""

from collections.abc import Sequence

from evaluators import Measurement
from results.record import Run, Trial


def measured(trial: Trial, objective: str) -> Measurement | None:
    """The measurement that a prediction was of, if the network was ever measured in that context."""
    prediction = trial.measurements.get(objective)
    wanted = prediction.protocol.get("predicted_from") if prediction else None
    found = (each for each in trial.measurements.values() if each.metric.kind == "measured")
    return next((each for each in found if each.context == wanted), None)


def remarks(run: Run, members: Sequence[Trial]) -> list[str]:
    """A sentence for each objective of the run that is predicted: how many of these networks were measured too."""
    accuracy, *latencies = run.objectives
    found = [_taught(accuracy.name, members)] if accuracy.kind == "predicted" and members else []
    return found + [_remark(run, metric.name, members) for metric in latencies if metric.kind == "predicted"]


def _taught(objective: str, members: Sequence[Trial]) -> str:
    """How far a prediction of accuracy was checked, in its own words."""
    words = next(
        (trial.measurements[objective].warnings[0] for trial in members if objective in trial.measurements), ""
    )
    return f"{objective}: {words}"


def _remark(run: Run, objective: str, members: Sequence[Trial]) -> str:
    known = [trial for trial in members if objective in trial.measurements]
    pairs = [(trial.value(objective), measured(trial, objective)) for trial in known]
    errors = [abs(value / found.value - 1) for value, found in pairs if found]
    latency = objective.partition(":predicted")[0].partition(",predicted")[0]
    if not errors:
        return (
            f"{objective} is predicted, not measured: this front is unverified until "
            f"'nas measure {run.name} --front --latency {latency}' has measured it on its device."
        )
    rest = "" if len(errors) == len(pairs) else f"; the other {len(pairs) - len(errors)} are unverified"
    return (
        f"{objective} is predicted; {len(errors)} of these {len(pairs)} networks were measured too, "
        f"off by {sum(errors) / len(errors):.1%} on average{rest}."
    )
