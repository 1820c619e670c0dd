"""What the reading commands say: fronts, lists, and single measurements. Reading never writes."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

import evaluators
import search_spaces
from evaluators import Evaluator, Measurement
from nas import console
from results import front, limits
from results.database import sqlite_path
from results.limits import Limit
from results.notation import glyph
from results.record import Run, Trial
from results.store import Store
from results.tables import frame, trial_dict
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import NegativeAnswer, UnknownName, UsageError


def load(store_url: str, name: str | None) -> Run:
    """A run by name, or the latest."""
    store = Store(store_url)
    try:
        return store.run(name or store.latest())
    finally:
        store.close()


def show(
    store_url: str, name: str | None, texts: tuple[str, ...], *, everything: bool, as_csv: bool, as_json: bool
) -> int:
    """The front of a run, or all its trials, under the run's limits or others."""
    run = load(store_url, name)
    bounds = [limits.parse(text) for text in texts]
    if texts:
        _check_stored(run, bounds)
    chosen = list(run.trials) if everything else _front(run, bounds)
    if as_json:
        console.write_json({"run": run.name, "config": run.config, "trials": [trial_dict(trial) for trial in chosen]})
    elif as_csv:
        numbers = {trial.number for trial in chosen}
        table = frame(run)
        click.echo(table[table["trial"].isin(numbers)].to_csv(index=False), nl=False)
    else:
        _write_front(run, chosen, bounds, everything)
    return 0 if chosen else 1


def _check_stored(run: Run, bounds: list[Limit]) -> None:
    stored = sorted({metric for trial in run.trials for metric in trial.measurements})
    for limit in bounds:
        if stored and limit.metric not in stored:
            raise UsageError(f"run '{run.name}' has no '{limit.metric}'", f"it stores: {', '.join(stored)}")


def _front(run: Run, bounds: list[Limit]) -> list[Trial]:
    """The front under the run's own limits, or under others: chosen anew among everything that was measured."""
    if not bounds:
        return front.front(run)
    return front.front(run, [t for t in run.succeeded() if all(limit.kept(t.measurements) for limit in bounds)])


def _write_front(run: Run, chosen: list[Trial], bounds: list[Limit], everything: bool) -> None:
    named = ", ".join(map(str, bounds)) or ", ".join(run.config["limits"]) or "no limits"
    kind = "all trials" if everything else "front"
    console.say(f"run {run.name}, {kind}: {len(chosen)} of {len(run.trials)} trials; {named}")
    if not chosen:
        console.say("  nothing to show: no trial succeeded within the limits; nas show --all lists every trial")
        return
    metrics = [metric.name for metric in run.objectives]
    shown = [*metrics, *sorted({name for trial in chosen for name in trial.measurements} - set(metrics))]
    units = {name: m.unit for trial in chosen for name, m in trial.measurements.items()}
    best = front.knee(run, chosen) if not everything else None
    headings = ["trial", *(f"{name} [{units.get(name, '')}]" for name in shown), "network", "", "notation"]
    rows = [_cells(trial, shown, trial is best) for trial in chosen]
    if console.is_narrow():  # the glyphs say the same
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    console.write_table(headings, rows, frozenset(headings[: len(shown) + 1]))
    for metric in run.objectives:
        if metric.kind == "score":
            console.say(f"{metric.name} is a score, not an accuracy: unvalidated on your data")
    devices = sorted({m.device.label for t in chosen for m in t.measurements.values() if m.device.facts})
    console.say(f"measured on {'; '.join(devices)}" if devices else "nothing here was measured on a device")


def _cells(trial: Trial, shown: list[str], is_knee: bool) -> list[str]:
    notes = [trial.anchor, "knee" if is_knee else "", trial.state if trial.state != "ok" else "", trial.cause]
    found = trial.measurements
    values = [_interval(found[name]) if name in found else "-" for name in shown]
    architecture = trial.architecture
    return [str(trial.number), *values, glyph(architecture), ", ".join(filter(None, notes)), str(architecture)]


def _interval(measurement: Measurement) -> str:
    half = (measurement.high - measurement.low) / 2
    return f"{measurement.value:.4g}" + (f" ±{half:.2g}" if half else "")


def choose(store_url: str, name: str | None, number: int | None, pick: str | None) -> Trial:
    """The trial that a person means: by number, or picked from the front."""
    if (number is None) == (pick is None):
        raise UsageError(
            "say which network: --trial NUMBER or --pick knee", "nas show lists the front with its numbers"
        )
    run = load(store_url, name)
    if pick:
        members = front.front(run)
        found = front.knee(run, members) or (members[0] if members else None)
        if not found:
            raise NegativeAnswer(f"run '{run.name}' has no front", "no candidate succeeded: nas show --all tells why")
        return found
    for trial in run.trials:
        if trial.number == number:
            return trial
    raise UsageError(
        f"run '{run.name}' has no trial {number}",
        f"its trials are 0 to {len(run.trials) - 1}" if run.trials else "it has none yet",
    )


def write_dashboard(store_url: str, name: str | None, output: Path | None) -> Path:
    """Writes the dashboard of a run, beside the database where no other place is named."""
    from results import dashboard

    run = load(store_url, name)
    database = sqlite_path(store_url)
    path = output or (database.parent if database else Path()) / f"{run.name}.html"
    try:
        dashboard.write(run, path)
    except OSError as error:
        raise NegativeAnswer(f"'{path}' was not written: {error.strerror}", "name another place with -o") from None
    return path


def find_architecture(text: str) -> Architecture:
    """The network that a person means: a file, a name of the paper, or a notation.

    Raises:
        UnknownName: none of these.
        InvalidArchitecture: a file or a notation from which nothing can be built.
    """
    path = Path(text)
    if path.is_file():
        try:
            return Architecture.from_json(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"'{text}' cannot be read: {error}", "give a JSON file that nas export wrote") from None
    if text.lower() in PAPER:
        return PAPER[text.lower()]
    if set(text.upper()) <= set("CT-"):
        return Architecture.from_notation(text)
    raise UnknownName("file, network or notation", text, PAPER)


def measure(
    text: str, latencies: tuple[str, ...], proxies: tuple[str, ...], *, store_url: str, timeout: float, as_json: bool
) -> None:
    """Measures one network now, and keeps the result where a database exists."""
    from evaluators.common.isolation import Bench

    architecture = find_architecture(text)
    wanted = [evaluators.get(spec, "accuracy") for spec in proxies]
    wanted += [evaluators.get(spec, "latency") for spec in latencies or (() if proxies else ("ort",))]
    costs = [evaluators.get(name) for name in evaluators.names("cost")]
    with Bench(timeout) as bench:
        found = [bench.measure(evaluator, architecture) for evaluator in (*costs, *wanted)]
    _keep(architecture, found, store_url)
    if as_json:
        results = {measurement.metric.name: measurement.to_dict() for measurement in found}
        console.write_json({"architecture": architecture.to_dict(), "id": architecture.id, "measurements": results})
        return
    console.say(f"{architecture}  {glyph(architecture)}  {architecture.id}")
    console.write_table(
        ["metric", "value", "95 % interval", "unit", "kind", "samples", "quality", "device"], map(_measured, found)
    )
    for warning in dict.fromkeys(w for measurement in found for w in measurement.warnings):
        console.say(f"warning: {warning}")


def _measured(measurement: Measurement) -> list[str]:
    interval = f"{measurement.low:.4g} to {measurement.high:.4g}" if measurement.high > measurement.low else ""
    metric = measurement.metric
    return [
        metric.name,
        f"{measurement.value:.4g}",
        interval,
        metric.unit,
        metric.kind,
        str(measurement.samples),
        measurement.quality,
        measurement.device.label,
    ]


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


def list_runs(store_url: str, *, as_json: bool) -> int:
    """The runs of a database."""
    store = Store(store_url)
    try:
        runs = [store.run(name) for name in store.names()]
    finally:
        store.close()
    if as_json:
        console.write_json([{"run": run.name, "trials": len(run.trials), "config": run.config} for run in runs])
    else:
        rows = (
            [r.name, f"{len(r.trials)} of {r.config['budget']}", r.config["space"], r.config["proxy"]] for r in runs
        )
        console.write_table(["run", "trials", "space", "proxy"], rows)
    return 0 if runs else 1


def list_spaces(*, as_json: bool) -> None:
    """The search spaces, with their sizes."""
    listed: list[dict[str, Any]] = [
        {
            "name": name,
            "networks": search_spaces.get(name).size(),
            "anchors": list(search_spaces.get(name).anchors()),
            "summary": search_spaces.summary(name),
        }
        for name in search_spaces.names()
    ]
    if as_json:
        console.write_json(listed)
    else:
        rows = ([s["name"], f"{s['networks']:.3g}", ", ".join(s["anchors"]), s["summary"]] for s in listed)
        console.write_table(["space", "networks", "anchors", "what it varies"], rows)


def list_evaluators(*, as_json: bool) -> None:
    """The evaluators, with what their numbers mean and their options."""
    listed = [_evaluator(evaluators.get(name)) for name in evaluators.names()]
    if as_json:
        console.write_json(listed)
    else:
        headings = ["family", "evaluator", "unit", "better", "kind", "options", "what it finds out"]
        keys = ("family", "name", "unit", "better", "kind", "options", "summary")
        rows = ([_option_text(each["options"]) if key == "options" else each[key] for key in keys] for each in listed)
        console.write_table(headings, rows)


def _evaluator(evaluator: Evaluator) -> dict[str, Any]:
    metric = evaluator.metric
    return {
        "family": evaluator.family(),
        "name": evaluator.name(),
        "unit": metric.unit,
        "better": "lower" if metric.direction == "minimize" else "higher",
        "kind": metric.kind,
        "options": {option.name: getattr(evaluator, option.name) for option in fields(evaluator)},
        "summary": evaluators.summary(evaluator.name()),
    }


def _option_text(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())
