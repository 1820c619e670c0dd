"""The search loop: ask, gate on exact cost, score, measure, record, tell, until the budget is spent."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from evaluators import Evaluator, Measurement
from evaluators.core.measurement import differences
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import Result, together
from nas import console
from nas.search import latency_predictions
from nas.search.active_learning import ActiveLearning, check_transient
from nas.search.comparable import comparable
from nas.search.config import Config
from nas.search.proposals import NOTHING, Knowledge, propose
from nas.search.screening import warm_start
from nas.search.screening.sampler import known
from nas.search.screening.space_view import SpaceView
from results.limits import Limit
from results.store.record import Trial
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

if TYPE_CHECKING:
    import optuna

    from nas.search.known_trials import KnownTrial

TRAINED = 10  # candidates, after which the run checks that their short trainings mean anything
EQUAL_FAILURES = 5  # in a row, before a run stops: such a cause does not lie in the candidates


class RepeatedFailure(NegativeAnswer):
    """Several candidates in a row failed for the same cause, which another candidate will not remove."""


class AnotherDevice(NegativeAnswer):
    """The device or the versions differ from those with which the run was begun."""


class Search:
    """One run, from where it stands to the end of its budget. `seconds` holds the time spent, by step."""

    def __init__(self, store: Store, name: str, bench: Bench) -> None:
        self.store, self.name, self.bench = store, name, bench
        self.config = Config.from_dict(store.config(name))
        self.seconds: Counter[str] = Counter()
        self.reused = 0  # measurements that the store had already
        self.run = store.run(name)
        self.asked = {trial.architecture for trial in self.run.trials}
        self._sampled: dict[int, tuple[optuna.trial.FrozenTrial, Trial | None, KnownTrial]] = {}  # by number
        pins = self.run.config.get("predictors")
        self.objectives = latency_predictions.fitted(store, self.config.objectives, pins)
        self.learning = self._active_learning()
        self.view = SpaceView(self.config.search_space, self.objectives, self.refusal)
        networks = self.run.config.get("taught_by", ())
        earlier = warm_start.known(store, self.config.search_space, self.objectives, networks)
        self.earlier = warm_start.WarmStart(earlier, self.view)
        self.doubted: set[int] = set()  # objectives in which earlier runs are contradicted
        self.contexts = {
            evaluator.spec: self._context(evaluator) for evaluator in self.objectives if not needs_training(evaluator)
        }

    def __iter__(self) -> Iterator[Trial]:
        """Evaluates candidate after candidate, and yields each finished trial.

        Raises:
            RepeatedFailure: five candidates in a row failed for the same cause.
            SpaceExhausted: there is no new network left.
            InfrastructureFailed: a connection, process, disk or device failed, not a candidate.
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

    def _active_learning(self) -> ActiveLearning | None:
        """The active learning of a run whose accuracy is predicted."""
        accuracy, *others = self.objectives
        if not isinstance(accuracy, LearnedAccuracy):
            return None
        learning = ActiveLearning(self.store, self.name, accuracy, self.config)
        self.objectives = [learning.evaluator, *others]
        return learning

    def _learn(self) -> None:
        """Runs the active learning round that is due; the new prediction replaces the old one everywhere."""
        if not self.learning:
            return
        with self._timed("training"):
            if not self.learning.round(self.run, self.bench, self.config.seed):
                return
        self.objectives = [self.learning.evaluator, *self.objectives[1:]]
        self.contexts[self.learning.evaluator.spec] = self.learning.evaluator.context()
        self.run = self.store.run(self.name)

    def _context(self, evaluator: Evaluator) -> str:
        """The context of an objective (device, versions and protocol), which must not change within a run.

        Raises:
            AnotherDevice: the run was begun in another.
        """
        measurements = (trial.measurements.get(evaluator.spec) for trial in self.run.trials)
        first = next(filter(None, measurements), None)
        context = evaluator.context()
        if first and first.context != context:
            changed = differences(first, evaluator.device(), evaluator.versions(), evaluator.protocol())
            raise AnotherDevice(
                f"run '{self.name}' was begun on another device or version: {changed}",
                "its numbers and new ones cannot be compared: resume it there, or start a new run here without --name",
            )
        return context

    def finished(self) -> list[Trial]:
        """The trials that succeeded, failed or broke a limit."""
        return [trial for trial in self.run.trials if trial.state != "running"]

    def ask(self, spent: "Counter[str]") -> Trial:
        """Proposes the next candidate and stores it as running."""
        with self._timed("ask", spent):
            proposal = propose(
                self.config.search_space,
                self.config.sampler,
                self.config.seed,
                history := self._history(),
                [metric.direction for metric in self.config.metrics],
                self.refusal,
                self._knowledge(history),
            )
        with self._timed("store"):
            self.store.begin(self.name, proposal)
            trial = self.store.in_flight(self.name)
        assert trial
        self.asked.add(trial.architecture)
        return trial

    def _knowledge(self, history: "Sequence[optuna.trial.FrozenTrial]") -> Knowledge:
        """What a sampler may know beyond the trials."""
        if self.config.sampler != "screen":
            return NOTHING
        self.view.objectives = self.objectives
        own = known(history)
        for index in set(self.earlier.contradicted(own)) - self.doubted:
            self.doubted.add(index)
            console.say(
                f"  {self.objectives[index].spec}: this run's networks contradict what earlier runs measured; "
                "the sampler learns it anew"
            )
        return Knowledge(view=self.view, earlier=self.earlier.trusted(own), limits=self._bounds())

    def _bounds(self) -> dict[int, float]:
        """Upper limits on objectives, by index, in the numbers that a sampler learns from.

        A trial's excess was stored when it finished: unlike the device's constant, it never changes.
        """
        bounds = {}
        names = [metric.name for metric in self.run.objectives]
        for limit in self.config.parsed_limits:
            if limit.metric in names and limit.is_worst(self.config.metrics[names.index(limit.metric)].direction):
                told = [trial for trial in self.run.succeeded() if str(limit) in trial.constraints]
                values = [limit.value(trial.constraints[str(limit)]) for trial in told]
                numbers = [comparable(trial.measurements[limit.metric]) for trial in told]
                if told:
                    factor = median(number / value for number, value in zip(numbers, values, strict=True))
                    bounds[names.index(limit.metric)] = limit.bound * factor
        return bounds

    def _history(self) -> "list[optuna.trial.FrozenTrial]":
        """The trials that the sampler learns from: with the latest predictions of accuracy, and latencies as ratios.

        The device's constant changes during a run and a ratio does not: a resumed run asks what an uninterrupted one
        would have asked.
        """
        judged = {trial.number: trial for trial in self.run.succeeded()}
        return [self._for_sampler(frozen, judged.get(frozen.number)) for frozen in self.store.frozen(self.name)]

    def _for_sampler(self, frozen: "optuna.trial.FrozenTrial", judged: Trial | None) -> "optuna.trial.FrozenTrial":
        """A trial as the sampler sees it, made anew only where something has changed."""
        from nas.search.known_trials import KnownTrial  # imports Optuna

        source, judgement, known = self._sampled.get(frozen.number, (None, None, None))
        if not known or source is not frozen or judgement is not judged:
            known = KnownTrial.of(frozen)
            if judged:
                known.values = [comparable(judged.measurements[metric.name]) for metric in self.run.objectives]
            self._sampled[frozen.number] = frozen, judged, known
        return known

    def refusal(self, architecture: Architecture) -> str:
        """Why a network is not evaluated: asked before, beyond a limit by exact cost, or not trusted by the proxy."""
        if architecture in self.asked:
            return "asked before"
        return self.config.beyond(architecture) or self.objectives[0].distrusts(architecture)

    def evaluate(self, trial: Trial, spent: "Counter[str]") -> Trial:
        """Takes every measurement of a candidate, cheapest first, and stores the outcome.

        Raises:
            InfrastructureFailed: the candidate stays in flight, and resuming evaluates it again.
        """
        measurements: dict[str, Measurement] = {}
        cause = detail = ""
        try:
            for evaluator in (*self.config.costs, *self.objectives):
                with self._timed(evaluator.family(), spent):
                    measurements[evaluator.spec] = self.obtain(evaluator, trial.architecture)
        except MeasurementFailed as error:
            cause, detail = error.cause, error.detail
        self.bench.prepare(*self.objectives)
        return self._finish(trial, measurements, spent, cause, detail)

    def obtain(self, evaluator: Evaluator, architecture: Architecture) -> Measurement:
        """A measurement from the store, or a new one, which the store then keeps."""
        context = self.contexts.get(evaluator.spec) or evaluator.context()
        if made := self.store.recall(architecture, context):
            self.reused += evaluator.family() != "cost"
            return made
        measurement = self.bench.measure(evaluator, architecture)
        return self.store.keep(architecture, measurement)

    def obtain_all(self, evaluator: Evaluator, architectures: Sequence[Architecture]) -> Iterator[Result]:
        """The same for many networks, several at once where the evaluator allows it; a failure is yielded, too."""
        context, unknown = evaluator.context(), []
        for architecture in architectures:
            if made := self.store.recall(architecture, context):
                yield architecture, made
            else:
                unknown.append(architecture)
        for architecture, outcome in together(evaluator, unknown, self.bench):
            if isinstance(outcome, Measurement):
                self.store.remember(architecture, outcome)
            yield architecture, outcome

    def _finish(
        self, trial: Trial, measurements: Mapping[str, Measurement], spent: Mapping[str, float], cause: str, detail: str
    ) -> Trial:
        values, constraints = None, {}
        if not cause:
            values = [measurements[evaluator.spec].value for evaluator in self.config.objectives]
            constraints = {
                str(limit): limit.excess(measurements[limit.metric].value) for limit in self.config.parsed_limits
            }
        with self._timed("store"):
            self.store.finish(
                self.name,
                trial,
                measurements,
                values=values,
                constraints=constraints,
                seconds=spent,
                cause=cause,
                detail=detail,
            )
        broken = any(excess > 0 for excess in constraints.values())
        finished = replace(
            trial,
            state="failed" if cause else "infeasible" if broken else "ok",
            measurements=dict(measurements),
            constraints=constraints,
            seconds=dict(spent),
            cause=cause,
            detail=detail,
        )
        others = tuple(other for other in self.run.trials if other.number != finished.number)
        self.run = replace(self.run, trials=(*others, finished))
        return finished

    def _check_failures(self) -> None:
        recent = self.finished()[-EQUAL_FAILURES:]
        causes = {trial.cause for trial in recent}
        if len(recent) == EQUAL_FAILURES and len(causes) == 1 and (cause := causes.pop()):
            raise RepeatedFailure(
                f"stopped: {EQUAL_FAILURES} candidates in a row failed with: {cause}",
                f"remove the cause and resume with: {console.command('run', '--name', self.name)}\n"
                + recent[-1].detail[-800:].rstrip(),
            )

    def _check_training(self) -> None:
        """Stops a run whose networks have learnt too little to be ranked, once enough of them are trained."""
        evaluator = self.objectives[0]
        if evaluator.metric.kind != "trained" or len(self.finished()) != TRAINED:
            return
        trained = [trial.measurements[evaluator.spec] for trial in self.run.succeeded()]
        if trained:
            check_transient(trained, evaluator.spec)

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


def needs_training(evaluator: Evaluator) -> bool:
    """Whether an evaluator predicts from networks that the run has yet to train."""
    return isinstance(evaluator, LearnedAccuracy) and not evaluator.fit


def verify(search: Search, front: list[Trial], report: Callable[[Trial, Measurement, str], None]) -> list[Trial]:
    """Measures the front's limited latencies again, each in a fresh process, and reports every verdict.

    Returns the trials that are confirmed: no limit missed by more than the interval of its new measurement.
    """
    limits = [limit for limit in search.config.parsed_limits if limit.evaluator.metric.kind == "measured"]
    return [trial for trial in front if limits and _confirmed(search, trial, limits, report)]


def _confirmed(
    search: Search, trial: Trial, limits: Sequence[Limit], report: Callable[[Trial, Measurement, str], None]
) -> bool:
    """Whether a network keeps every limit in a new measurement; all of them are reported."""
    confirmed = True
    for limit in limits:
        try:
            again = search.bench.measure(limit.evaluator, trial.architecture)
        except MeasurementFailed as error:
            report(trial, trial.measurements[limit.metric], f"{limit} not confirmed: {error.cause}")
            confirmed = False
            continue
        again = search.store.keep(trial.architecture, again)  # combined with the first
        excess, share = limit.excess(again.value), f"{abs(limit.excess(again.value)) / limit.bound:.1%}"
        report(trial, again, f"{limit} missed by {share}" if excess > 0 else f"{limit} met with {share} to spare")
        closest = again.low if limit.sign == "<=" else again.high
        confirmed = confirmed and limit.excess(closest) <= 0
    return confirmed
