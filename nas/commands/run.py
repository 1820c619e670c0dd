"""The command `nas run`: prints its configuration, searches with a progress line, and ends with a summary."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

from rich.status import Status

import search_spaces
from evaluators import Evaluator, Measurement
from evaluators.prediction.predicted import predicted_spec
from evaluators.training.fidelity import Fidelity
from evaluators.workers import lanes
from evaluators.workers.bench import Bench
from nas import __version__, console, signals
from nas.exit_codes import INTERRUPTED
from nas.progress import duration, moving_line, progress
from nas.search import latency_predictions
from nas.search.accuracy import check_lane, suggested_limits
from nas.search.config import Config
from nas.search.pipeline import check_jobs, usual_jobs
from nas.search.plan import Plan, anchors_of, check_teacher, planned, reserved, settle, stored_run
from nas.search.proposals import SAMPLERS, SpaceExhausted
from nas.search.remeasure import remeasure
from nas.search.search import RepeatedFailure, Search, needs_training, verify
from nas.search.training import rungs
from nas.search.training.active_learning import check_transient
from results import front, verification
from results.glyphs import glyph, labelled
from results.limits import Limit
from results.store import names
from results.store.database_url import sqlite_path
from results.store.record import Run, Trial
from results.store.store import Store
from results.tables import trial_dict
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer, StoreError, Unavailable
from search_spaces.common.narrowed import Narrowed

PAGE_EVERY = 20  # trials between two updates of the dashboard, at the least
PAGE_SHARE = 0.05  # of the time of a run, at the most, goes into updates: the page of a large run takes seconds
LIKE_OTHERS = 3  # trials, after which their mean time says something of the others


def start(
    choices: Mapping[str, Any],
    given: set[str],
    *,
    store_url: str,
    as_json: bool,
    dry_run: bool,
    timeout: float,
    jobs: int | None,
    lane: str,
) -> int:
    """Starts a run, or resumes the named one. Returns the exit code."""
    signals.listen()
    began = time.perf_counter()
    plan = planned(choices, given, stored_run(store_url, choices["name"]))
    ahead = plan.config.ahead
    jobs = None if jobs is None else check_jobs(jobs, lane, ahead)
    check_teacher(store_url, plan.teacher)
    objectives = latency_predictions.ready(store_url, plan.config.objectives, plan.pins)
    for evaluator in objectives:
        if not needs_training(evaluator) and (reason := evaluator.missing()):
            raise reason
    if lane:
        check_lane(lane, plan.config.hours, plan.config.objectives[0])
    if dry_run:
        return _rehearse(plan, objectives, store_url)
    store = Store(store_url, writable=True)
    try:
        with reserved(store, choices["name"], plan.config.space) as name:
            lanes.act_for(name)
            settle(store, name, plan, objectives, lane)
            with Bench(timeout, say=console.say, lane=lane) as bench:
                search = Search(store, name, bench, jobs or usual_jobs(objectives[1:], lane, ahead))
                return _Report(search, as_json, began, resumed=plan.stored is not None).run()
    finally:
        store.close()


def _rehearse(plan: Plan, objectives: Sequence[Evaluator], store_url: str) -> int:
    """Prints the configuration and three random networks; measures and writes nothing."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = plan.config
    for line in _header(config, objectives, plan.state(store_url), store_url):
        console.say(line)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=config.seed))
    for _ in range(3):
        architecture = config.search_space.suggest(study.ask())
        counts = ", ".join(f"{cost.name()} {cost.measure(architecture)}" for cost in config.costs)
        console.say(f"  for example  {labelled(architecture)}  ({counts})")
    return 0


def _header(config: Config, objectives: Sequence[Evaluator], state: str, store_url: str) -> Iterator[str]:
    yield f"nas {__version__}, {state}"
    yield from _space(config)
    for evaluator in objectives:
        yield f"  objective    {_described(evaluator)}"
    for label in dict.fromkeys(e.device().label for e in objectives if e.family() == "latency"):
        yield f"  device       {label}"
    suggested = config.limits and config.limits == suggested_limits(config.proxy, anchors_of(config))
    why = ": no more than the largest anchor has; --limit none lifts them" if suggested else ""
    yield f"  limits       {', '.join(map(str, config.parsed_limits)) or 'none (--limit adds one)'}{why}"
    yield f"  sampler      {config.sampler}: {SAMPLERS[config.sampler].summary}; seed {config.seed}"
    of = f" measured, of {config.most_candidates} at the most: the promising ones"
    every = f": all {config.most_candidates} networks of the space" if config.most_candidates < config.budget else ""
    yield f"  budget       {config.budget} candidates{every or (of if config.measure == 'promising' else '')}"
    yield f"  results      {store_url}"


def _space(config: Config) -> Iterator[str]:
    """The space, what is fixed in it, and the published networks of what remains."""
    space, whole = config.search_space, search_spaces.get(config.space)
    if isinstance(space, Narrowed):
        most = "" if space.is_counted else "at the most "
        yield f"  space        {config.space}: {most}{space.size():.3g} of {whole.size():.3g} networks"
    else:
        yield f"  space        {config.space}: {whole.size():.3g} networks"
    yield f"               {search_spaces.summary(config.space)}"
    if isinstance(space, Narrowed):
        yield f"  fixed        {', '.join(config.fix)}"
    anchors = ", ".join(space.anchors())
    yield f"  anchors      {anchors}: published networks, evaluated first" if anchors else "  anchors      none"
    if further := [name for name in config.all_anchors if name not in space.anchors()]:
        yield f"               {', '.join(further)}: your own (--anchor), evaluated after them"
    for anchor, reason in space.left_out.items() if isinstance(space, Narrowed) else ():
        yield f"               without {anchor}: {reason}"


def _described(evaluator: Evaluator) -> str:
    metric = evaluator.metric
    better = "lower is better" if metric.direction == "minimize" else "higher is better"
    labels = {"score": "a score, unvalidated on your data", "predicted": "predicted, not measured"}
    kind = labels.get(metric.kind, metric.kind)
    if isinstance(evaluator, Fidelity):
        kind = f"{metric.kind}; {evaluator.fidelity}"
    versions = ", ".join(f"{package} {version}" for package, version in evaluator.versions().items())
    return f"{metric.name} [{metric.unit}], {better}; {kind}" + (f"; {versions}" if versions else "")


class _Report:
    """Runs the search and reports it on the terminal, from its start or resumption to its end."""

    def __init__(self, search: Search, as_json: bool, began: float, resumed: bool) -> None:
        self.search, self.as_json, self.began, self.resumed = search, as_json, began, resumed
        self.started, self.done = time.perf_counter(), 0
        self.page_due = self.started  # when the dashboard may be updated again
        path = sqlite_path(search.store.url)
        self.page = names.file_in(path.parent if path else Path("runs"), search.name, ".html")

    def run(self) -> int:
        """Searches to the end of the budget and reports the result. Returns the exit code."""
        self._announce()
        try:
            return self._searched()
        except StoreError as error:
            raise StoreError(error.message, f"{error.hint}\n  resume with: {self._resume()}") from error

    def _searched(self) -> int:
        try:
            with self._live() as status, closing(iter(self.search)) as trials:
                for trial in trials:
                    self.done += 1
                    self._progress(trial, status)
            return self._finish()
        except KeyboardInterrupt:
            return self._interrupted()
        except (RepeatedFailure, SpaceExhausted):
            self._finish()
            raise
        except (InfrastructureFailed, StoreError, Unavailable) as error:
            hint = f"{error.hint}\n  resume with: {self._resume()}".lstrip()
            raise type(error)(error.message, hint) from error

    def _announce(self) -> None:
        name, config = self.search.name, self.search.config
        finished = len(self.search.state.finished)
        state = f"run {name}, resumed at {finished} of {config.budget}" if self.resumed else f"run {name}"
        if self.as_json:
            console.write_event("started", run=name, resumed=self.resumed, finished=finished, config=config.to_dict())
        for line in _header(config, self.search.objectives, state, self.search.store.url):
            console.say(line)
        if count := len(self.search.earlier.known.params):
            console.say(f"  taught by    {count} networks of earlier runs on this device (--seed-from none: no run)")
        if self.search.run.ignored:
            console.say(f"  {self.search.run.ignored_sentence()}")
        if self.search.bench.lane:
            console.say(f"  lane         {self.search.bench.lane}: trains, and computes scores")
        if self.search.jobs > 1:
            console.say(f"  jobs         {self.search.jobs} candidates in the works at once")
        console.say(f"  dashboard    {self.page}")
        console.say(f"  Ctrl-C is safe; to resume: {self._resume()}")

    @contextmanager
    def _live(self) -> Iterator[Status | None]:
        if not console.talk.is_terminal or self.as_json:
            yield None
            return
        with moving_line("starting") as status:
            yield status

    def _progress(self, trial: Trial, status: Status | None) -> None:
        line = self._line(trial)
        if self.as_json:
            console.write_event("trial", **trial_dict(trial))
        elif status:
            status.update(line)
            if trial.state == "failed":
                console.say(f"trial {trial.number} failed: {trial.cause}")
        else:
            console.say(line)
        if self.done % PAGE_EVERY == 0 and time.perf_counter() >= self.page_due:
            with self.search.bench.cores.beside():
                self._write_page()

    def _line(self, trial: Trial) -> str:
        run, budget = self.search.state.leading, self.search.config.budget
        finished, anchors = self.search.state.measured, self.search.config.all_anchors
        names = [name for m in run.objectives for name in (m.name, predicted_spec(m.name))]
        values = ", ".join(str(trial.measurements[name]) for name in names if name in trial.measurements)
        outcome = trial.cause or values + (f" ({trial.anchor})" if trial.anchor else "")
        left = (time.perf_counter() - self.started) / self.done * (budget - finished)
        enough = 1 if run.objectives[0].kind == "trained" else LIKE_OTHERS
        time_left = f", about {duration(left)} left" if self.done >= enough and left >= 60 else ""
        volume = front.relative_hypervolume(run)
        covers = f", covers {volume:.2f} x the anchors'" if volume and finished > len(anchors) else ""
        if covers and (doubtful := verification.doubtful(run)):
            covers = f", {doubtful} doubtful latencies on the front and among the anchors"
        members = len(front.front(run))
        return f"{finished}/{budget}  trial {trial.number} {trial.state}: {outcome}; front {members}{covers}{time_left}"

    def _resume(self) -> str:
        lane = self.search.bench.lane
        return console.command("run", "--name", self.search.name, *(["--lane", lane] if lane else []))

    def _interrupted(self) -> int:
        self._write_page()
        finished = len(self.search.state.finished)
        console.say(
            f"interrupted at {finished} of {self.search.config.budget}; every finished trial is stored. Resume with:"
        )
        console.say(f"  {self._resume()}")
        if self.as_json:
            console.write_event("interrupted", run=self.search.name, finished=finished)
        return INTERRUPTED

    def _finish(self) -> int:
        """Trains the best longer, measures limited latencies again, and prints the summary. Returns the exit code."""
        remeasure(self.search, self._measured_again)
        run, members = self.search.run, front.front(self.search.run)
        self._write_page()
        if self._climb():
            self._write_page()
        confirmed = verify(self.search, members, self._verdict)
        limited = any(limit.evaluator.metric.kind == "measured" for limit in self.search.config.parsed_limits)
        success = bool(confirmed if limited else members)
        self.search.store.check_present()  # the summary names the database: it must still be there
        self._summary(run, members, len(confirmed) if limited else None)
        if self.as_json:
            console.write_event(
                "finished",
                run=run.name,
                seconds=round(time.perf_counter() - self.started, 3),
                steps={step: round(value, 3) for step, value in self.search.seconds.items()},
                reused=self.search.reused,
                measuring=round(self.search.measuring, 3),
                front=[trial.number for trial in members],
                confirmed=[trial.number for trial in confirmed] if limited else None,
                failures=dict(_failures(run)),
            )
        return 0 if success else 1

    def _climb(self) -> bool:
        """Successive halving, if training is the objective: trains the best longer. Returns whether it trained any."""
        search, lowest = self.search, self.search.objectives[0]
        if not isinstance(lowest, Fidelity) or not lowest.trains:
            return False
        climbed = rungs.climb(search.run, lowest, self._train, search.config.seed)
        for rung in climbed:
            search.store.add_column(search.name, rung.evaluator.spec, rung.evaluator.context())
            console.say(f"  {rung.sentence}")
            try:
                check_transient(list(rung.trained.values()), rung.evaluator.spec)
            except NegativeAnswer as error:
                console.say(f"  do not rank by this rung: {error.message}")
            if self.as_json:
                console.write_event("rung", **rung.to_dict())
        if climbed:
            console.say(f"  {rungs.saving(lowest, len(search.run.feasible()), climbed)}")
        return bool(climbed)

    def _train(self, evaluator: Evaluator, trials: Sequence[Trial]) -> dict[int, Measurement]:
        numbers = {trial.architecture: trial.number for trial in trials}
        trained: dict[int, Measurement] = {}
        with progress(f"training on {evaluator.spec}", len(numbers), self._expected(evaluator, trials)) as done:
            outcomes = self.search.obtain_all(evaluator, list(numbers))
            for count, (architecture, outcome) in enumerate(outcomes, start=1):
                number = numbers[architecture]
                if isinstance(outcome, Measurement):
                    trained[number] = outcome
                console.say(f"  trial {number} on {evaluator.spec}: {outcome}")
                done(count)
        return trained

    def _expected(self, evaluator: Evaluator, trials: Sequence[Trial]) -> float:
        """The seconds of a training of a rung, from those of the run's own, shorter ones."""
        lowest = self.search.objectives[0]
        assert isinstance(lowest, Fidelity) and isinstance(evaluator, Fidelity)
        longer = evaluator.epochs * evaluator.seeds / (lowest.epochs * lowest.seeds)
        return longer * mean(trial.measurements[lowest.spec].seconds for trial in trials)

    def _measured_again(self, trial: Trial, combined: Measurement) -> None:
        if self.as_json:
            console.write_event("repeated", trial=trial.number, measured=combined.to_dict())
        console.say(f"  trial {trial.number} was noisy; combined with a repeat: {combined}, {combined.quality}")

    def _verdict(self, trial: Trial, again: Measurement, verdict: str) -> None:
        if self.as_json:
            console.write_event("verdict", trial=trial.number, measured=again.to_dict(), verdict=verdict)
        console.say(f"  trial {trial.number} measured again: {again}: {verdict}")

    def _summary(self, run: Run, members: list[Trial], confirmed: int | None) -> None:
        time_taken = duration(time.perf_counter() - self.started)
        states = Counter("unfinished" if trial.state == "running" else trial.state for trial in run.trials)
        counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
        console.say(f"run {run.name}: {counts or 'no trial'}, in {time_taken}; {len(members)} on the front")
        if (seconds := run.config.get("planned_seconds")) and not self.resumed:
            console.say(f"  planned: {duration(seconds)}; taken: {duration(time.perf_counter() - self.began)}")
        if self.search.measuring:
            console.say(f"  the device was measuring {self.search.measuring:.0%} of the time")
        for cause, count in _failures(run):
            console.say(f"  failed {count} x: {cause}")
        for reason, count in _replaced(run).most_common():
            console.say(f"  {count} proposals replaced before any evaluation: {reason}")
        if confirmed is not None:
            console.say(f"  {confirmed} of {len(members)} networks on the front keep the limits when measured again")
        for sentence in verification.flags(run):
            console.say(f"  {sentence}")
        for remark in verification.remarks(run, members):
            console.say(f"  {remark}")
        if not run.feasible():
            console.say("  no candidate succeeded within the limits: loosen them, or see the causes above")
            console.say(_closest(run, self.search.config.parsed_limits))
        console.say(
            f"  dashboard: {self.page}\n  next: {console.command('show', run.name)}    "
            + console.command("export", run.name, "--pick", "knee", "-o", "arch.json")
        )

    def _write_page(self) -> None:
        from results.pages import dashboard

        start = time.perf_counter()
        run = self.search.store.run(self.search.name)  # with columns added since, and the latest check of the scores
        try:
            dashboard.write(run, self.page)
        except NegativeAnswer as error:  # `nas dashboard` can write the page later: the run goes on
            console.say(error.message)
        end = time.perf_counter()
        self.page_due = end + (end - start) / PAGE_SHARE


def _closest(run: Run, limits: Sequence[Limit]) -> str:
    """The network that comes closest to the limits, and by how much it misses each."""
    bounds = {str(limit): limit.bound for limit in limits}
    beyond = [
        (trial, {name: excess / abs(bounds[name]) for name, excess in trial.constraints.items() if excess > 0})
        for trial in run.succeeded()
    ]
    if not beyond:
        return "  no candidate has a value for every objective"
    trial, shares = min(beyond, key=lambda each: sum(each[1].values()))
    missed = ", ".join(f"{name} by {share:.1%}" for name, share in shares.items())
    return (
        f"  the closest is trial {trial.number}, {glyph(trial.architecture) or trial.architecture}: it misses {missed}"
    )


def _failures(run: Run) -> list[tuple[str, int]]:
    return Counter(trial.cause for trial in run.trials if trial.state == "failed").most_common()


def _replaced(run: Run) -> "Counter[str]":
    return sum((Counter(trial.replaced) for trial in run.trials), Counter())
