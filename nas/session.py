"""The command `nas run`: says what it decided, runs the search with a live line, and ends with a verdict."""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import filelock
from rich.status import Status

import search_spaces
from evaluators import Evaluator, Measurement
from evaluators.accuracy.auto import Auto
from evaluators.accuracy.train import Train
from evaluators.common.fidelity import Fidelity
from evaluators.common.isolation import Bench
from evaluators.common.locks import lock
from evaluators.common.measurement import digest
from nas import __version__, accuracy, console, predictions, rungs
from nas.config import Config
from nas.progress import moving_line, progress
from nas.proposals import SAMPLERS, SpaceExhausted
from nas.search import RepeatedFailure, Search, verify
from nas.teaching import check_transient
from results import front, verification
from results.database import sqlite_path
from results.notation import glyph
from results.record import Run, Trial
from results.store import Store
from results.tables import trial_dict
from search_spaces.common.errors import NegativeAnswer, StoreError, UsageError

INTERRUPTED = 130
PAGE_EVERY = 20  # trials between two writings of the dashboard


def start(
    choices: Mapping[str, Any], given: set[str], *, store_url: str, as_json: bool, dry_run: bool, timeout: float
) -> int:
    """Starts a run, or resumes the one that is named. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's way of Ctrl-C
    config = _config(choices)
    objectives = predictions.ready(store_url, config.objectives)
    for evaluator in objectives:
        if not isinstance(evaluator, Auto) and (reason := evaluator.missing()):  # Auto is taught when the run has begun
            raise reason
    if dry_run:
        return _rehearse(config, objectives, store_url)
    store = Store(store_url, writable=True)
    try:
        name, config, resumed = _settle(store, choices, given, config, predictions.pins(objectives))
        with _alone(store_url, name), Bench(timeout) as bench:
            return _Session(Search(store, name, bench), as_json, resumed).run()
    finally:
        store.close()


def _config(choices: Mapping[str, Any]) -> Config:
    fields = {name: choices[name] for name in Config.__dataclass_fields__}
    return Config(**{**fields, "proxy": accuracy.proxy(choices)})


def _settle(
    store: Store, choices: Mapping[str, Any], given: set[str], config: Config, pins: predictions.Pins
) -> tuple[str, Config, bool]:
    """The run's name, its configuration, and whether it existed before. Refuses to change a run under way."""
    name = choices["name"]
    known = store.names()
    if name is None:
        name = next(name for number in range(1, len(known) + 2) if (name := f"{config.space}-{number}") not in known)
    if name not in known:
        with Bench() as bench:
            config = replace(config, proxy=accuracy.with_rate(config, bench, store))
        store.create(name, config.to_dict() | ({"predictors": pins} if pins else {}))
        return name, config, False
    stored = Config.from_dict(store.config(name))
    asked = {key: choices[key] for key in given if key in asdict(stored)}
    if {"proxy", "data"} & given:
        asked["proxy"] = stored.proxy if accuracy.same_but_for_rate(config.proxy, stored.proxy) else config.proxy
    wanted = Config(**{**asdict(stored), **asked})
    if differences := stored.differences(wanted):
        raise UsageError(
            f"run '{name}' exists with another configuration:\n    " + "\n    ".join(differences),
            f"resume it as it is: {console.command('run', '--name', name)}\n"
            "  or start a new run: give another --name, or none",
        )
    if wanted.budget != stored.budget:
        store.configure(name, store.config(name) | wanted.to_dict())
    return name, wanted, True


@contextmanager
def _alone(store_url: str, name: str) -> Iterator[None]:
    """Keeps a second process from working on the same run."""
    path = sqlite_path(store_url)
    held = lock(f"run-{digest([str(path.resolve()) if path else store_url, name])}")
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        raise StoreError(
            f"another process is working on run '{name}'", "wait for it, end it, or start a new run without --name"
        ) from None
    try:
        yield
    finally:
        held.release()


def _rehearse(config: Config, objectives: Sequence[Evaluator], store_url: str) -> int:
    """What would be done, and three networks as they would be drawn; nothing is measured or written."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for line in _header(config, objectives, "not started (--dry-run)", store_url):
        console.say(line)
    study = optuna.create_study(sampler=SAMPLERS["random"].make(config.seed))
    for _ in range(3):
        architecture = config.search_space.suggest(study.ask())
        counts = ", ".join(f"{each.name()} {each.measure(architecture)}" for each in config.costs)
        console.say(f"  for example  {glyph(architecture)}  {architecture}  ({counts})")
    return 0


def _header(config: Config, objectives: Sequence[Evaluator], state: str, store_url: str) -> Iterator[str]:
    anchors = ", ".join(config.search_space.anchors())
    yield f"nas {__version__}, {state}"
    yield f"  space        {config.space}: {config.search_space.size():.3g} networks"
    yield f"               {search_spaces.summary(config.space)}"
    yield f"  anchors      {anchors}: the paper's own, measured first" if anchors else "  anchors      none"
    for evaluator in objectives:
        yield f"  objective    {_described(evaluator)}"
    for label in dict.fromkeys(e.device().label for e in objectives if e.family() == "latency"):
        yield f"  device       {label}"
    yield f"  limits       {', '.join(map(str, config.parsed_limits)) or 'none (--limit adds one)'}"
    yield f"  sampler      {config.sampler}: {SAMPLERS[config.sampler].summary}; seed {config.seed}"
    yield f"  budget       {config.budget} candidates"
    yield f"  results      {store_url}"


def _described(evaluator: Evaluator) -> str:
    metric = evaluator.metric
    better = "lower is better" if metric.direction == "minimize" else "higher is better"
    told = {"score": "a score, unvalidated on your data", "predicted": "predicted, not measured"}
    kind = told.get(metric.kind, metric.kind)
    if isinstance(evaluator, Fidelity):
        kind = f"{metric.kind}; {evaluator.fidelity}"
    versions = ", ".join(f"{package} {version}" for package, version in evaluator.versions().items())
    return f"{metric.name} [{metric.unit}], {better}; {kind}" + (f"; {versions}" if versions else "")


class _Session:
    """One sitting of a run, as the person at the terminal sees it."""

    def __init__(self, search: Search, as_json: bool, resumed: bool) -> None:
        self.search, self.as_json, self.resumed = search, as_json, resumed
        self.started, self.done = time.perf_counter(), 0
        path = sqlite_path(search.store.url)
        self.page = (path.parent if path else Path("runs")) / f"{search.name}.html"

    def run(self) -> int:
        """Searches to the end of the budget, and says what came of it. Returns the exit code."""
        self._announce()
        try:
            with self._live() as status:
                for trial in self.search:
                    self.done += 1
                    self._progress(trial, status)
        except KeyboardInterrupt:
            return self._interrupted()
        except (RepeatedFailure, SpaceExhausted) as error:
            self._finish()
            raise error
        except StoreError as error:
            raise StoreError(error.message, f"{error.hint}\n  resume with: {self._resume()}") from error
        return self._finish()

    def _announce(self) -> None:
        name, config = self.search.name, self.search.config
        finished = len(self.search.finished())
        state = f"run {name}, resumed at {finished} of {config.budget}" if self.resumed else f"run {name}"
        if self.as_json:
            console.write_event("started", run=name, resumed=self.resumed, finished=finished, config=config.to_dict())
        for line in _header(config, self.search.objectives, state, self.search.store.url):
            console.say(line)
        console.say(f"  dashboard    {self.page}")
        console.say(f"  Ctrl-C is safe: {self._resume()} goes on from there")

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
        if self.done % PAGE_EVERY == 0:
            self._write_page()

    def _line(self, trial: Trial) -> str:
        run, budget = self.search.run, self.search.config.budget
        finished, anchors = len(self.search.finished()), self.search.config.search_space.anchors()
        values = ", ".join(str(trial.measurements[m.name]) for m in run.objectives if m.name in trial.measurements)
        told = trial.cause or values + (f" ({trial.anchor})" if trial.anchor else "")
        left = (time.perf_counter() - self.started) / self.done * (budget - finished)
        guess = f", about {left / 60:.0f} min left" if self.done >= 3 and left >= 60 else ""
        volume = front.relative_hypervolume(run)
        covers = f", covers {volume:.2f} x the anchors'" if volume and finished > len(anchors) else ""
        members = len(front.front(run))
        return f"{finished}/{budget}  trial {trial.number} {trial.state}: {told}; front {members}{covers}{guess}"

    def _resume(self) -> str:
        return console.command("run", "--name", self.search.name)

    def _interrupted(self) -> int:
        self._write_page()
        finished = len(self.search.finished())
        console.say(f"interrupted at {finished} of {self.search.config.budget}; nothing told is lost. Resume with:")
        console.say(f"  {self._resume()}")
        if self.as_json:
            console.write_event("interrupted", run=self.search.name, finished=finished)
        return INTERRUPTED

    def _finish(self) -> int:
        """The verdict: the front, the limits measured again, the failures by cause."""
        run, chosen = self.search.run, front.front(self.search.run)
        self._write_page()
        self._climb()
        confirmed = verify(self.search, chosen, self._verdict)
        limited = any(limit.evaluator.metric.kind == "measured" for limit in self.search.config.parsed_limits)
        success = bool(confirmed if limited else chosen)
        self._summary(run, chosen, len(confirmed) if limited else None)
        if self.as_json:
            console.write_event(
                "finished",
                run=run.name,
                seconds=round(time.perf_counter() - self.started, 3),
                steps={step: round(value, 3) for step, value in self.search.seconds.items()},
                reused=self.search.reused,
                front=[trial.number for trial in chosen],
                confirmed=[trial.number for trial in confirmed] if limited else None,
                failures=dict(_failures(run)),
            )
        return 0 if success else 1

    def _climb(self) -> None:
        """Trains the best longer, where training was the objective, and says what came of it."""
        search, lowest = self.search, self.search.objectives[0]
        if not isinstance(lowest, Train):
            return
        for rung in rungs.climb(search.run, lowest, self._train, search.config.seed):
            search.store.add_column(search.name, rung.evaluator.spec, rung.evaluator.context())
            console.say(f"  {rung.sentence}")
            try:
                check_transient(list(rung.found.values()), rung.evaluator.spec)
            except NegativeAnswer as error:
                console.say(f"  not to be used: {error.message}")
            if self.as_json:
                console.write_event("rung", **rung.to_dict())

    def _train(self, evaluator: Evaluator, trials: Sequence[Trial]) -> dict[int, Measurement]:
        numbers = {trial.architecture: trial.number for trial in trials}
        trained: dict[int, Measurement] = {}
        with progress(f"training on {evaluator.spec}", len(numbers)) as done:
            for count, (architecture, found) in enumerate(self.search.obtain_all(evaluator, list(numbers)), start=1):
                number = numbers[architecture]
                if isinstance(found, Measurement):
                    trained[number] = found
                console.say(f"  trial {number} on {evaluator.spec}: {found}")
                done(count)
        return trained

    def _verdict(self, trial: Trial, again: Measurement, words: str) -> None:
        if self.as_json:
            console.write_event("verdict", trial=trial.number, measured=again.to_dict(), verdict=words)
        console.say(f"  trial {trial.number} measured again: {again}: {words}")

    def _summary(self, run: Run, chosen: list[Trial], confirmed: int | None) -> None:
        minutes = (time.perf_counter() - self.started) / 60
        states = Counter(trial.state for trial in run.trials)
        counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
        console.say(f"run {run.name}: {counts or 'nothing done'}, in {minutes:.1f} min; {len(chosen)} on the front")
        for cause, count in _failures(run):
            console.say(f"  failed {count} x: {cause}")
        for reason, count in _replaced(run).most_common():
            console.say(f"  {count} proposals replaced before anything was spent on them: {reason}")
        if confirmed is not None:
            console.say(f"  {confirmed} of {len(chosen)} keep their limits when measured again")
        for remark in verification.remarks(run, chosen):
            console.say(f"  {remark}")
        if not run.feasible():
            console.say("  no candidate succeeded within the limits: loosen them, or see the causes above")
        console.say(
            f"  dashboard: {self.page}\n  next: {console.command('show', run.name)}    "
            + console.command("export", run.name, "--pick", "knee", "-o", "arch.json")
        )

    def _write_page(self) -> None:
        from results import dashboard

        try:
            dashboard.write(self.search.run, self.page)
        except NegativeAnswer as error:  # the page can be written again; the run must not die of it
            console.say(error.message)


def _failures(run: Run) -> list[tuple[str, int]]:
    return Counter(trial.cause for trial in run.trials if trial.state == "failed").most_common()


def _replaced(run: Run) -> "Counter[str]":
    return sum((Counter(trial.replaced) for trial in run.trials), Counter())
