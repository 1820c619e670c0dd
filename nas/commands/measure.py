"""The command `nas measure`: one network now, a run's networks later, a sample of a space before any search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import evaluators
import search_spaces
from evaluators import Evaluator, Measurement
from evaluators.workers.bench import Bench
from evaluators.workers.paired_comparison import Comparison, compare
from nas import console
from nas.progress import progress
from results import front
from results.glyphs import glyph
from results.store.database import sqlite_path
from results.store.record import Run
from results.store.store import Store
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, NegativeAnswer, UnknownName, UsageError
from search_spaces.common.texts import is_file
from search_spaces.nextvit import reading

SAMPLING_ATTEMPTS = 100  # draws for each network that is wanted, before a space counts as too small


def wanted(latencies: Sequence[str], proxies: Sequence[str]) -> list[Evaluator]:
    """The evaluators that a person asked for: the default latency where none was named.

    Raises:
        Unavailable: one of them cannot run in its place.
    """
    chosen = [evaluators.get(spec, "accuracy") for spec in proxies]
    chosen += [evaluators.get(spec, "latency") for spec in latencies or (() if proxies else ("ort",))]
    for evaluator in chosen:
        if reason := evaluator.missing():
            raise reason
    return chosen


# One network, or two


def networks(
    texts: Sequence[str],
    latencies: Sequence[str],
    proxies: Sequence[str],
    *,
    store_url: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Measures networks now, one after the other, and keeps the results where a database exists."""
    sqlite_path(store_url)  # what cannot keep a measurement is refused before anything is measured
    architectures = [find_architecture(text) for text in texts]
    costs = [evaluators.get(name) for name in evaluators.names("cost")]
    chosen = [*costs, *wanted(latencies, proxies)]
    reports = []
    with Bench(timeout, say=console.say) as bench, progress("measuring", len(architectures) * len(chosen)) as done:
        for number, architecture in enumerate(architectures):
            found = []
            for evaluator in chosen:
                found.append(bench.measure(evaluator, architecture))
                done(number * len(chosen) + len(found), f"{architecture} {evaluator.spec}")
            _keep(architecture, found, store_url)
            reports.append((architecture, found))
    if as_json:
        documents = [_document(architecture, found) for architecture, found in reports]
        console.write_json(documents if len(documents) > 1 else documents[0])
        return
    for architecture, found in reports:
        _tell(architecture, found)


def _document(architecture: Architecture, found: list[Measurement]) -> dict[str, object]:
    results = {measurement.metric.name: measurement.to_dict() for measurement in found}
    return {"architecture": architecture.to_dict(), "id": architecture.id, "measurements": results}


def _tell(architecture: Architecture, found: list[Measurement]) -> None:
    console.say(f"{architecture}  {glyph(architecture)}  {architecture.id}")
    headings = ["metric", "value", "95 % interval", "unit", "kind", "samples", "quality", "device"]
    console.write_table(headings, (row for measurement in found for row in _rows(measurement)))
    for measurement in found:
        if told := ", ".join(f"{part} {share:.4g} %" for part, share in measurement.time_shares.items()):
            console.say(f"time of {measurement.metric.name}: {told}")
    for warning in dict.fromkeys(w for measurement in found for w in measurement.warnings):
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


def _keep(architecture: Architecture, found: list[Measurement], store_url: str) -> None:
    path = sqlite_path(store_url)
    if path and not path.exists():
        console.say(f"not kept: there is no database at '{path}' (nas run makes one)")
        return
    store = Store(store_url, writable=True)
    try:
        for measurement in found:
            store.remember(architecture, measurement)
    finally:
        store.close()
    console.say(f"kept in {store_url}")


def compared(texts: Sequence[str], latencies: Sequence[str], *, timeout: float, as_json: bool) -> None:
    """Says whether two networks can be told apart by their latency, and by how much."""
    if len(texts) != 2:
        raise UsageError(f"--compare takes two networks, got {len(texts)}", "for example next-vit-s next-vit-b")
    first, second = (find_architecture(text) for text in texts)
    found: list[Comparison] = []
    with Bench(timeout, say=console.say) as bench:
        for evaluator in wanted(latencies, ()):
            found.append(compare(bench, evaluator, first, second))
            if not as_json:
                console.say(found[-1].sentence(texts[0], texts[1]))
    if as_json:
        console.write_json([each.to_dict() for each in found])


# Many networks


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network to measure, and what people call it."""

    name: str
    architecture: Architecture


def of_run(run: Run, *, trials: Sequence[int], everything: bool) -> list[Candidate]:
    """The networks of a run: those of its front, all of them, or single trials by number."""
    if trials:
        known = {trial.number: trial for trial in run.trials}
        unknown = [number for number in trials if number not in known]
        if unknown:
            raise UsageError(f"run '{run.name}' has no trial {unknown[0]}", f"its trials are 0 to {len(known) - 1}")
        chosen = [known[number] for number in trials]
    else:
        chosen = run.succeeded() if everything else front.front(run)
    if not chosen:
        raise NegativeAnswer(
            f"run '{run.name}' has nothing to measure",
            f"no candidate succeeded: {console.command('show', run.name, '--all')}",
        )
    return [Candidate(name=f"trial {trial.number}", architecture=trial.architecture) for trial in chosen]


def sample(space: str, count: int, seed: int) -> list[Candidate]:
    """Different networks of a space, drawn at random: a device's data set before any search.

    Raises:
        UsageError: the space does not hold so many.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    drawn: dict[str, Architecture] = {}
    for _ in range(SAMPLING_ATTEMPTS * count):
        architecture = search_spaces.get(space).suggest(study.ask())
        drawn.setdefault(architecture.id, architecture)
        if len(drawn) == count:
            return [Candidate(name=f"sample {n}", architecture=each) for n, each in enumerate(drawn.values())]
    raise UsageError(f"the space '{space}' gave {len(drawn)} different networks, not {count}", "ask for fewer")


def many(store: Store, candidates: Sequence[Candidate], chosen: Sequence[Evaluator], timeout: float) -> int:
    """Measures networks into the store; what is known without doubt is not measured again. Returns how many failed."""
    failed = 0
    jobs = [(candidate, evaluator) for candidate in candidates for evaluator in chosen]
    with Bench(timeout, say=console.say) as bench, progress("measuring", len(jobs)) as done:
        for number, (candidate, evaluator) in enumerate(jobs, start=1):
            done(number - 1)
            context = evaluator.context()
            told = f"{number}/{len(jobs)}  {candidate.name}  {evaluator.spec}"
            known = store.recall(candidate.architecture, context)
            if known and not known.doubtful:
                console.say(f"{told}: {known}, known")
                continue
            try:
                measurement = bench.measure(evaluator, candidate.architecture)
            except MeasurementFailed as error:
                failed += 1
                console.say(f"{told} failed: {error.cause}")
                continue
            except InfrastructureFailed as error:
                kept = f"{number - 1 - failed} of {len(jobs)} are in the database: the same command goes on from there"
                raise InfrastructureFailed(error.message, f"{error.hint}\n  {kept}".lstrip()) from error
            store.remember(candidate.architecture, measurement)
            console.say(f"{told}: {measurement}, {measurement.quality}")
    return failed


def measure_run(
    store_url: str,
    name: str | None,
    chosen: Sequence[Evaluator],
    *,
    trials: Sequence[int],
    everything: bool,
    timeout: float,
) -> int:
    """Measures the networks of a finished run into the same database, and shows them beside its own numbers."""
    Store(store_url).close()  # refuses, with the way on, where there is no database
    store = Store(store_url, writable=True)
    try:
        run = store.run(store.named(name))
        candidates = of_run(run, trials=trials, everything=everything)
        failed = many(store, candidates, chosen, timeout)
        columns = [store.add_column(run.name, each.spec, each.context()) for each in chosen]
    finally:
        store.close()
    shown = f"{console.command('show', run.name)} has them as {', '.join(columns)}"
    return _verdict(failed, len(candidates) * len(chosen), shown)


def measure_sample(
    store_url: str, space: str, count: int, seed: int, chosen: Sequence[Evaluator], *, timeout: float
) -> int:
    """Measures random networks of a space into the database, which is made where there is none."""
    candidates = sample(space, count, seed)
    store = Store(store_url, writable=True)
    try:
        failed = many(store, candidates, chosen, timeout)
    finally:
        store.close()
    learning = f"{console.command('predictor', '--latency', chosen[0].spec)} learns from them"
    return _verdict(failed, count * len(chosen), learning)


def _verdict(failed: int, total: int, further: str) -> int:
    console.say(f"{total - failed} of {total} measurements are in the database; {further}")
    return int(failed == total)


def find_architecture(text: str) -> Architecture:
    """The network that a person means: a file, a name of the paper, or a notation.

    Raises:
        UnknownName: none of these.
        InvalidArchitecture: a file or a notation from which nothing can be built.
    """
    if text.lower() in PAPER:
        return PAPER[text.lower()]
    if set(text.upper()) <= set("CT-"):
        return Architecture.from_notation(text)
    if is_file(text):
        return reading.read(Path(text))
    raise UnknownName("file, network or notation", text, PAPER)
