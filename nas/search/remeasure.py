"""Noisy latencies are measured again, in another process and later, before they may stand on the front."""

from collections.abc import Callable

from evaluators import Measurement
from nas.search.search import Search
from results import front
from results.store.record import Trial
from search_spaces.common.errors import MeasurementFailed

REPEATS = 2  # of one network, at the most: a machine that stays noisy keeps its flags


def remeasure(search: Search, report: Callable[[Trial, Measurement], None]) -> None:
    """Measures the front's noisy latencies again and combines; whatever comes to the front then is treated alike.

    Leaves the run of the search as the database has it now.

    Raises:
        InfrastructureFailed: a process or device failed; what was measured stays.
    """
    latencies = [evaluator for evaluator in search.objectives if evaluator.metric.kind == "measured"]
    search.read_again()  # one constant of the device for all milliseconds
    for _ in range(REPEATS if latencies else 0):
        noisy = [
            (trial, evaluator)
            for trial in front.front(search.run)
            for evaluator in latencies
            if trial.measurements[evaluator.spec].quality == "noisy"
        ]
        if not noisy:
            return
        for trial, evaluator in noisy:
            try:
                again = search.bench.measure(evaluator, trial.architecture)
            except MeasurementFailed:  # its first measurement stands, flagged
                continue
            report(trial, search.store.keep(trial.architecture, again))
        search.read_again()
