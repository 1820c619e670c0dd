"""The command `nas validate`: checks scores and predictions against true accuracies."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import evaluators
from evaluators import Evaluator
from evaluators.prediction import published_check, published_table
from evaluators.statistics.ranking import FEWEST
from evaluators.workers.bench import Bench
from nas import console
from nas.progress import progress
from results.benchmark import truth as truths
from results.benchmark import validation, validation_page
from results.benchmark.truth import Truth
from results.benchmark.validation import Report
from results.store.store import Store
from search_spaces import Architecture, Network
from search_spaces.common import files
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer, UsageError

STORE, PUBLISHED = "store", "published"


def validate_scores(
    source: str,
    specs: Sequence[str],
    *,
    evaluations: Sequence[int],
    draws: int,
    store_url: str,
    output: Path | None,
    as_json: bool,
    timeout: float,
) -> int:
    """Reports how well scores rank a truth. Returns 1 if scores were tried and none beats the best count.

    The published table as a truth checks the prediction from it, with one family of networks left out at a time.
    """
    if source == PUBLISHED:
        return _published(specs, output, as_json=as_json)
    if output:
        files.check_file(output)
    truth = _stored(store_url) if source == STORE else truths.read(Path(source))
    truths.check_networks(truth, specs)
    truth = _scored(truth, specs, timeout)
    with progress(f"validating on {len(truth.accuracy)} networks", validation.steps(truth, evaluations, draws)) as done:
        report = validation.report(truth, evaluations, draws, lambda steps: done(done.done + steps))
    if output:
        validation_page.write(report, output)
    if as_json:
        console.write_json(report.to_dict())
    else:
        _write(report)
    if output:
        console.say(f"page: {output}")
    return 0 if report.better or not report.compared else 1


def _published(specs: Sequence[str], output: Path | None, *, as_json: bool) -> int:
    """Reports how well published networks predict those of left-out families. Returns 1 if size alone ranks better."""
    if output or set(specs) - {PUBLISHED}:
        raise UsageError(
            "the table of published networks checks the prediction 'published' alone, and has no page",
            f"type: {console.command('validate', '--truth', PUBLISHED)}",
        )
    results = published_table.table()
    checks = {check.name: check for check in published_check.check(results)}
    if as_json:
        plain = [asdict(check) for check in checks.values()]
        console.write_json({"truth": PUBLISHED, "results": len(results.model), "checks": plain})
    else:
        families = len(set(results.family))
        console.say(
            f"{len(results.model)} published ImageNet results ({published_table.origin()}), each family of {families} "
            "predicted from the others; 95 % intervals over families"
        )
        rows = [[name, *(str(getattr(check, column) or "-") for column in COLUMNS)] for name, check in checks.items()]
        console.write_table(["predicted by", *COLUMNS.values()], rows, frozenset(COLUMNS.values()))
    return int(checks["lower bound"].partial_tau.value <= checks["size line and recipe"].partial_tau.value)


COLUMNS = {
    "tau": "tau",
    "partial_tau": "tau given MACs and params",
    "within_family": "tau within a family",
    "error": "error [points]",
    "regret": "regret [points]",
    "near_regret": "regret among alike [points]",
    "coverage": "coverage",
}


def _stored(store_url: str) -> Truth:
    """The trained networks of the database, at the fidelity that has most of them.

    Raises:
        NegativeAnswer: there are fewer than ten.
    """
    store = Store(store_url)
    try:
        by_context = store.trained()
    finally:
        store.close()
    known = ([(a, m) for a, m in pairs if isinstance(a, Architecture)] for pairs in by_context.values())
    pairs = max(known, key=len, default=[])
    if len(pairs) < FEWEST:
        raise NegativeAnswer(
            f"the database holds {len(pairs)} real evaluations of one fidelity: {FEWEST} are needed",
            f"make some: {console.command('run', '--data', 'DIR')}, or "
            + console.command("measure", "--sample", "20", "--proxy", "train:data=DIR"),
        )
    return truths.of_networks(
        pairs[0][1].metric.name, [pair[0] for pair in pairs], np.array([[pair[1].value] for pair in pairs])
    )


def _scored(truth: Truth, specs: Sequence[str], timeout: float) -> Truth:
    """The truth, with the scores of its networks added."""
    scores = [evaluators.get(spec, "accuracy") for spec in specs]
    for evaluator in scores:
        if evaluator.kind != "score" and evaluator.name() != PUBLISHED:
            raise UsageError(f"'{evaluator.spec}' is no score", f"scores are {', '.join(_scores())}")
    computed: dict[str, np.ndarray] = {}
    count = len(truth.architectures)
    with Bench(timeout, say=console.say) as bench, progress("computing scores", len(scores) * count) as done:
        for column, evaluator in enumerate(scores):
            values = np.empty(count)
            for number, architecture in enumerate(truth.architectures):
                values[number] = _score(bench, evaluator, architecture)
                done(column * count + number + 1, evaluator.spec)
            computed[evaluator.spec] = values
    return replace(truth, scores={**truth.scores, **computed})


def _score(bench: Bench, evaluator: Evaluator, architecture: Network) -> float:
    try:
        return bench.measure(evaluator, architecture).value
    except MeasurementFailed as error:
        raise NegativeAnswer(f"{evaluator.spec} of {architecture} failed: {error.cause}", error.detail) from None


def _scores() -> list[str]:
    names = evaluators.names("accuracy")
    return [name for name in names if evaluators.get(name).kind == "score" or name == PUBLISHED]


def _write(report: Report) -> None:
    facts = "; ".join(f"{name}: {value}" for name, value in validation_page.facts(report).items())
    console.say(f"{report.truth}: {facts}")
    headings = validation_page.headings(report)
    rows = [validation_page.cells(report, row) for row in report.rows]
    console.write_table(headings, rows, frozenset(headings[2:]))
    for remark in report.remarks:
        console.say(remark)
    if report.compared:
        winners = ", ".join(report.better) or "none"
        console.say(f"of {report.tried} scores tried, these rank better than the best count of the network: {winners}")
    elif report.tried:
        console.say("the truth has no counts of the networks (params, macs, ...) to compare the scores with")
    for device in validation_page.devices(report):
        ordered = sorted(
            (row for row in report.rows if device in row.regrets), key=lambda row: row.regrets[device].mean
        )
        least = ", then ".join(f"{row.name} ({row.regrets[device].mean:.2f} points)" for row in ordered[:3])
        console.say(f"choosing at a budget of {device} costs least by {least}")
