"""Hybrid strategies at one measured latency, evaluated by one metric: the experiment, step by step.

Latencies come first, alone on their device; then whatever is trained. Every measurement is stored as it is made, so the
same command resumes after an interruption.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from evaluators import Evaluator, Measurement
from evaluators.core.measurement import further_key
from evaluators.counts.formula import total
from evaluators.prediction.published_prediction import contrast
from evaluators.statistics.paired import Difference, differences
from evaluators.training.fidelity import Fidelity
from evaluators.workers.parallel import all_of
from nas.strategies.equal_latency import OutOfReach, at_latency, work
from nas.strategies.stored_latency import StoredLatency
from results.strategies.report import Answer, Entry, Report, Standing
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer
from search_spaces.strategies.catalogue import NEXT_VIT, Question
from search_spaces.strategies.strategy import SCALINGS, USUAL, Strategy

Say = Callable[[str], object]
MEAN = further_key("mean", "%")  # what published networks predict; its value is the lower end


@dataclass(kw_only=True)
class Experiment:
    """Strategies at `milliseconds` of a latency, built at several depths, and evaluated by `metric`."""

    stopwatch: StoredLatency
    metric: Evaluator
    milliseconds: float
    say: Say
    scalings: Sequence[str] = USUAL
    starts: dict[str, float] = field(default_factory=dict)  # by scaling: the work that the last strategy needed

    def report(self, questions: Sequence[Question]) -> Report:
        """The answers to the questions.

        Raises:
            NegativeAnswer: no strategy reaches the latency.
        """
        self.target = self.stopwatch.target(self.milliseconds)
        known = self.stopwatch.measured(PAPER["next-vit-s"])
        strategies = list(dict.fromkeys(each for question in questions for each in question.strategies))
        built = {strategy: self._built(strategy) for strategy in strategies}
        entries = [entry for standing in built.values() for entry in standing.entries]
        if not entries:
            raise NegativeAnswer(
                f"no strategy reaches {self.milliseconds:g} ms: Next-ViT-S has {known} here",
                "choose a latency near that of the networks that you think of",
            )
        results = dict(self._evaluated([entry.network for entry in entries]))
        evaluated = {strategy: self._with_results(standing, results) for strategy, standing in built.items()}
        return Report(
            latency=self.stopwatch.latency.metric,
            device=known.device.label,
            milliseconds=self.milliseconds,
            metric=self.metric.metric,
            fidelity=self.metric.fidelity if isinstance(self.metric, Fidelity) else "",
            scalings={name: str(SCALINGS[name]) for name in self.scalings},
            answers=tuple(self._answer(question, evaluated) for question in questions),
            remarks=tuple(dict.fromkeys(known.warnings)),
        )

    def _built(self, strategy: Strategy) -> Standing:
        """The strategy's networks at the latency, one for each scaling that reaches it."""
        entries, missing = [], []
        for scaling in self.scalings:
            try:
                found = at_latency(
                    strategy,
                    SCALINGS[scaling],
                    self.target,
                    self.stopwatch.measured,
                    self.starts.get(scaling, 0.0),
                )
            except (OutOfReach, MeasurementFailed) as error:
                missing.append(f"{scaling}: {error.message}")
                self.say(f"  {strategy.name}, {missing[-1]}")
                continue
            self.starts[scaling], counts = work(found.network), total(found.network)
            entries.append(
                Entry(
                    scaling=scaling,
                    network=found.network,
                    latency=found.latency,
                    missed_by=found.missed_by,
                    params=counts.params / 1e6,
                    macs=counts.all_macs / 1e9,
                )
            )
            self.say(f"  {strategy.name}, {scaling}: {found.latency} ({found.missed_by:+.1%})  {found.network}")
        return Standing(name=strategy.name, entries=tuple(entries), missing=tuple(missing))

    # Accuracy, or a score

    def _evaluated(self, networks: Sequence[Architecture]) -> Iterator[tuple[Architecture, Measurement | str]]:
        """Every different network with its result, or with why it has none; what is stored is not evaluated again."""
        missing, store = [], self.stopwatch.store
        for network in dict.fromkeys(networks):
            if known := store.recall(network, self.metric.context()):
                yield network, known
            else:
                missing.append(network)
        for done, (index, outcome) in enumerate(
            all_of([(self.metric, each) for each in missing], self.stopwatch.bench), 1
        ):
            if isinstance(outcome, Measurement):
                store.remember(missing[index], outcome)
            if self.metric.kind == "trained":
                self.say(f"  {done}/{len(missing)}  {missing[index]}: {outcome}")
            yield missing[index], outcome if isinstance(outcome, Measurement) else outcome.cause

    def _with_results(self, standing: Standing, results: dict[Architecture, Measurement | str]) -> Standing:
        entries = []
        for entry in standing.entries:
            result = results[entry.network]
            if isinstance(result, str):
                entries.append(replace(entry, failure=result))
            else:
                entries.append(replace(entry, results=_by_seed(result)))
        values = [value for entry in entries for value in entry.results]
        return replace(standing, entries=tuple(entries), value=sum(values) / len(values) if values else None)

    def _answer(self, question: Question, evaluated: dict[Strategy, Standing]) -> Answer:
        standings = [evaluated[strategy] for strategy in question.strategies]
        unseen = question.unseen if self._predicts else ""
        compared = {} if unseen else self._differences(standings, list(evaluated.values()))
        return Answer(
            name=question.name,
            text=question.text,
            reference=NEXT_VIT.name,
            standings=tuple(replace(each, difference=compared.get(each.name)) for each in standings),
            direction=self.metric.direction,
            unseen=unseen,
        )

    @property
    def _predicts(self) -> bool:
        """Whether published networks predict what is compared."""
        return self.metric.name() == "published"

    def _differences(self, standings: Sequence[Standing], everything: Sequence[Standing]) -> dict[str, Difference]:
        """The differences of the strategies to Next-ViT, over the scalings and seeds that both have.

        Strategies of other questions only tell how much trainings scatter.
        """
        reference = next(each for each in standings if each.name == NEXT_VIT.name)
        if self._predicts:
            resolution = int(self.metric.protocol()["resolution"])
            return {
                each.name: _predicted(reference, each, resolution)
                for each in standings
                if each is not reference and each.entries and reference.entries
            }
        most = max((len(entry.results) for each in everything for entry in each.entries), default=0)
        table = {each.name: _row(each, self.scalings, most) for each in everything}
        compared = differences(table, NEXT_VIT.name, [each.name for each in standings])
        return {name: each for name, each in compared.items() if each.pairs}


def _by_seed(result: Measurement) -> tuple[float, ...]:
    """The results of the seeds; of a prediction from published networks its mean, and of a score its value."""
    return tuple(result.details.get("by_seed") or [result.secondary.get(MEAN, result.value)])


def _row(standing: Standing, scalings: Sequence[str], seeds: int) -> list[float]:
    """The results by scaling and seed, in the same order for all strategies; nan where there is none."""
    results = {entry.scaling: entry.results for entry in standing.entries}
    return [
        results[scaling][seed] if seed < len(results.get(scaling, ())) else float("nan")
        for scaling, seed in product(scalings, range(seeds))
    ]


def _predicted(reference: Standing, other: Standing, resolution: int) -> Difference:
    """The difference that published networks predict, over the scalings that both have."""
    mine, theirs = ({entry.scaling: entry.network for entry in each.entries} for each in (reference, other))
    common = [scaling for scaling in mine if scaling in theirs]
    if not common:
        return Difference(value=float("nan"), low=float("-inf"), high=float("inf"), pairs=0)
    value, half = contrast([mine[each] for each in common], [theirs[each] for each in common], resolution)
    return Difference(value=value, low=value - half, high=value + half, pairs=len(common), told_apart=abs(value) > half)
