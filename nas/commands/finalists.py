"""The command `nas finalists`: the chosen few of a front, and what they really reach when they are trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluators import Measurement
from evaluators.statistics import ranking
from evaluators.training.plan import Plan, data_label
from evaluators.training.processes import is_first
from evaluators.training.recipe import FullRecipe
from evaluators.training.training_folder import TrainingFolder
from nas import console
from nas.commands.train import Ending, announce, beside, interruptible, trained
from nas.options import flag
from nas.search.accuracy import check_data
from results import front, load
from results.glyphs import glyph
from results.store import names
from results.store.record import Run, Trial
from results.tables import trial_dict
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

FULL = "full:"  # how the metrics of full trainings begin
FEWEST = 3  # networks, below which an order means nothing


def chosen(run: Run, count: int) -> list[Trial]:
    """The knee of a run's front, then each time the member that is farthest from those already chosen.

    Distances are between objectives, each scaled to the front's range.

    Raises:
        NegativeAnswer: the run has no front.
    """
    members = front.front(run)
    if not members:
        raise NegativeAnswer(
            f"run '{run.name}' has no front",
            f"no candidate succeeded: {console.command('show', run.name, '--all')} tells why",
        )
    costs = front.as_costs([run.point(trial) for trial in members], run.objectives)
    spread = np.ptp(costs, axis=0)
    scaled = costs / np.where(spread > 0, spread, 1)
    picked = [members.index(front.knee(run, members) or members[0])]
    while len(picked) < min(count, len(members)):
        distances = np.linalg.norm(scaled[:, None] - scaled[picked], axis=2).min(1)
        picked.append(int(distances.argmax()))
    return [members[index] for index in picked]


def start(
    store_url: str,
    name: str | None,
    *,
    count: int,
    data: str | None,
    given: Mapping[str, Any],
    plain: bool,
    as_json: bool,
) -> int:
    """Lists the finalists of a run, and trains them where there is data to train on. Returns the exit code."""
    run = load(name, store_url)
    finalists = chosen(run, count)
    failed, code = 0, 0
    if data:
        recipe = FullRecipe.of(given, plain=plain)
        check_data(data, console.say)
        way_on = _way_on(run, data, count, given, plain)
        with interruptible(way_on) as ending:
            failed = _train(run, finalists, data, recipe, way_on, store_url, ending)
        code = ending.code
        run = load(run.name, store_url)
    if is_first():
        _tell(run, [trial.number for trial in finalists], as_json)
    return code or int(failed == len(finalists))


def _way_on(run: Run, data: str, count: int, given: Mapping[str, Any], plain: bool) -> str:
    """The command that goes on: the same one."""
    words = ["finalists", run.name, "--train", "--data", data, "--count", str(count)]
    words += ["--plain"] if plain else []
    for name, value in given.items():
        words += [flag(name), str(value)] if not isinstance(value, bool) else [flag(name if value else f"no-{name}")]
    return console.command(*words)


def _train(
    run: Run, finalists: Sequence[Trial], data: str, recipe: FullRecipe, way_on: str, store_url: str, ending: Ending
) -> int:
    """Trains one after the other, each in a folder of its own; nothing is done twice. Returns how many failed."""
    failed = 0
    fidelity = f"{data_label(data).replace('/', '-')}-{recipe.resolution}px-{recipe.epochs}-epochs"
    for number, trial in enumerate(finalists, start=1):
        folder = names.file_in(beside(store_url) / "finalists", run.name) / fidelity / f"trial-{trial.number}"
        plan = Plan(architecture=trial.architecture, data=data, recipe=recipe)
        if is_first():
            console.say(f"{number} of {len(finalists)}: trial {trial.number}")
        announce(plan, folder, way_on)
        try:
            resume = TrainingFolder(folder).holds_training
            found = trained(plan, folder, ending, resume=resume, store_url=store_url)
        except MeasurementFailed as error:
            failed += 1
            console.say(f"trial {trial.number} failed: {error}")
            continue
        if is_first():
            console.say(f"trial {trial.number} reached {found}")
    return failed


def _tell(run: Run, numbers: Sequence[int], as_json: bool) -> None:
    """The finalists, in the order of their choice: true accuracies first, then what the run went by."""
    trials = [next(trial for trial in run.trials if trial.number == number) for number in numbers]
    if as_json:
        console.write_json({"run": run.name, "finalists": [trial_dict(trial) for trial in trials]})
        return
    reached = sorted({name for trial in trials for name in trial.measurements if name.startswith(FULL)})
    shown = [*reached, *(metric.name for metric in run.objectives)]
    units = {name: found.unit for trial in trials for name, found in trial.measurements.items()}
    headings = ["trial", *(f"{name} [{units[name]}]" for name in shown), "network", "notation"]
    rows = [
        [
            str(trial.number),
            *(_told(trial.measurements.get(name)) for name in shown),
            glyph(trial.architecture),
            str(trial.architecture),
        ]
        for trial in trials
    ]
    console.write_table(headings, rows, frozenset(headings[: len(shown) + 1]))
    for name in reached:
        _agree(run, trials, name)


def _told(found: Measurement | None) -> str:
    if not found:
        return "-"
    return f"{found.value:.4g} ±{(found.high - found.low) / 2:.2g}" + (" at chance" if found.is_at_chance else "")


def _agree(run: Run, trials: Sequence[Trial], name: str) -> None:
    """How far the run's own ranking is that of the true accuracies."""
    objective = run.objectives[0].name
    known = [trial for trial in trials if name in trial.measurements]
    if len(known) < FEWEST:
        return
    believed, truth = (np.array([trial.value(each) for trial in known]) for each in (objective, name))
    tau = ranking.tau(believed, truth)
    console.say(f"{objective} ranks these {len(known)} as {name} does with tau {tau:.2f}")
