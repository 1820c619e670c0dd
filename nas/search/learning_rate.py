"""One learning rate for all networks of a run, from two short trainings of a small network of the space."""

from dataclasses import replace

import evaluators
from evaluators import Evaluator
from evaluators.core.measurement import Measurement
from evaluators.training.fidelity import USUAL_RATE, Fidelity
from evaluators.workers.bench import Bench
from nas import console
from nas.progress import progress
from nas.search.active_learning import TRANSIENT
from nas.search.config import Config
from nas.search.drawing import by_size
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed, NegativeAnswer

RATES = (USUAL_RATE, 2 * USUAL_RATE)


def with_rate(config: Config, bench: Bench, store: Store, expected: float = 0.0) -> str:
    """The proxy with one learning rate for all networks: the better of two for a small one.

    Both trainings are as long as those of the first rung. Large networks bear no higher rate than small ones: where
    both rates are equally good, the lower one is taken. A rate given by the user stays. The results are stored: after
    an interruption, the same command resumes. `expected` are the seconds of both, if they were estimated.

    Raises:
        NegativeAnswer: no network was found that keeps the limits, or a small one is at chance with both rates.
    """
    evaluator = evaluators.get(config.proxy, "accuracy")
    if not isinstance(evaluator, Fidelity) or evaluator.rate:
        return config.proxy
    network = by_size(config)[0]
    console.say(f"  choosing one learning rate for all networks, on a small one: {network}")
    try:
        rate = _best_rate(evaluator, network, bench, store, expected)
    except KeyboardInterrupt:
        console.say(f"interrupted; finished trainings are stored. Resume with:\n  {console.same_command()}")
        raise
    console.say(f"  learning rate {rate:g}")
    return replace(evaluator, rate=rate).spec


def _best_rate(evaluator: Fidelity, network: Architecture, bench: Bench, store: Store, expected: float) -> float:
    """The rate of the highest accuracy; the lower one of equals, and where no training succeeded."""
    trained: dict[float, Measurement] = {}
    with progress("choosing a learning rate", len(RATES), expected / len(RATES)) as done:
        for step, rate in enumerate(RATES, start=1):
            outcome = _trained(replace(evaluator, rate=rate, seeds=1), network, bench, store)
            console.say(f"    {network} at {rate:g}: {outcome}")
            if isinstance(outcome, Measurement):
                trained[rate] = outcome
            done(step)
    if trained and all(each.is_at_chance and (each.skill or 0) < TRANSIENT for each in trained.values()):
        raise NegativeAnswer(
            f"a small network has learnt nothing on {evaluator.fidelity}: at chance with every learning rate",
            "check the labels; give it more images or epochs; or name a learning rate yourself: --proxy ...rate=0.001",
        )
    return max(trained, key=lambda rate: (trained[rate].value, -rate), default=min(RATES))


def _trained(evaluator: Fidelity, architecture: Architecture, bench: Bench, store: Store) -> Measurement | str:
    """The accuracy of a trained network, from the store if it is there; or why the training failed."""
    trainer: Evaluator = evaluators.get(evaluator.training, "accuracy")
    if known := store.recall(architecture, trainer.context()):
        return known
    try:
        measurement = bench.measure(trainer, architecture)
    except MeasurementFailed as error:  # it diverged: another rate may not
        return error.cause
    store.remember(architecture, measurement)
    return measurement
