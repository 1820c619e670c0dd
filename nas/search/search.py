"""The search loop: ask, gate on exact cost, score, measure, record, tell, until the budget is spent."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from evaluators import Evaluator, Measurement
from evaluators.core.measurement import differences
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.stopwatch.calibration import ratio_of
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import Result, together
from nas import console
from nas.search import latency_predictions
from nas.search.config import Config
from nas.search.pipeline import Candidate, Measured, Pipeline, timed
from nas.search.proposals import NOTHING, Knowledge, SpaceExhausted, propose
from nas.search.prospects import Prospects
from nas.search.run_state import RunState
from nas.search.sampling.comparable import comparable
from nas.search.sampling.history import History, told_trials
from nas.search.screening import warm_start
from nas.search.screening.sampler import known
from nas.search.screening.space_view import SpaceView
from nas.search.training.active_learning import ActiveLearning, check_transient
from results.limits import Limit
from results.store.record import Run, Trial
from results.store.store import Store
from search_spaces import Network
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

if TYPE_CHECKING:
    import optuna

TRAINED = 10  # candidates, after which the run checks that their short trainings mean anything
EQUAL_FAILURES = 5  # in a row, before a run stops: such a cause does not lie in the candidates


class RepeatedFailure(NegativeAnswer):
    """Several candidates in a row failed for the same cause, which another candidate will not remove."""


class AnotherDevice(NegativeAnswer):
    """The device or the versions differ from those with which the run was begun."""


class Search:
    """One run, from where it stands to the end of its budget, with `jobs` candidates in the works at once.

    The candidates are the same with any number of jobs. `seconds` holds the time spent, by step: those of candidates
    that are in the works at once add up.
    """

    def __init__(self, store: Store, name: str, bench: Bench, jobs: int = 1) -> None:
        self.store, self.name, self.bench, self.jobs = store, name, bench, jobs
        self.config = Config.from_dict(store.config(name))
        self.seconds: Counter[str] = Counter()
        self.reused = 0  # measurements that the store had already
        self.measuring = 0.0  # the share of the search's time for which the busiest device was measuring
        self.state = RunState(store.run(name))
        self.asked = {trial.architecture for trial in self.run.trials}
        self.history, self.prospects = History(self.config.ahead), Prospects()
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

    @property
    def run(self) -> Run:
        """The run as far as it has come."""
        return self.state.run

    def read_again(self) -> None:
        """Reads the run anew: other measurements have changed what is known of its networks."""
        self.state.read(self.store.run(self.name))

    def __iter__(self) -> Generator[Trial, None, None]:
        """Evaluates candidate after candidate, and yields each finished trial, in the order of their numbers.

        Raises:
            RepeatedFailure: five candidates in a row failed for the same cause.
            SpaceExhausted: there is no new network left.
            InfrastructureFailed: a connection, process, disk or device failed, not a candidate.
            NegativeAnswer: networks were trained so shortly that their order means nothing.
        """
        began, held = time.perf_counter(), Counter(self.bench.held)
        with Pipeline(self.bench, self.jobs, self.config.ahead) as pipeline:
            exhausted = None
            while True:
                self._keep(pipeline.news(wait=False))
                if not exhausted and self._may_begin(pipeline):
                    try:
                        self._begin(pipeline)
                    except SpaceExhausted as error:  # it is raised after the candidates that are in the works
                        exhausted = error
                elif pipeline.works:
                    self._keep(pipeline.news(wait=True))
                    yield self._finish(pipeline.works.popleft())
                    self.measuring = max((self.bench.held - held).values(), default=0.0) / (time.perf_counter() - began)
                    self._check_failures()
                    self._check_training()
                else:
                    break
            if exhausted:
                raise exhausted

    def _may_begin(self, pipeline: Pipeline) -> bool:
        """Whether another candidate may begin now; before a training, those in the works are finished."""
        number = len(self.state.finished) + len(pipeline.works)
        if self.state.measured + len(pipeline.works) >= self.config.budget or number >= self.config.most_candidates:
            return False
        if pipeline.first_is_done or not pipeline.has_room:
            return False
        return not (pipeline.works and self.learning and self.learning.is_due(number))

    def _begin(self, pipeline: Pipeline) -> None:
        """Hands the next candidate over: one that is in flight since an earlier start, or a new one.

        What the store knows and what this process computes is not left to the pipeline.
        """
        if self.jobs == 1:
            self.bench.prepare(*self.objectives)  # with more, there is always one that starts
        self._learn()
        candidate = self._next(len(pipeline.works))
        unknown = self._unknown(candidate)
        if self.config.measure == "promising" and not candidate.trial.anchor:
            told = told_trials(self.run, candidate.trial.number)
            candidate.prospects = partial(self.prospects.hopeless, self.run, told, candidate.trial.architecture)
        pipeline.submit(candidate, unknown)

    def _next(self, in_the_works: int) -> Candidate:
        if len(self.state.running) > in_the_works:
            return Candidate(self.state.running[in_the_works])
        return self._ask()

    def _unknown(self, candidate: Candidate) -> list[Evaluator]:
        """The evaluators whose measurements another process must take, after all others, cheapest first."""
        unknown: list[Evaluator] = []
        architecture, new = candidate.trial.architecture, list[tuple[Network, Measurement]]()
        evaluators = (*self.config.costs, *self.objectives)
        contexts = {each.spec: self.contexts.get(each.spec) or each.context() for each in evaluators}
        stored = self.store.recall_all(architecture, contexts.values())
        try:
            for evaluator in evaluators:
                with timed(evaluator.family(), candidate.spent):
                    if known := stored.get(contexts[evaluator.spec]):
                        self.reused += evaluator.family() != "cost"
                    elif self.bench.isolates(evaluator):
                        unknown.append(evaluator)
                        continue
                    else:
                        known = self.bench.measure(evaluator, architecture)
                        new.append((architecture, known))
                candidate.measurements[evaluator.spec] = known
                if evaluator is self.objectives[0]:
                    candidate.accuracy = known.value
        except MeasurementFailed as error:
            candidate.error = error
            return []
        finally:
            self.store.remember_all(new)
        return unknown

    def _keep(self, news: Iterable[Measured]) -> None:
        """Stores measurements at once, but latencies in the order of the trials: their device's constant follows."""
        for candidate, evaluator, measurement in news:
            candidate.measurements[evaluator.spec] = measurement
            if ratio_of(measurement):
                candidate.unstored.append(measurement)
            else:
                self.store.remember(candidate.trial.architecture, measurement)

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
        with timed("training", self.seconds):
            if not self.learning.round(self.run, self.bench, self.config.seed):
                return
        self.objectives = [self.learning.evaluator, *self.objectives[1:]]
        self.contexts[self.learning.evaluator.spec] = self.learning.evaluator.context()
        self.read_again()

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

    def _ask(self) -> Candidate:
        """Proposes the next candidate and stores it as running."""
        spent: Counter[str] = Counter()
        with self.bench.cores.beside(), timed("ask", spent):
            history = self.history.told(self.run, self.store.frozen(self.name))
            proposal = propose(
                self.config.search_space,
                self.config.sampler,
                self.config.seed,
                history,
                [metric.direction for metric in self.config.metrics],
                self.refusal,
                self._knowledge(history),
                self.config.all_anchors,
            )
        with timed("store", self.seconds):
            trial = self.store.begin(self.name, proposal)
        self.asked.add(trial.architecture)
        self.state.begin(trial)
        return Candidate(trial, spent=spent)

    def _knowledge(self, history: "Sequence[optuna.trial.FrozenTrial]") -> Knowledge:
        """What a sampler may know beyond the trials."""
        if self.config.sampler != "screen":
            return NOTHING
        self.view.objectives = self.objectives
        contradicted = self.earlier.contradicted(known(history))
        for index in set(contradicted) - self.doubted:
            self.doubted.add(index)
            console.say(
                f"  {self.objectives[index].spec}: this run's networks contradict what earlier runs measured; "
                "the sampler learns it anew"
            )
        return Knowledge(view=self.view, earlier=self.earlier.trusted(contradicted), limits=self._bounds())

    def _bounds(self) -> dict[int, float]:
        """Upper limits on objectives, by index, in the numbers that a sampler learns from.

        A trial's excess was stored when it finished: unlike the device's constant, it never changes.
        """
        bounds = {}
        names = [metric.name for metric in self.run.objectives]
        for limit in self.config.parsed_limits:
            if limit.metric in names and limit.is_worst(self.config.metrics[names.index(limit.metric)].direction):
                told = [
                    trial for trial in told_trials(self.run, len(self.run.trials)) if str(limit) in trial.constraints
                ]
                values = [limit.value(trial.constraints[str(limit)]) for trial in told]
                numbers = [comparable(trial.measurements[limit.metric]) for trial in told]
                if told:
                    factor = median(number / value for number, value in zip(numbers, values, strict=True))
                    bounds[names.index(limit.metric)] = limit.bound * factor
        return bounds

    def refusal(self, architecture: Network) -> str:
        """Why a network is not evaluated: asked before, beyond a limit by exact cost, or not trusted by the proxy."""
        if architecture in self.asked:
            return "asked before"
        return self.config.beyond(architecture) or self.objectives[0].distrusts(architecture)

    def obtain_all(self, evaluator: Evaluator, architectures: Sequence[Network]) -> Iterator[Result]:
        """The same for many networks, several at once where the evaluator allows it; a failure is yielded, too."""
        context, unknown = evaluator.context(), []
        for architecture in architectures:
            known = self.store.recall(architecture, context)
            if known:
                yield architecture, known
            else:
                unknown.append(architecture)
        for architecture, outcome in together(evaluator, unknown, self.bench):
            if isinstance(outcome, Measurement):
                self.store.remember(architecture, outcome)
            yield architecture, outcome

    def _finish(self, candidate: Candidate) -> Trial:
        """Stores the outcome of a candidate.

        Raises:
            InfrastructureFailed: it has none; it stays in flight, and resuming evaluates it again.
        """
        trial, failed = candidate.trial, candidate.error
        if failed is not None and not isinstance(failed, MeasurementFailed):
            raise failed
        with timed("store", self.seconds):
            measurements = self._stored(candidate)
        values, constraints = None, {}
        if not failed and not candidate.predicted:
            values = [measurements[evaluator.spec].value for evaluator in self.config.objectives]
            constraints = {
                str(limit): limit.excess(measurements[limit.metric].value) for limit in self.config.parsed_limits
            }
        broken = any(excess > 0 for excess in constraints.values())
        finished = replace(
            trial,
            state="failed" if failed else "predicted" if candidate.predicted else "infeasible" if broken else "ok",
            measurements=measurements,
            constraints=constraints,
            seconds=dict(candidate.spent),
            cause=failed.cause if failed else "",
            detail=failed.detail if failed else "",
        )
        with timed("store", self.seconds):
            self.store.finish(
                self.name,
                trial,
                measurements,
                values=values,
                constraints=constraints,
                seconds=finished.seconds,
                cause=finished.cause,
                detail=finished.detail,
            )
        self.seconds.update(candidate.spent)
        self.state.finish(finished)
        return finished

    def _stored(self, candidate: Candidate) -> dict[str, Measurement]:
        """All measurements of a candidate as the store has them, after those that waited for their turn."""
        architecture = candidate.trial.architecture
        for measurement in (*candidate.unstored, *candidate.predicted):
            self.store.remember(architecture, measurement)
        candidate.measurements |= {measurement.metric.name: measurement for measurement in candidate.predicted}
        contexts = {spec: measurement.context for spec, measurement in candidate.measurements.items()}
        stored = self.store.recall_all(architecture, contexts.values())
        return {spec: stored.get(contexts[spec], candidate.measurements[spec]) for spec in contexts}

    def _check_failures(self) -> None:
        recent = self.state.finished[-EQUAL_FAILURES:]
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
        if evaluator.metric.kind != "trained" or len(self.state.finished) != TRAINED:
            return
        trained = [trial.measurements[evaluator.spec] for trial in self.run.succeeded()]
        if trained:
            check_transient(trained, evaluator.spec)


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
