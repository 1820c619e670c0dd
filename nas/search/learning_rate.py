"""One learning rate for all networks of a run, from two short trainings of a middling network of the space."""

from dataclasses import replace

import evaluators
from evaluators.core.measurement import Measurement
from evaluators.training.fidelity import USUAL_RATE, Fidelity
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import all_of
from nas import console
from nas.progress import progress
from nas.search.accuracy import by_size
from nas.search.config import Config
from results.store.store import Store
from search_spaces import Architecture

RATES = (USUAL_RATE, 3 * USUAL_RATE)


def with_rate(config: Config, bench: Bench, store: Store) -> str:
    """The proxy with one learning rate for all networks: the better of two for a middling one.

    Both trainings are as long as those of the first rung, and run at once where the machine has cores for it. A small
    network would bear a rate at which deep ones learn nothing. Where both are equally good, the lower one is taken. A
    rate given by the user stays. The results are stored: after an interruption, the same command resumes.

    Raises:
        NegativeAnswer: no random network keeps the limits.
    """
    evaluator = evaluators.get(config.proxy, "accuracy")
    if not isinstance(evaluator, Fidelity) or evaluator.rate:
        return config.proxy
    networks = by_size(config, "loosen one, or give the proxy a rate=")
    network = networks[len(networks) // 2]
    console.say(f"  choosing one learning rate for all networks, on a middling one: {network}")
    try:
        rate = _best_rate(evaluator, network, bench, store)
    except KeyboardInterrupt:
        console.say(f"interrupted; finished trainings are stored. Resume with:\n  {console.same_command()}")
        raise
    console.say(f"  learning rate {rate:g}")
    return replace(evaluator, rate=rate).spec


def _best_rate(evaluator: Fidelity, network: Architecture, bench: Bench, store: Store) -> float:
    """The rate of the highest accuracy; the lower one of equals, and where no training succeeded."""
    specs = (replace(evaluator, rate=rate, seeds=1).training for rate in RATES)
    trainers = dict(zip(RATES, (evaluators.get(spec, "accuracy") for spec in specs), strict=True))
    accuracies: dict[float, float] = {}
    for rate, trainer in trainers.items():
        if known := store.recall(network, trainer.context()):
            accuracies[rate] = known.value
    missing = [rate for rate in RATES if rate not in accuracies]
    with progress("choosing a learning rate", len(RATES)) as done:
        for index, outcome in all_of([(trainers[rate], network) for rate in missing], bench):
            console.say(f"    {network} at {missing[index]:g}: {outcome}")
            if isinstance(outcome, Measurement):  # else it diverged: another rate may not
                store.remember(network, outcome)
                accuracies[missing[index]] = outcome.value
            done(len(accuracies))
    return max(accuracies, key=lambda rate: (accuracies[rate], -rate), default=min(RATES))
