"""The command `nas measure`: single networks, the networks of a finished run, or a sample of a space."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.workers.bench import Bench
from evaluators.workers.paired_comparison import Comparison, compare
from nas import console
from nas.progress import progress
from results import front, verification
from results.glyphs import labelled
from results.store.database_url import sqlite_path
from results.store.record import Run
from results.store.store import Store
from search_spaces import Network
from search_spaces.common import narrowed, networks
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, NegativeAnswer, UsageError

SAMPLING_ATTEMPTS = 100  # draws per requested network, before a space counts as too small


def requested(latencies: Sequence[str], proxies: Sequence[str]) -> list[Evaluator]:
    """The evaluators of the command line: the default latency if it names none.

    Raises:
        Unavailable: one of them cannot run where it is to run.
    """
    requests = [evaluators.get(spec, "accuracy") for spec in proxies]
    requests += [evaluators.get(spec, "latency") for spec in latencies or (() if proxies else ("ort",))]
    for evaluator in requests:
        if reason := evaluator.missing():
            raise reason
    return requests


# One network, or two


def measure_networks(
    texts: Sequence[str],
    latencies: Sequence[str],
    proxies: Sequence[str],
    *,
    store_url: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Measures networks one after the other, and stores the results if there is a database."""
    sqlite_path(store_url)  # refuses what is no place for a database, before anything is measured
    architectures = [networks.find(text) for text in texts]
    costs = [evaluators.get(name) for name in evaluators.names("cost")]
    requests = [*costs, *requested(latencies, proxies)]
    reports = []
    with Bench(timeout, say=console.say) as bench, progress("measuring", len(architectures) * len(requests)) as done:
        for number, architecture in enumerate(architectures):
            measurements = []
            for evaluator in requests:
                measurements.append(bench.measure(evaluator, architecture))
                done(number * len(requests) + len(measurements), f"{architecture} {evaluator.spec}")
            reports.append((architecture, _stored(architecture, measurements, store_url)))
    if as_json:
        documents = [_document(architecture, measurements) for architecture, measurements in reports]
        console.write_json(documents if len(documents) > 1 else documents[0])
        return
    for architecture, measurements in reports:
        _write(architecture, measurements)


def _document(architecture: Network, measurements: list[Measurement]) -> dict[str, object]:
    by_name = {measurement.metric.name: measurement.to_dict() for measurement in measurements}
    return {"architecture": architecture.to_dict(), "id": architecture.id, "measurements": by_name}


def _write(architecture: Network, measurements: list[Measurement]) -> None:
    console.say(f"{labelled(architecture)}  {architecture.id}")
    headings = ["metric", "value", "95 % interval", "unit", "kind", "samples", "quality", "device"]
    console.write_table(headings, (row for measurement in measurements for row in _rows(measurement)))
    for measurement in measurements:
        if parts := ", ".join(f"{part} {share:.4g} %" for part, share in measurement.time_shares.items()):
            console.say(f"time of {measurement.metric.name}: {parts}")
    warnings = dict.fromkeys(warning for measurement in measurements for warning in measurement.warnings)
    for warning in warnings:
        console.say(f"warning: {warning}")


def _rows(measurement: Measurement) -> Iterator[list[str]]:
    interval = f"{measurement.low:.4g} to {measurement.high:.4g}" if measurement.high > measurement.low else ""
    metric, label = measurement.metric, measurement.device.label
    value, quality = (
        f"{measurement.value:.4g}",
        measurement.quality + (", at chance" if measurement.is_at_chance else ""),
    )
    yield [metric.name, value, interval, metric.unit, metric.kind, str(measurement.samples), quality, label]
    for further in measurement.further:
        yield [f"{metric.name} {further.name}", f"{further.value:.4g}", "", further.unit, metric.kind, "", "", label]


def _stored(architecture: Network, measurements: list[Measurement], store_url: str) -> list[Measurement]:
    """Stores measurements if there is a database; returns what is known of the network then, repeats combined."""
    path = sqlite_path(store_url)
    if path and not path.exists():
        console.say(f"not stored: there is no database at '{path}' (nas run creates one)")
        if any(measurement.metric.kind == "measured" for measurement in measurements):
            console.say("milliseconds are those of this moment: with a database, those of the device's typical speed")
        return measurements
    with closing(Store(store_url, writable=True)) as store:
        for measurement in measurements:
            store.remember(architecture, measurement)
        known = [store.recall(architecture, measurement.context) or measurement for measurement in measurements]
    console.say(f"stored in {store_url}")
    return known


def compare_networks(texts: Sequence[str], latencies: Sequence[str], *, timeout: float, as_json: bool) -> None:
    """Reports whether the latencies of two networks differ, and by how much."""
    if len(texts) != 2:
        raise UsageError(f"--compare takes two networks, got {len(texts)}", "for example next-vit-s next-vit-b")
    first, second = (networks.find(text) for text in texts)
    comparisons: list[Comparison] = []
    with Bench(timeout, say=console.say) as bench:
        for evaluator in requested(latencies, ()):
            comparisons.append(compare(bench, evaluator, first, second))
            if not as_json:
                console.say(comparisons[-1].sentence(texts[0], texts[1]))
    if as_json:
        console.write_json([comparison.to_dict() for comparison in comparisons])


# Many networks


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network to measure, and its label in messages."""

    name: str
    architecture: Network


def of_run(run: Run, *, trials: Sequence[int], all_trials: bool, contenders: bool = False) -> list[Candidate]:
    """The networks of a run: those of its front (with those that errors alone may keep off it), all, or by number."""
    if trials:
        known = {trial.number: trial for trial in run.trials}
        unknown = [number for number in trials if number not in known]
        if unknown:
            raise UsageError(f"run '{run.name}' has no trial {unknown[0]}", f"its trials are 0 to {len(known) - 1}")
        selected = [known[number] for number in trials]
    else:
        selected = run.succeeded() if all_trials else front.front(run)
        selected += verification.contenders(run) if contenders and not all_trials else []
    if not selected:
        raise NegativeAnswer(
            f"run '{run.name}' has nothing to measure",
            f"no candidate succeeded: {console.command('show', run.name, '--all')}",
        )
    return [Candidate(name=f"trial {trial.number}", architecture=trial.architecture) for trial in selected]


def sample(space: str, count: int, seed: int, fix: Sequence[str] = (), free: Sequence[str] = ()) -> list[Candidate]:
    """Different random networks of a space, or of what `fix` leaves of it: a data set for the predictor of a device.

    Raises:
        UsageError: the space does not hold so many networks.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    searched = narrowed.get(space, narrowed.resolved(space, fix, free))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    drawn: dict[str, Network] = {}
    for _ in range(SAMPLING_ATTEMPTS * count):
        architecture = searched.suggest(study.ask())
        drawn.setdefault(architecture.id, architecture)
        if len(drawn) == count:
            return [
                Candidate(name=f"sample {number}", architecture=architecture)
                for number, architecture in enumerate(drawn.values())
            ]
    raise UsageError(f"the space '{space}' gave {len(drawn)} different networks, not {count}", "ask for fewer")


def _measure_all(
    store: Store, candidates: Sequence[Candidate], requests: Sequence[Evaluator], timeout: float, again: int = 0
) -> int:
    """Measures networks into the store, except those with an undoubted measurement. Returns how many failed.

    With `again`, all of them are measured so many times, turn by turn, and combined with what is known.
    """
    failed = 0
    jobs = [(candidate, evaluator) for candidate in candidates for evaluator in requests] * max(1, again)
    with Bench(timeout, say=console.say) as bench, progress("measuring", len(jobs)) as done:
        for number, (candidate, evaluator) in enumerate(jobs, start=1):
            done(number - 1)
            context = evaluator.context()
            label = f"{number}/{len(jobs)}  {candidate.name}  {evaluator.spec}"
            known = store.recall(candidate.architecture, context)
            if known and not known.doubtful and not again:
                console.say(f"{label}: {known}, known")
                continue
            try:
                measurement = bench.measure(evaluator, candidate.architecture)
            except MeasurementFailed as error:
                failed += 1
                console.say(f"{label} failed: {error.cause}")
                continue
            except InfrastructureFailed as error:
                resume = (
                    f"{number - 1 - failed} of {len(jobs)} are in the database: repeat the command to measure the rest"
                )
                raise InfrastructureFailed(error.message, f"{error.hint}\n  {resume}".lstrip()) from error
            combined = store.keep(candidate.architecture, measurement)
            console.say(f"{label}: {combined}, {combined.quality}")
    return failed


def measure_run(
    store_url: str,
    name: str | None,
    requests: Sequence[Evaluator],
    *,
    trials: Sequence[int],
    all_trials: bool,
    again: int,
    timeout: float,
) -> int:
    """Measures the networks of a finished run into its database: `nas show` has a further column for them."""
    Store(store_url).close()  # raises with a hint if there is no database
    store = Store(store_url, writable=True)
    try:
        run = store.run(store.named(name))
        candidates = of_run(run, trials=trials, all_trials=all_trials, contenders=again > 0)
        failed = _measure_all(store, candidates, requests, timeout, again)
        columns = [store.add_column(run.name, evaluator.spec, evaluator.context()) for evaluator in requests]
    finally:
        store.close()
    hint = f"{console.command('show', run.name)} shows them as {', '.join(columns)}"
    return _conclude(failed, len(candidates) * len(requests) * max(1, again), hint)


def measure_sample(
    store_url: str, candidates: Sequence[Candidate], requests: Sequence[Evaluator], *, timeout: float
) -> int:
    """Measures random networks of a space into the database, which is created if there is none."""
    store = Store(store_url, writable=True)
    try:
        failed = _measure_all(store, candidates, requests, timeout)
    finally:
        store.close()
    hint = f"{console.command('predictor', '--latency', requests[0].spec)} learns from them"
    return _conclude(failed, len(candidates) * len(requests), hint)


def _conclude(failed: int, total: int, hint: str) -> int:
    console.say(f"{total - failed} of {total} measurements are in the database; {hint}")
    return int(failed == total)
