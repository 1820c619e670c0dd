"""The command `nas finalists`: the networks of a front that are worth a full training, and their accuracies."""

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
from nas.commands.train import Interruption, announce, folder_of, interruptible, trained
from nas.options import flag
from nas.progress import duration
from nas.search.accuracy import check_data
from results import front, load
from results.glyphs import glyph
from results.store import names
from results.store.record import Run, Trial
from results.tables import trial_dict
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer
from search_spaces.common.networks import ours

FULL = "full:"  # the prefix of the metrics of full trainings
FEWEST = 3  # networks: the order of fewer means nothing


def select(run: Run, count: int) -> list[Trial]:
    """The knee of a run's front, then, one by one, the member that is farthest from those already selected.

    Distances are Euclidean, with every objective scaled to the range of the front.

    Raises:
        NegativeAnswer: the run has no front.
    """
    members = front.front(run)
    if not members:
        raise NegativeAnswer(
            f"run '{run.name}' has no front",
            f"no candidate succeeded: {console.command('show', run.name, '--all')} shows why",
        )
    costs = front.as_costs([run.point(trial) for trial in members], run.objectives)
    spread = np.ptp(costs, axis=0)
    scaled = costs / np.where(spread > 0, spread, 1)
    selected = [members.index(front.knee(run, members) or members[0])]
    while len(selected) < min(count, len(members)):
        distances = np.linalg.norm(scaled[:, None] - scaled[selected], axis=2).min(1)
        selected.append(int(distances.argmax()))
    return [members[index] for index in selected]


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
    """Lists the finalists of a run, and trains them if there is data to train on. Returns the exit code."""
    run = load(name, store_url)
    finalists = select(run, count)
    failed, code = 0, 0
    if data:
        recipe = FullRecipe.of(given, plain=plain)
        check_data(data, console.say)
        for trial in finalists:
            ours(trial.architecture)  # before hours of training
        resume_command = _resume_command(run, data, count, given, plain)
        with interruptible(resume_command) as interruption:
            failed = _train(run, finalists, data, recipe, resume_command, store_url, interruption)
        code = interruption.code
        run = load(run.name, store_url)
    if is_first():
        _report(run, [trial.number for trial in finalists], as_json)
    return code or int(failed == len(finalists))


def _resume_command(run: Run, data: str, count: int, given: Mapping[str, Any], plain: bool) -> str:
    """The command that resumes the training: the same one again."""
    arguments = ["finalists", run.name, "--train", "--data", data, "--count", str(count)]
    arguments += ["--plain"] if plain else []
    for name, value in given.items():
        if isinstance(value, bool):
            arguments.append(flag(name if value else f"no-{name}"))
        else:
            arguments += [flag(name), str(value)]
    return console.command(*arguments)


def _train(
    run: Run,
    finalists: Sequence[Trial],
    data: str,
    recipe: FullRecipe,
    resume_command: str,
    store_url: str,
    interruption: Interruption,
) -> int:
    """Trains the finalists one after the other, each in its own folder, and resumes. Returns how many failed."""
    failed = 0
    seconds: list[float] = []  # of those that are trained
    fidelity = f"{data_label(data).replace('/', '-')}-{recipe.resolution}px-{recipe.epochs}-epochs"
    for number, trial in enumerate(finalists, start=1):
        folder = names.file_in(folder_of(store_url) / "finalists", run.name) / fidelity / f"trial-{trial.number}"
        plan = Plan(architecture=ours(trial.architecture), data=data, recipe=recipe)
        if is_first():
            left = float(np.mean(seconds)) * (len(finalists) - number + 1) if seconds else 0.0
            time_left = f", about {duration(left)} left" if seconds else ""
            console.say(f"{number} of {len(finalists)}: trial {trial.number}{time_left}")
        announce(plan, folder, resume_command)
        try:
            resume = TrainingFolder(folder).holds_training
            measurement = trained(plan, folder, interruption, resume=resume, store_url=store_url)
        except MeasurementFailed as error:
            failed += 1
            console.say(f"trial {trial.number} failed: {error}")
            continue
        seconds.append(measurement.seconds)
        if is_first():
            console.say(f"trial {trial.number} reached {measurement}")
    return failed


def _report(run: Run, numbers: Sequence[int], as_json: bool) -> None:
    """Prints the finalists in order of selection: accuracies of full trainings first, then the run's objectives."""
    trials = [next(trial for trial in run.trials if trial.number == number) for number in numbers]
    if as_json:
        console.write_json({"run": run.name, "finalists": [trial_dict(trial) for trial in trials]})
        return
    accuracies = sorted({name for trial in trials for name in trial.measurements if name.startswith(FULL)})
    columns = [*accuracies, *(metric.name for metric in run.objectives)]
    units = {name: measurement.unit for trial in trials for name, measurement in trial.measurements.items()}
    headings = ["trial", *(f"{name} [{units[name]}]" for name in columns), "network", "notation"]
    rows = [
        [
            str(trial.number),
            *(_interval(trial.measurements.get(name)) for name in columns),
            glyph(trial.architecture),
            str(trial.architecture),
        ]
        for trial in trials
    ]
    console.write_table(headings, rows, frozenset(headings[: len(columns) + 1]))
    for name in accuracies:
        _report_agreement(run, trials, name)


def _interval(measurement: Measurement | None) -> str:
    if not measurement:
        return "-"
    half = (measurement.high - measurement.low) / 2
    return f"{measurement.value:.4g} ±{half:.2g}" + (" at chance" if measurement.is_at_chance else "")


def _report_agreement(run: Run, trials: Sequence[Trial], name: str) -> None:
    """Prints how far the run's first objective ranks the finalists as their full trainings do."""
    objective = run.objectives[0].name
    trained = [trial for trial in trials if name in trial.measurements]
    if len(trained) < FEWEST:
        return
    objectives, accuracies = (np.array([trial.value(metric) for trial in trained]) for metric in (objective, name))
    tau = ranking.tau(objectives, accuracies)
    console.say(f"{objective} ranks these {len(trained)} networks as {name} does with tau {tau:.2f}")
