"""The command `nas show`: the front of a run, all its trials, or the runs of a database. It only reads."""

from dataclasses import asdict

import click

from evaluators import Measurement
from evaluators.prediction.published_guard import UNLIKE
from nas import console
from results import front, limits, load, novelty, rules, verification
from results.glyphs import fields, glyph
from results.limits import Limit
from results.reference import standing
from results.store.database_errors import Damaged
from results.store.record import Run, Trial
from results.store.store import Store
from results.tables import frame, trial_dict
from results.validity import UNVALIDATED
from search_spaces.common.errors import UsageError

SKEWED = 0.2  # of the half-width: how far a value may be from the middle of its interval to be written with ±


def show_run(
    store_url: str, name: str | None, texts: tuple[str, ...], *, all_trials: bool, as_csv: bool, as_json: bool
) -> int:
    """Shows the front of a run, or all its trials, under the run's limits or under others."""
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", "give one of them")
    run = load(name, store_url)
    bounds = [limits.parse(text) for text in texts]
    _check_stored(run, bounds)
    trials = list(run.trials) if all_trials else _front(run, bounds)
    if as_json:
        console.write_json(
            {
                "run": run.name,
                "config": run.config,
                "trials": [trial_dict(trial) for trial in trials],
                "ignored": list(run.ignored),
            }
        )
    elif as_csv:
        numbers = {trial.number for trial in trials}
        table = frame(run)
        click.echo(table[table["trial"].isin(numbers)].to_csv(index=False), nl=False)
    else:
        _write(run, trials, bounds, all_trials)
    if run.ignored:
        console.say(run.ignored_sentence())
    return 0 if trials else 1


def show_rules(store_url: str, name: str | None, *, as_json: bool) -> int:
    """Tells the rules of a run's front that pass both checks. Returns 1 where none does."""
    run = load(name, store_url)
    found = rules.rules(run)
    if as_json:
        told = [{"sentence": str(rule), **asdict(rule)} for rule in found.rules]
        console.write_json({"run": run.name, "tried": found.tried, "networks": found.networks, "rules": told})
    else:
        for rule in found.rules:
            click.echo(f"- {rule}")
    console.say(found.summary)
    return 0 if found.rules else 1


def _check_stored(run: Run, bounds: list[Limit]) -> None:
    stored = sorted({metric for trial in run.trials for metric in trial.measurements})
    for limit in bounds:
        if stored and limit.metric not in stored:
            commands = [console.command("show", run.name, "--limit", meant) for meant in limit.meant(stored)]
            suggestion = f"type: {' or '.join(commands)}\n  " if commands else ""
            raise UsageError(f"run '{run.name}' has no '{limit.metric}'", f"{suggestion}it stores: {', '.join(stored)}")


def _front(run: Run, bounds: list[Limit]) -> list[Trial]:
    """The front under the run's own limits; under other limits, the front of all networks that keep them."""
    if not bounds:
        return front.front(run)
    return front.front(run, [t for t in run.succeeded() if all(limit.kept(t.measurements) for limit in bounds)])


def _write(run: Run, trials: list[Trial], bounds: list[Limit], all_trials: bool) -> None:
    limits_text = ", ".join(map(str, bounds)) or ", ".join(run.config["limits"]) or "no limits"
    kind = "all trials" if all_trials else "front"
    console.say(f"run {run.name}, {kind}: {len(trials)} of {len(run.trials)} trials; {limits_text}")
    if not trials:
        console.say(
            "  nothing to show: no trial succeeded within the limits; "
            f"{console.command('show', run.name, '--all')} lists every trial"
        )
        return
    _write_table(run, trials, None if all_trials else front.knee(run, trials))
    for metric in run.objectives:
        if metric.kind == "score":
            console.say(f"{metric.name} is a score, not an accuracy: {run.validity.get(metric.name, UNVALIDATED)}")
    for remark in verification.remarks(run, trials):
        console.say(remark)
    measurements = (measurement for trial in trials for measurement in trial.measurements.values())
    devices = sorted({m.device.label for m in measurements if m.device.facts and m.metric.kind != "predicted"})
    console.say(f"measured on {'; '.join(devices)}" if devices else "nothing here was measured on a device")
    for sentence in standing.sentences(run):
        console.say(sentence)


def _write_table(run: Run, trials: list[Trial], knee: Trial | None) -> None:
    objectives = [metric.name for metric in run.objectives]
    others = {name for trial in trials for name in trial.measurements} - set(objectives)
    names = [*objectives, *sorted(others)]
    units = {name: measurement.unit for trial in trials for name, measurement in trial.measurements.items()}
    headings = ["trial", *(f"{name} [{units.get(name, '')}]" for name in names), "network", "", "notation"]
    rows = [_cells(trial, names, trial is knee) for trial in trials]
    if console.is_narrow():  # the glyphs show the same, and a network of another family has its name alone
        headings, rows = headings[:-1], [[*row[:-3], row[-3] or row[-1], row[-2]] for row in rows]
    console.write_table(headings, rows, frozenset(headings[: len(names) + 1]))


def _cells(trial: Trial, names: list[str], is_knee: bool) -> list[str]:
    measurements = trial.measurements
    doubts = dict.fromkeys(
        measurements[name].quality for name in names if name in measurements and measurements[name].doubtful
    )
    notes = [trial.anchor, "knee" if is_knee else "", trial.state if trial.state != "ok" else "", trial.cause, *doubts]
    notes += [UNLIKE] if novelty.reasons(trial.architecture) else []
    notes.append(fields(trial.architecture))
    values = [_interval(measurements[name]) if name in measurements else "-" for name in names]
    architecture = trial.architecture
    return [str(trial.number), *values, glyph(architecture), ", ".join(filter(None, notes)), str(architecture)]


def _interval(measurement: Measurement) -> str:
    """The value with its interval: the half-width, or both ends where the value is not in their middle."""
    half = (measurement.high - measurement.low) / 2
    chance = " at chance" if measurement.is_at_chance else ""
    if abs(measurement.value - measurement.low - half) > SKEWED * half:
        return f"{measurement.value:.4g} [{measurement.low:.4g}, {measurement.high:.4g}]{chance}"
    return f"{measurement.value:.4g}" + (f" ±{half:.2g}" if half else "") + chance


def list_runs(store_url: str, *, as_json: bool) -> int:
    """Lists the runs of a database. Returns 1 where it has none."""
    runs, damaged = _readable(store_url)
    for message in damaged:
        console.say(f"left out: {message}")
    if as_json:
        console.write_json([{"run": run.name, "trials": len(run.trials), "config": run.config} for run in runs])
    else:
        rows = (
            [run.name, f"{run.counted} of {run.config['budget']}", _space(run), run.config["proxy"]] for run in runs
        )
        console.write_table(["run", "trials", "space", "proxy"], rows)
    return 0 if runs else 1


def _space(run: Run) -> str:
    return ", ".join([run.config["space"], *run.config.get("fix", [])])


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
