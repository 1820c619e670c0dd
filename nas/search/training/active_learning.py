"""Active learning for a run whose accuracy is predicted: which networks are trained, and when.

The first round, before the first candidate, trains networks that structure puts on the front, and random ones. A
further round at each third of the budget trains networks of the run's own front and those that may belong to it. After
each round the prediction is fitted again and predicts every network of the run again: the same models judge all.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

import evaluators
from evaluators import Measurement
from evaluators.prediction.features import matrix, structure
from evaluators.prediction.fusion import Fusion
from evaluators.prediction.learned_accuracy import Fit, LearnedAccuracy
from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import together
from nas import console
from nas.progress import progress
from nas.search.config import Config
from nas.search.drawing import within_limits
from results.store.record import Run
from results.store.store import Store
from search_spaces import Network
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

TRANSIENT = 0.3  # mean skill below which networks have only begun to learn: their order means nothing
POOL = 60  # random networks from which the first round chooses
BY_STRUCTURE = 0.3  # of the first round: those that structure prefers at each size; the rest is random
ROUNDS = 3


class ActiveLearning:
    """The prediction of a run, fitted on the networks trained so far, and the choice of those to train next."""

    def __init__(self, store: Store, name: str, evaluator: LearnedAccuracy, config: Config) -> None:
        self.store, self.name, self.config = store, name, config
        self.evaluator, self.trainer = evaluator, evaluators.get(evaluator.training, "accuracy")
        if pinned := store.taught(name, evaluator.spec):
            self.evaluator = self._fitted([pair for pair in self.trained() if pair[0].id in pinned])

    def trained(self) -> list[tuple[Network, Measurement]]:
        """Every network of the database that was trained at this fidelity, by any run."""
        pairs = self.store.measured(self.trainer.spec).get(self.trainer.context(), [])
        return [(network, measurement) for network, measurement in pairs if not self.evaluator.refuses(network)]

    def due(self, finished: int) -> int:
        """How many networks are to be trained by the time that so many candidates are finished."""
        evaluations = self.config.evaluations
        first = max(FEWEST, evaluations // 2)
        further = min(ROUNDS - 1, finished * ROUNDS // self.config.budget)
        return first + (evaluations - first) * further // (ROUNDS - 1)

    def is_due(self, finished: int) -> bool:
        """Whether networks are to be trained before a candidate follows so many."""
        return not self.evaluator.fit or self.due(finished) > len(self.evaluator.fit.networks)

    def round(self, run: Run, bench: Bench, seed: int) -> bool:
        """Trains the networks that are due and fits the prediction again. Returns whether it changed.

        Raises:
            NegativeAnswer: no network could be trained, or they have learnt too little to be ranked.
        """
        finished = sum(trial.state != "running" for trial in run.trials)
        if not self.is_due(finished):
            return False
        due = self.due(finished)
        missing, failures = due - len(self.trained()), 0
        while missing > 0 and failures < FEWEST:
            failures += self._train(self._next(run, missing, seed + failures), bench)
            missing = due - len(self.trained())
        if not self.trained():
            raise NegativeAnswer(
                f"{failures} networks were to be trained by {self.trainer.spec}, and none could be",
                "the causes are above: remove them",
            )
        self._fit(run, self.trained())
        return True

    def _train(self, architectures: Sequence[Network], bench: Bench) -> int:
        """Trains networks into the store. Returns how many failed."""
        failures = 0
        with progress("training networks to learn from", len(architectures), self._expected()) as done:
            for number, (architecture, outcome) in enumerate(together(self.trainer, architectures, bench), start=1):
                if isinstance(outcome, MeasurementFailed):
                    failures += 1
                    console.say(f"  training {architecture} failed: {outcome.cause}")
                else:
                    self.store.remember(architecture, outcome)
                    count = f"{len(self.trained())} of {self.config.evaluations}"
                    console.say(f"  trained {count}: {architecture}  {outcome}")
                done(number)
        return failures

    def _expected(self) -> float:
        """The seconds from the end of one training to the next: from earlier ones, or by the time plan."""
        if trained := self.trained():
            return float(np.mean([measurement.seconds for _, measurement in trained])) / self.trainer.at_once()
        return float(self.store.config(self.name).get("training_seconds", 0))

    def _fit(self, run: Run, pairs: Sequence[tuple[Network, Measurement]]) -> None:
        """Fits the prediction on trained networks, and predicts every network of the run again."""
        check_transient([measurement for _, measurement in pairs], self.trainer.spec)
        self.evaluator = self._fitted(pairs)
        for trial in run.succeeded():
            prediction = self.evaluator.measure(trial.architecture)
            if not self.store.recall(trial.architecture, prediction.context):
                self.store.remember(trial.architecture, prediction)
        assert self.evaluator.fit
        console.say(f"  learnt from {len(pairs)} trained networks: {self.evaluator.fit.fusion.validity.sentence}")
        networks = [architecture.id for architecture, _ in pairs]
        self.store.believe(self.name, self.evaluator.spec, self.evaluator.context(), networks)

    def _next(self, run: Run, count: int, seed: int) -> list[Network]:
        """The networks to train: the run's own once it has enough of them, random ones of the space before.

        Raises:
            NegativeAnswer: no untrained network was found that keeps the limits.
        """
        trained = {architecture.id for architecture, _ in self.trained()}
        random = np.random.default_rng([seed, len(trained)])
        trials = [trial for trial in run.succeeded() if trial.architecture.id not in trained]
        if self.evaluator.fit and len(trials) >= count:
            upper = np.array([trial.measurements[self.evaluator.spec].details["upper"] for trial in trials])
            cost = np.array([run.point(trial)[1] for trial in trials])
            return [trials[index].architecture for index in ranking.front_choice(upper, cost, count, [], random)]
        return first_round(self.config, count, seed, trained)

    def _fitted(self, pairs: Sequence[tuple[Network, Measurement]]) -> LearnedAccuracy:
        values, names = matrix([self.evaluator.row(architecture) for architecture, _ in pairs])
        accuracies = np.array([measurement.value for _, measurement in pairs])
        fusion = Fusion(values, accuracies, names, bounds=self.evaluator.bounds)
        return self.evaluator.fitted(Fit(networks=tuple(a.id for a, _ in pairs), fusion=fusion))


def first_round(config: Config, count: int, seed: int, trained: Collection[str]) -> list[Network]:
    """The networks to train before there is a prediction: some that structure prefers at each size, others at random.

    Raises:
        NegativeAnswer: no untrained network keeps the limits.
    """
    pool = within_limits(config, POOL, seed, trained)
    if not pool:
        raise NegativeAnswer(
            f"no further network was found that keeps the limits; {len(trained)} were trained, "
            f"{config.evaluations} are wanted",
            f"loosen a limit, or ask for fewer: --train {max(FEWEST, len(trained))}",
        )
    random = np.random.default_rng([seed, len(trained)])
    rows = [structure(architecture) for architecture in pool]
    widths = np.array([row["log_sum_of_widths"] for row in rows])
    cost = np.array([row["log_macs"] for row in rows])
    indices = ranking.front_choice(widths, cost, round(BY_STRUCTURE * count), [], random)
    rest = np.setdiff1d(np.arange(len(pool)), indices)
    indices += random.permutation(rest)[: count - len(indices)].tolist()
    return [pool[index] for index in indices]


def mean_skill(trained: Iterable[Measurement]) -> float:
    """The mean skill of trained networks: 0 is guessing, 1 is perfect."""
    return float(np.mean([measurement.details["skill"] for measurement in trained]))


def check_transient(trained: Sequence[Measurement], spec: str) -> float:
    """The mean skill of trained networks.

    Raises:
        NegativeAnswer: it is so low that their ranking means nothing.
    """
    skill = mean_skill(trained)
    if skill < TRANSIENT:
        raise NegativeAnswer(
            f"the {len(trained)} networks trained by {spec} reached a mean skill of {skill:.2f}: 0 is guessing, 1 "
            f"is perfect; below {TRANSIENT} they differ in how soon they begin to learn, and their order means nothing",
            "train longer (epochs=...), on more images, or at a lower resolution",
        )
    return skill
