"""The time plan of a run on the user's images: what is trained, and how long all of it will take.

Before anything is trained, a minute of calibration says how fast this machine trains and measures. The plan is then the
best fidelity of a list that fits into the hours: first the resolution falls, then images and epochs, and last the
number of real evaluations.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from math import ceil
from typing import Any

import evaluators
from evaluators.core.locks import exclusive
from evaluators.datasets.in_memory import tried
from evaluators.datasets.sources import Source, opened
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.statistics.ranking import FEWEST
from evaluators.training import speed
from evaluators.training.fidelity import Fidelity
from evaluators.training.speed import Speed
from evaluators.workers.bench import Bench
from nas import console
from nas.progress import duration
from nas.search.config import Config
from nas.search.drawing import by_size
from nas.search.training.active_learning import first_round
from nas.search.training.learning_rate import MULTIPLES
from results.store.store import Store
from search_spaces import Network
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer
from search_spaces.common.networks import ours

USUAL_HOURS = 1.0  # of trainings, where the user names none
NOTED = 10.0  # seconds of reading images that a plan names
PER_CLASS = 10  # images of a class, on average: with fewer, a training tells nothing
PROPOSING = 1.0  # seconds for each candidate: the sampler, the score and the store
FIDELITIES = (  # resolution, images (at most) and epochs, the best first
    *((64, images, epochs) for images, epochs in ((50_000, 27), (20_000, 27), (20_000, 18), (10_000, 18), (10_000, 9))),
    *((32, images, epochs) for images, epochs in ((20_000, 18), (10_000, 18), (10_000, 9), (5_000, 9), (5_000, 6))),
    *((32, images, epochs) for images, epochs in ((2_500, 9), (2_500, 6), (1_000, 9), (1_000, 6))),
)


@dataclass(frozen=True, kw_only=True)
class TimePlan:
    """What is trained, and how many seconds each part of the run is expected to take."""

    evaluator: LearnedAccuracy
    evaluations: int
    reading: float  # seconds for reading the images
    rate: float  # and for choosing the learning rate
    training: float
    candidates: float

    @property
    def seconds(self) -> float:
        """The expected time of the whole run."""
        return self.reading + self.rate + self.training + self.candidates

    @property
    def each(self) -> float:
        """The expected time between the ends of two trainings."""
        return self.training / self.evaluations

    def lines(self, budget: int) -> Iterator[str]:
        """The plan, for people."""
        fidelity = self.evaluator.fidelity
        yield f"  plan         {self.evaluations} real evaluations on {fidelity}: {duration(self.training)}"
        if self.reading >= NOTED:
            yield f"               reading the images: {duration(self.reading)}"
        if self.rate:
            yield f"               learning rate, from two short trainings: {duration(self.rate)}"
        yield f"               {budget} candidates, scored and measured: {duration(self.candidates)}"
        yield f"               together {duration(self.seconds)}"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a minute tells of this machine, of the space and of the data."""

    speed: Speed
    middling: Network  # the learning rate is chosen on it
    first: Sequence[Network]  # those that are trained first
    candidate: float  # seconds for one candidate
    train: int  # images
    valid: int
    image: float  # seconds for reading one

    def planned(self, evaluator: LearnedAccuracy, evaluations: int, budget: int) -> TimePlan:
        """The expected times of one fidelity."""
        train = min(evaluator.images or self.train, self.train)
        images = evaluator.epochs * train + speed.VALIDATION * self.valid

        def seconds(network: Network) -> float:
            return self.speed.start + self.speed.seconds(ours(network), evaluator.resolution, images)

        chosen = not evaluator.rate  # then the middling network is trained, and counts
        first = [evaluator.seeds * seconds(network) for network in self.first[: evaluations - chosen]]
        missing = evaluations - chosen - len(first)  # those of later rounds, which are like the first
        return TimePlan(
            evaluator=evaluator,
            evaluations=evaluations,
            reading=self.image * (train + self.valid),
            rate=chosen * ceil(len(MULTIPLES) / self.speed.parallel) * seconds(self.middling),
            training=self._together(first) + missing * sum(first) / len(first) / self.speed.parallel,
            candidates=budget * self.candidate,
        )

    def _together(self, seconds: Sequence[float]) -> float:
        """How long all of them take, as many at once as trainings run, each begun when another ends."""
        ends = [0.0] * self.speed.parallel
        for each in seconds:
            ends[ends.index(min(ends))] += each
        return max(ends)


def settled(config: Config, bench: Bench, store: Store, *, typed: str, fixed: bool) -> tuple[Config, TimePlan | None]:
    """The configuration with a fidelity and a number of real evaluations that fit into its hours, and their plan.

    Options in the proxy's text as the user `typed` it stay, and with `fixed` the number of evaluations does. Nothing is
    planned where nothing is trained or all of it was given.

    Raises:
        NegativeAnswer: not even the smallest sensible plan fits; the hint names its time.
    """
    evaluator = config.objectives[0]
    if not isinstance(evaluator, LearnedAccuracy):
        return config, None
    source = opened(evaluator.data, 32)
    options = list(_options(typed, evaluator, len(source.train), source.classes))
    if len(options) == 1 and evaluator.rate and not config.hours:
        return config, None
    if bench.lane:
        console.say(f"  {options[0].fidelity}: not planned, how fast the lane '{bench.lane}' trains is not known")
        return replace(config, proxy=options[0].spec), None
    console.say("  calibrating: how fast this machine trains and measures, about a minute")
    known = calibrated(config, evaluator, source, bench, store)
    plans = [
        known.planned(option, evaluations, config.budget)
        for evaluations in dict.fromkeys([config.evaluations, config.evaluations if fixed else FEWEST])
        for option in options
    ]
    plan = first_within(config.hours, plans)
    for line in plan.lines(config.budget):
        console.say(line)
    return replace(config, proxy=plan.evaluator.spec, evaluations=plan.evaluations), plan


def first_within(hours: float, plans: Sequence[TimePlan]) -> TimePlan:
    """The first plan that fits into the hours; 0 means an hour of trainings.

    Raises:
        NegativeAnswer: none fits.
    """
    for plan in plans:
        spent = plan.seconds if hours else plan.seconds - plan.candidates
        if spent <= 3600 * (hours or USUAL_HOURS):
            return plan
    least = min(plans, key=lambda plan: plan.seconds)
    needed = least.seconds / 3600
    raise NegativeAnswer(
        f"nothing sensible fits into {hours or USUAL_HOURS:g} hours here: the smallest plan, {least.evaluations} real "
        f"evaluations on {least.evaluator.fidelity}, takes {duration(least.seconds)}",
        f"give it the time: --hours {1.1 * needed:.2g}; or search smaller networks: --limit 'macs<=4G'",
    )


def calibrated(config: Config, evaluator: Fidelity, source: Source, bench: Bench, store: Store) -> Calibration:
    """Times trainings of a small and a middling network of the space, and the latencies of the middling one.

    Raises:
        NegativeAnswer: no network was found that keeps the limits.
    """
    sample = by_size(config)
    middling = sample[len(sample) // 2]
    first = first_round(config, max(FEWEST, config.evaluations // 2), config.seed, {middling.id})
    trainer = evaluators.get(evaluator.training, "accuracy")
    with exclusive(trainer.physical(), console.say):
        known = speed.measured([ours(sample[0]), ours(middling)], source.classes, trainer.at_once())
    return Calibration(
        speed=known,
        middling=middling,
        first=first,
        candidate=PROPOSING + _latencies(config, middling, bench, store),
        train=len(source.train),
        valid=len(source.valid),
        image=tried(source),
    )


def _latencies(config: Config, network: Network, bench: Bench, store: Store) -> float:
    """Seconds that a candidate's latencies take; they are kept."""
    began = time.perf_counter()
    for latency in config.objectives[1:]:
        try:
            measurement = bench.measure(latency, network)
        except MeasurementFailed:
            continue
        if measurement.metric.kind == "measured":
            store.remember(network, measurement)
    return time.perf_counter() - began


def _options(typed: str, evaluator: LearnedAccuracy, train: int, classes: int) -> Iterator[LearnedAccuracy]:
    """The evaluator at every fidelity of the list that agrees with the options of the proxy's text; the best first.

    `train` is the number of training images. As many or more of them mean all, which is written as 0; so do too few
    for so many classes.
    """
    given = _given(typed)
    seen: set[str] = set()
    for resolution, most, epochs in FIDELITIES:
        images = most if PER_CLASS * classes <= most < train else 0
        chosen: dict[str, Any] = {"resolution": resolution, "images": images, "epochs": epochs}
        option = replace(evaluator, **{name: value for name, value in chosen.items() if name not in given})
        if option.spec not in seen:
            seen.add(option.spec)
            yield option


def same_but_for_choices(requested: str, stored: str, typed: str) -> bool:
    """Whether a requested proxy is the stored one, apart from options that were not `typed`: the run chose them."""
    first, second = evaluators.get(requested, "accuracy"), evaluators.get(stored, "accuracy")
    if not (isinstance(first, Fidelity) and isinstance(second, Fidelity)):
        return requested == stored
    chosen = {"resolution", "images", "epochs", "rate"} - _given(typed)
    if first.trains:
        chosen &= {"rate"}
    taken = {field.name: getattr(second, field.name) for field in fields(first) if field.name in chosen}
    return type(first) is type(second) and replace(first, **taken) == second


def _given(typed: str) -> set[str]:
    """The names of the options in a proxy's text."""
    return {part.partition("=")[0] for part in typed.partition(":")[2].split(",")}
