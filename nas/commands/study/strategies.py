"""The command `nas strategies`: hybrid strategies compared at one measured latency."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import evaluators
from evaluators import Evaluator
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.training.fidelity import Fidelity
from evaluators.workers.bench import Bench
from evaluators.workers.remote import check_lane
from nas import console, signals
from nas.exit_codes import INTERRUPTED
from nas.search import accuracy
from nas.strategies.experiment import Experiment
from nas.strategies.stored_latency import StoredLatency
from results import limits
from results.store.store import Store
from results.strategies import page, table
from results.strategies.report import Report
from search_spaces.common import files
from search_spaces.common.errors import UsageError
from search_spaces.strategies.catalogue import chosen
from search_spaces.strategies.strategy import check_scalings

USUAL_TRAINING = "train:epochs=9"  # of a comparison with data


def compare_strategies(
    names: Sequence[str],
    *,
    latency: str,
    at: str,
    proxy: str | None,
    data: str | None,
    seeds: int | None,
    scalings: Sequence[str],
    output: Path | None,
    store_url: str,
    timeout: float,
    lane: str,
    as_json: bool,
) -> int:
    """Builds, measures and evaluates the strategies of the named questions. Returns the exit code."""
    signals.listen()
    questions, depths = chosen(tuple(names)), check_scalings(scalings)
    measured = evaluators.get(latency, "latency")
    target = milliseconds(measured, at)
    metric = judge(proxy, data, seeds)
    for evaluator in (measured, metric):
        if reason := evaluator.missing():
            raise reason
    if lane:
        check_lane(lane, metric)
    if output:
        files.check_file(output)
    store = Store(store_url, writable=True)
    with closing(store), Bench(timeout, say=console.say, lane=lane) as bench:
        experiment = Experiment(
            stopwatch=StoredLatency(store=store, bench=bench, latency=measured),
            metric=metric,
            milliseconds=target,
            say=console.say,
            scalings=depths,
        )
        try:
            report = experiment.report(questions)
        except KeyboardInterrupt:
            console.say(f"interrupted; what was measured is stored. Resume with:\n  {console.same_command()}")
            return INTERRUPTED
    if as_json:
        console.write_json(report.to_dict())
    else:
        _write(report)
    if output:
        page.write(report, output)
        console.say(f"page: {output}")
    return 0


def judge(proxy: str | None, data: str | None, seeds: int | None) -> Evaluator:
    """What the strategies are judged by: trainings where there is data, else `published` or what is named.

    Raises:
        UsageError: the options contradict each other.
    """
    named = accuracy.proxy({"proxy": proxy or (USUAL_TRAINING if data else None), "data": data})
    metric = evaluators.get(named, "accuracy")
    if isinstance(metric, LearnedAccuracy):
        raise UsageError(f"{metric.spec} predicts, and strategies differ too little for that", "train: --proxy train")
    if seeds is None:
        return metric
    if not isinstance(metric, Fidelity):
        raise UsageError(f"--seeds {seeds} is for trainings, and {metric.spec} trains nothing", "add --data DIR")
    return replace(metric, seeds=seeds)


def milliseconds(latency: Evaluator, at: str) -> float:
    """The latency of the text, such as 60ms.

    Raises:
        UsageError: it is none.
    """
    try:
        return limits.parse(f"{latency.spec}<={at}").bound
    except UsageError:
        raise UsageError(f"--at {at} is not a latency", "give a number with its unit: --at 60ms") from None


def _write(report: Report) -> None:
    headings = table.headings(report)
    console.say(
        f"{report.latency.name} at {report.milliseconds:g} ms on {report.device}, judged by {report.metric.name}"
    )
    for answer in report.answers:
        console.say(f"\n{answer.text}")
        rows = [table.row(answer, standing) for standing in answer.standings]
        console.write_table(headings, rows, frozenset(headings[1:]))
        console.say(answer.sentence)
