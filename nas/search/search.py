"""The search: ask, gate on exact cost, score, measure, record, tell. And again, until the budget is spent."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluators import Evaluator, Measurement
from evaluators.accuracy.auto import Auto
from evaluators.core.measurement import differences
from evaluators.stopwatch.calibration import ratio_of
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import Result, together
from nas import console
from nas.commands import predictions
from nas.search.config import Config
from nas.search.proposals import propose
from nas.search.teaching import Teaching, check_transient, is_untaught
from results.store.record import Trial
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

if TYPE_CHECKING:
    import optuna

TRAINED = 10  # candidates, after which it is asked whether their short trainings mean anything
EQUAL_FAILURES = 5  # in a row, before a run stops: what fails so often is not the candidates' fault


class RepeatedFailure(NegativeAnswer):
    """The same failure again and again: something is wrong that no other candidate will put right."""


class AnotherDevice(NegativeAnswer):
    """A run goes on with the device and the versions with which it was begun, or not at all."""


class Search:
    """One run, from where it stands to the end of its budget. `seconds` tells where the time went, by step."""

    def __init__(self, store: Store, name: str, bench: Bench) -> None:
        self.store, self.name, self.bench = store, name, bench
        self.config = Config.from_dict(store.config(name))
        self.seconds: Counter[str] = Counter()
        self.reused = 0  # measurements that were known already
        self.run = store.run(name)
        pins = self.run.config.get("predictors")
        self.objectives = predictions.fitted(store, self.config.objectives, pins)
        self.teaching = self._teaching()
        self.contexts = {each.spec: self._settled(each) for each in self.objectives if not is_untaught(each)}

    def __iter__(self) -> Iterator[Trial]:
        """Evaluates candidate after candidate, and yields each trial when it is told.

        Raises:
            RepeatedFailure: five candidates in a row failed for the same cause.
            SpaceExhausted: there is no new network left.
            InfrastructureFailed: a connection, process, disk or device failed, and no candidate did.
            NegativeAnswer: networks were trained so shortly that their order means nothing.
        """
        self.bench.prepare(*self.objectives)
        while len(self.finished()) < self.config.budget:
            self._learn()
            spent: Counter[str] = Counter()
            trial = self.store.in_flight(self.name) or self.ask(spent)
            yield self.evaluate(trial, spent)
            self._check_failures()
            self._check_training()

    def _teaching(self) -> Teaching | None:
        """What teaches the prediction of accuracy, where the run has one."""
        auto, *others = self.objectives
        if not isinstance(auto, Auto):
            return None
        teaching = Teaching(self.store, self.name, auto, self.config)
        self.objectives = [teaching.auto, *others]
        return teaching

    def _learn(self) -> None:
        """Gives the lesson that is due, after which every network is judged anew."""
        if not self.teaching:
            return
        with self._timed("training"):
            if not self.teaching.lesson(self.run, self.bench, self.config.seed):
                return
        self.objectives = [self.teaching.auto, *self.objectives[1:]]
        self.contexts[self.teaching.auto.spec] = self.teaching.auto.context()
        self.run = self.store.run(self.name)

    def _settled(self, evaluator: Evaluator) -> str:
        """The context of an objective, which one run never changes: device, versions and protocol.

        Raises:
            AnotherDevice: the run was begun in another.
        """
        made = (trial.measurements.get(evaluator.spec) for trial in self.run.trials)
        first = next(filter(None, made), None)
        context = evaluator.context()
        if first and first.context != context:
            changed = differences(first, evaluator.device(), evaluator.versions(), evaluator.protocol())
            raise AnotherDevice(
                f"run '{self.name}' was begun on another device or version: {changed}",
                "its numbers and new ones would share no axis: go on there, or start a new run here without --name",
            )
        return context

    def finished(self) -> list[Trial]:
        """The trials that were told."""
        return [trial for trial in self.run.trials if trial.state != "running"]

    def ask(self, spent: "Counter[str]") -> Trial:
        """Proposes the next candidate and writes it down as being evaluated."""
        with self._timed("ask", spent):
            proposal = propose(
                self.config.search_space,
                self.config.sampler,
                self.config.seed,
                self._believed(),
                [metric.direction for metric in self.config.metrics],
                self.refusal,
            )
        with self._timed("store"):
            self.store.begin(self.name, proposal)
            trial = self.store.in_flight(self.name)
        assert trial
        return trial

    def _believed(self) -> "list[optuna.trial.FrozenTrial]":
        """What the sampler is told: accuracies as they are believed now, and latencies as ratios.

        The device's constant changes while a run goes on; a ratio does not, so that a resumed run asks what an
        uninterrupted one would have asked.
        """
        frozen = self.store.frozen(self.name)
        names = [metric.name for metric in self.run.objectives]
        latest = {t.number: [_comparable(t.measurements[name]) for name in names] for t in self.run.succeeded()}
        told = [copy(trial) for trial in frozen]
        for trial in told:
            if trial.number in latest:
                trial.values = latest[trial.number]
        return told

    def refusal(self, architecture: Architecture) -> str:
        """Why a network must not be evaluated: it was asked before, or an exact cost is beyond its limit."""
        if any(trial.architecture == architecture for trial in self.run.trials):
            return "asked before"
        return self.config.beyond(architecture)

    def evaluate(self, trial: Trial, spent: "Counter[str]") -> Trial:
        """Takes every measurement of a candidate, cheapest first, and tells what was found.

        Raises:
            InfrastructureFailed: nothing is told: the candidate stays in flight, and resuming evaluates it.
        """
        found: dict[str, Measurement] = {}
        cause = detail = ""
        try:
            for evaluator in (*self.config.costs, *self.objectives):
                with self._timed(evaluator.family(), spent):
                    found[evaluator.spec] = self.obtain(evaluator, trial.architecture)
        except MeasurementFailed as error:
            cause, detail = error.cause, error.detail
        self.bench.prepare(*self.objectives)
        return self._tell(trial, found, spent, cause, detail)

    def obtain(self, evaluator: Evaluator, architecture: Architecture) -> Measurement:
        """A measurement from the store, or a new one, which the store then keeps."""
        context = self.contexts.get(evaluator.spec) or evaluator.context()
        known = self.store.recall(architecture, context)
        if known:
            self.reused += evaluator.family() != "cost"
            return known
        measurement = self.bench.measure(evaluator, architecture)
        self.store.remember(architecture, measurement)
        return self.store.recall(architecture, context) or measurement

    def obtain_all(self, evaluator: Evaluator, architectures: Sequence[Architecture]) -> Iterator[Result]:
        """The same for many networks, which may be evaluated beside each other; what fails comes as its failure."""
        context, unknown = evaluator.context(), []
        for architecture in architectures:
            known = self.store.recall(architecture, context)
            if known:
                yield architecture, known
            else:
                unknown.append(architecture)
        for architecture, found in together(evaluator, unknown, self.bench):
            if isinstance(found, Measurement):
                self.store.remember(architecture, found)
            yield architecture, found

    def _tell(
        self, trial: Trial, found: Mapping[str, Measurement], spent: Mapping[str, float], cause: str, detail: str
    ) -> Trial:
        values = None if cause else [found[evaluator.spec].value for evaluator in self.config.objectives]
        constraints = {} if cause else {str(li): li.excess(found[li.metric].value) for li in self.config.parsed_limits}
        with self._timed("store"):
            self.store.finish(
                self.name,
                trial,
                found,
                values=values,
                constraints=constraints,
                seconds=spent,
                cause=cause,
                detail=detail,
            )
        broken = any(excess > 0 for excess in constraints.values())
        told = replace(
            trial,
            state="failed" if cause else "infeasible" if broken else "ok",
            measurements=dict(found),
            constraints=constraints,
            seconds=dict(spent),
            cause=cause,
            detail=detail,
        )
        others = tuple(each for each in self.run.trials if each.number != told.number)
        self.run = replace(self.run, trials=(*others, told))
        return told

    def _check_failures(self) -> None:
        recent = self.finished()[-EQUAL_FAILURES:]
        causes = {trial.cause for trial in recent}
        if len(recent) == EQUAL_FAILURES and len(causes) == 1 and (cause := causes.pop()):
            raise RepeatedFailure(
                f"stopped: {EQUAL_FAILURES} candidates in a row failed with: {cause}",
                f"mend the cause and resume with: {console.command('run', '--name', self.name)}\n"
                + recent[-1].detail[-800:].rstrip(),
            )

    def _check_training(self) -> None:
        """Refuses to rank networks that have learnt too little, once there are enough of them to tell."""
        evaluator = self.objectives[0]
        if evaluator.metric.kind != "trained" or len(self.finished()) != TRAINED:
            return
        found = [trial.measurements[evaluator.spec] for trial in self.run.succeeded()]
        if found:
            check_transient(found, evaluator.spec)

    @contextmanager
    def _timed(self, step: str, also: "Counter[str] | None" = None) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[step] += elapsed  # type: ignore[assignment]
            if also is not None:
                also[step] += elapsed  # type: ignore[assignment]


def _comparable(measurement: Measurement) -> float:
    """The value for a sampler: of a latency the first ratio, which no later measurement and no constant changes."""
    ratio = ratio_of(measurement)
    return math.exp(measurement.details.get("first_log_ratio", ratio.log)) if ratio else measurement.value


def verify(search: Search, members: list[Trial], report: Callable[[Trial, Measurement, str], None]) -> list[Trial]:
    """Measures the front's limited latencies again, each in a fresh process, and reports every verdict.

    Returns the trials that are confirmed: no limit missed by more than the interval of its new measurement.
    """
    latencies = [limit for limit in search.config.parsed_limits if limit.evaluator.metric.kind == "measured"]
    confirmed = []
    for trial in members if latencies else []:
        kept = True
        for limit in latencies:
            try:
                again = search.bench.measure(limit.evaluator, trial.architecture)
            except MeasurementFailed as error:
                report(trial, trial.measurements[limit.metric], f"{limit} not confirmed: {error.cause}")
                kept = False
                continue
            search.store.remember(trial.architecture, again)
            again = search.store.recall(trial.architecture, again.context) or again  # both, combined
            closest = again.low if limit.sign == "<=" else again.high
            missed = limit.excess(closest) > 0
            excess = limit.excess(again.value)
            share = f"{abs(excess) / limit.bound:.1%}"
            report(trial, again, f"{limit} missed by {share}" if excess > 0 else f"{limit} met with {share} to spare")
            kept = kept and not missed
        confirmed += [trial] if kept else []
    return confirmed
