"""What the reading commands say: fronts, lists, and single measurements. Reading never writes."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import evaluators
import search_spaces
from evaluators import Evaluator, Measurement
from nas import console
from results import front, limits, load, validity, verification
from results.glyphs import glyph
from results.limits import Limit
from results.store import names
from results.store.database import sqlite_path
from results.store.database_errors import Damaged
from results.store.record import Run, Trial
from results.store.store import Store
from results.tables import frame, trial_dict
from search_spaces.common.errors import UsageError

if TYPE_CHECKING:
    from results.store.merge import Contents, Merged

MOST_LEFT_OUT = 20  # sentences about damaged rows that are printed


def show(
    store_url: str, name: str | None, texts: tuple[str, ...], *, everything: bool, as_csv: bool, as_json: bool
) -> int:
    """The front of a run, or all its trials, under the run's limits or others."""
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", "give one of them")
    run = load(name, store_url)
    bounds = [limits.parse(text) for text in texts]
    if texts:
        _check_stored(run, bounds)
    chosen = list(run.trials) if everything else _front(run, bounds)
    if as_json:
        console.write_json(
            {
                "run": run.name,
                "config": run.config,
                "trials": [trial_dict(trial) for trial in chosen],
                "ignored": list(run.ignored),
            }
        )
    elif as_csv:
        numbers = {trial.number for trial in chosen}
        table = frame(run)
        click.echo(table[table["trial"].isin(numbers)].to_csv(index=False), nl=False)
    else:
        _write_front(run, chosen, bounds, everything)
    if run.ignored:
        console.say(run.ignored_sentence())
    return 0 if chosen else 1


def _check_stored(run: Run, bounds: list[Limit]) -> None:
    stored = sorted({metric for trial in run.trials for metric in trial.measurements})
    for limit in bounds:
        if stored and limit.metric not in stored:
            commands = [f"nas show {run.name} --limit {shlex.quote(meant)}" for meant in limit.meant(stored)]
            way = f"type: {' or '.join(commands)}\n  " if commands else ""
            raise UsageError(f"run '{run.name}' has no '{limit.metric}'", f"{way}it stores: {', '.join(stored)}")


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
        console.say(
            "  nothing to show: no trial succeeded within the limits; "
            f"{console.command('show', run.name, '--all')} lists every trial"
        )
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
            console.say(f"{metric.name} is a score, not an accuracy: {validity.shown(run, metric)}")
    for remark in verification.remarks(run, chosen):
        console.say(remark)
    found = (measurement for trial in chosen for measurement in trial.measurements.values())
    devices = sorted({m.device.label for m in found if m.device.facts and m.metric.kind != "predicted"})
    console.say(f"measured on {'; '.join(devices)}" if devices else "nothing here was measured on a device")


def _cells(trial: Trial, shown: list[str], is_knee: bool) -> list[str]:
    found = trial.measurements
    doubts = dict.fromkeys(found[name].quality for name in shown if name in found and found[name].doubtful)
    notes = [trial.anchor, "knee" if is_knee else "", trial.state if trial.state != "ok" else "", trial.cause, *doubts]
    values = [_interval(found[name]) if name in found else "-" for name in shown]
    architecture = trial.architecture
    return [str(trial.number), *values, glyph(architecture), ", ".join(filter(None, notes)), str(architecture)]


def _interval(measurement: Measurement) -> str:
    half = (measurement.high - measurement.low) / 2
    chance = " at chance" if measurement.is_at_chance else ""
    return f"{measurement.value:.4g}" + (f" ±{half:.2g}" if half else "") + chance


def write_dashboard(store_url: str, name: str | None, output: Path | None) -> Path:
    """Writes the dashboard of a run, beside the database where no other place is named."""
    from results.pages import dashboard
    from search_spaces.common import files

    if output:
        files.check_file(output)
    run = load(name, store_url)
    database = sqlite_path(store_url)
    path = output or names.file_in(database.parent if database else Path(), run.name, ".html")
    dashboard.write(run, path)
    return path


def compare_runs(store_url: str, first: str, second: str, output: Path | None, *, as_json: bool) -> int:
    """Which of two runs covers more, as a sentence, as a page where one is asked for, or as JSON."""
    from results.pages import comparison
    from search_spaces.common import files

    if first == second:
        raise UsageError(f"'{first}' twice: name two runs", f"{console.command('show', '--runs')} lists them")
    if output:
        files.check_file(output)
    found = comparison.compare(load(first, store_url), load(second, store_url))
    if output:
        files.replace(output, comparison.page(found))
    if as_json:
        console.write_json(
            {
                "runs": [first, second],
                "volumes": found.volumes,
                "relative to the anchors": found.relative,
                "difference": vars(found.difference),
                "doubts": found.doubts,
            }
        )
    console.say(found.sentence)
    return 0


def list_runs(store_url: str, *, as_json: bool) -> int:
    """The runs of a database."""
    runs, damaged = _readable(store_url)
    for message in damaged:
        console.say(f"left out: {message}")
    if as_json:
        console.write_json([{"run": run.name, "trials": len(run.trials), "config": run.config} for run in runs])
    else:
        rows = (
            [r.name, f"{len(r.trials)} of {r.config['budget']}", r.config["space"], r.config["proxy"]] for r in runs
        )
        console.write_table(["run", "trials", "space", "proxy"], rows)
    return 0 if runs else 1


def _readable(store_url: str) -> tuple[list[Run], list[str]]:
    """The runs of a database that can be read, and what is wrong with the others."""
    store = Store(store_url)
    runs, damaged = [], []
    try:
        for name in store.names():
            try:
                runs.append(store.run(name))
            except Damaged as error:
                damaged.append(error.message)
    finally:
        store.close()
    return runs, damaged


def merge(into: str, sources: Sequence[str], *, as_json: bool) -> int:
    """Brings databases into one, and says what came in. Returns 1 where something damaged was left out."""
    from results.store import merge as merging

    sqlite_path(_url(into))  # refuses what cannot keep anything
    contents = {name: _contents(name) for name in sources}  # all of them, before anything is written
    target = Store(_url(into), writable=True)
    try:
        found = {name: merging.write(target, each) for name, each in contents.items()}
    finally:
        target.close()
    if as_json:
        console.write_json({name: asdict(merged) for name, merged in found.items()})
    else:
        for name, merged in found.items():
            _tell_merged(name, merged)
    return int(any(merged.left_out for merged in found.values()))


def _contents(name: str) -> "Contents":
    from results.store import merge as merging

    source = Store(_url(name))
    try:
        return merging.read(source)
    finally:
        source.close()


def _tell_merged(name: str, merged: "Merged") -> None:
    console.say(f"{name}: {merged.measurements} new measurements, {merged.known} known")
    for line in merged.runs:
        console.say(f"  run {line}")
    for sentence in merged.left_out[:MOST_LEFT_OUT]:
        console.say(f"  left out: {sentence}")
    if (more := len(merged.left_out) - MOST_LEFT_OUT) > 0:
        console.say(f"  left out: {more} more rows; --json lists them all")


def _url(text: str) -> str:
    """A database URL as it is, a file as a SQLite URL."""
    return text if "://" in text else f"sqlite:///{text}"


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
    """Options with their defaults; the data is the user's to name."""
    return ", ".join(f"{name}={'DATA' if name == 'data' else value}" for name, value in options.items())
