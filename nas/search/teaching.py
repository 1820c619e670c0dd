"""Real evaluations for a run whose accuracy is predicted: which networks are trained, when, and what is learnt.

A run begins with a first lesson: networks that structure puts on the front, and random ones. At each third of the
budget another follows: networks of the run's own front and those that may well belong to it. After each lesson the
prediction is fitted anew, and every network of the run is predicted anew, so that all of them are judged by the same.
"""

from collections.abc import Iterable, Sequence

import numpy as np

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.accuracy.auto import Auto, Taught
from evaluators.prediction.features import matrix
from evaluators.prediction.fusion import Fusion
from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import together
from nas import console
from nas.progress import progress
from nas.search.accuracy import DRAWS, within_limits
from nas.search.config import Config
from results.store.record import Run
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

TRANSIENT = 0.3  # mean skill below which networks are still learning to learn: their order would mean nothing
POOL = 60  # random networks among which the first ones are chosen
BY_STRUCTURE = 0.3  # of the first lesson: those that structure prefers at each size; the rest is random
LESSONS = 3


class Teaching:
    """What a run's prediction has learnt, and from which networks it will learn next."""

    def __init__(self, store: Store, name: str, auto: Auto, config: Config) -> None:
        self.store, self.name, self.config = store, name, config
        self.auto, self.teacher = auto, evaluators.get(auto.training, "accuracy")
        if pinned := store.taught(name, auto.spec):
            self.auto = self._fitted([pair for pair in self.known() if pair[0].id in pinned])

    def known(self) -> list[tuple[Architecture, Measurement]]:
        """Every network that was ever really evaluated at this fidelity."""
        return self.store.measured(self.teacher.spec).get(self.teacher.context(), [])

    def due(self, finished: int) -> int:
        """How many real evaluations there are to be after so many candidates."""
        evaluations = self.config.evaluations
        first = max(FEWEST, evaluations // 2)
        lesson = min(LESSONS - 1, finished * LESSONS // self.config.budget)
        return first + (evaluations - first) * lesson // (LESSONS - 1)

    def lesson(self, run: Run, bench: Bench, seed: int) -> bool:
        """Trains what is due, and learns from it; says whether anything was learnt anew.

        Raises:
            NegativeAnswer: the networks have learnt too little for their order to mean anything.
        """
        due = self.due(sum(trial.state != "running" for trial in run.trials))
        if self.auto.taught and due <= len(self.auto.taught.networks):
            return False  # asked before every candidate: without a look into the database
        missing = due - len(self.known())
        if self.auto.taught and missing <= 0:
            return False
        failures = 0
        while missing > 0 and failures < FEWEST:
            chosen = self._next(run, missing, seed + failures)
            with progress("training networks to learn from", len(chosen)) as done:
                for number, (architecture, found) in enumerate(together(self.teacher, chosen, bench), start=1):
                    failures += not self._kept(architecture, found)
                    done(number)
            missing = due - len(self.known())
        pairs = self.known()
        check_transient([each for _, each in pairs], self.teacher.spec)
        self.auto = self._fitted(pairs)
        for trial in run.succeeded():
            told = self.auto.measure(trial.architecture)
            if not self.store.recall(trial.architecture, told.context):
                self.store.remember(trial.architecture, told)
        assert self.auto.taught
        console.say(f"  learnt from {len(pairs)} real evaluations: {self.auto.taught.fusion.validity.sentence}")
        self.store.believe(self.name, self.auto.spec, self.auto.context(), [pair[0].id for pair in pairs])
        return True

    def _kept(self, architecture: Architecture, found: Measurement | MeasurementFailed) -> bool:
        if isinstance(found, MeasurementFailed):
            console.say(f"  real evaluation of {architecture} failed: {found.cause}")
            return False
        self.store.remember(architecture, found)
        console.say(f"  really evaluated {len(self.known())} of {self.config.evaluations}: {architecture}  {found}")
        return True

    def _next(self, run: Run, count: int, seed: int) -> list[Architecture]:
        """The networks to train: of the run's own where it has some, else of the space.

        Raises:
            NegativeAnswer: the limits leave no network that was not trained yet.
        """
        known = {architecture.id for architecture, _ in self.known()}
        random = np.random.default_rng([seed, len(known)])
        trials = [trial for trial in run.succeeded() if trial.architecture.id not in known]
        if self.auto.taught and len(trials) >= count:
            upper = np.array([trial.measurements[self.auto.spec].upper for trial in trials])
            cost = np.array([run.point(trial)[1] for trial in trials])
            return [trials[index].architecture for index in ranking.front_choice(upper, cost, count, [], random)]
        pool = within_limits(self.config, POOL, seed, known)
        if not pool:
            raise NegativeAnswer(
                f"none of {DRAWS} random networks keeps the limits and is new; {len(known)} were really evaluated, "
                f"{self.config.evaluations} are wanted",
                f"loosen a limit, or ask for fewer: --train {max(FEWEST, len(known))}",
            )
        rows = [self.auto.row(architecture) for architecture in pool]
        prior = np.array([row["log_sum_of_widths"] for row in rows])
        cost = np.array([row["log_macs"] for row in rows])
        chosen = ranking.front_choice(prior, cost, round(BY_STRUCTURE * count), [], random)
        rest = np.setdiff1d(np.arange(len(pool)), chosen)
        chosen += random.permutation(rest)[: count - len(chosen)].tolist()
        return [pool[index] for index in chosen]

    def _fitted(self, pairs: Sequence[tuple[Architecture, Measurement]]) -> Auto:
        values, names = matrix([self.auto.row(architecture) for architecture, _ in pairs])
        accuracies = np.array([measured.value for _, measured in pairs])
        fusion = Fusion(values, accuracies, names, bounds=self.auto.bounds)
        return self.auto.learning(Taught(networks=tuple(a.id for a, _ in pairs), fusion=fusion))


def mean_skill(trained: Iterable[Measurement]) -> float:
    """How far trained networks came from guessing, on average."""
    return float(np.mean([each.skill for each in trained if each.skill is not None]))


def check_transient(trained: Sequence[Measurement], spec: str) -> float:
    """The mean skill of trained networks.

    Raises:
        NegativeAnswer: it is so low that ranking them would be meaningless.
    """
    skill = mean_skill(trained)
    if skill < TRANSIENT:
        raise NegativeAnswer(
            f"the {len(trained)} networks trained by {spec} reached a mean skill of {skill:.2f}: 0 is guessing, 1 "
            f"is perfect; below {TRANSIENT} they differ in how soon they begin to learn, and their order means nothing",
            "train longer (epochs=...), on more images, or at a lower resolution",
        )
    return skill


def is_untaught(evaluator: Evaluator) -> bool:
    """Whether an evaluator has to be taught by real evaluations before it can say anything."""
    return isinstance(evaluator, Auto) and not evaluator.taught
