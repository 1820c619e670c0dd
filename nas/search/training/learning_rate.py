"""One learning rate for all networks of a run, from two short trainings of a middling network of the space."""

from dataclasses import replace

import evaluators
from evaluators.core.measurement import Measurement
from evaluators.training.fidelity import Fidelity
from evaluators.workers.bench import Bench
from evaluators.workers.parallel import all_of
from nas import console
from nas.progress import progress
from nas.search.config import Config
from nas.search.drawing import by_size
from nas.search.training.active_learning import TRANSIENT
from results.store.store import Store
from search_spaces import Network
from search_spaces.common.errors import NegativeAnswer

MULTIPLES = (1, 3)  # of the usual rate


def with_rate(config: Config, bench: Bench, store: Store, expected: float = 0.0) -> str:
    """The proxy with one learning rate for all networks: the better of two for a middling one.

    Both trainings are as long as those of the first rung, and run at once where the machine has cores for it. A small
    network would bear a rate at which deep ones learn nothing. Where both are equally good, the lower one is taken. A
    rate given by the user stays. The results are stored: after an interruption, the same command resumes. `expected`
    are the seconds that this takes, if they were estimated.

    Raises:
        NegativeAnswer: no network was found that keeps the limits, or a small one is at chance with both rates.
    """
    evaluator = evaluators.get(config.proxy, "accuracy")
    if not isinstance(evaluator, Fidelity) or evaluator.rate:
        return config.proxy
    networks = by_size(config)
    network = networks[len(networks) // 2]
    console.say(f"  choosing one learning rate for all networks, on a middling one: {network}")
    try:
        rate = _best_rate(evaluator, network, bench, store, expected)
    except KeyboardInterrupt:
        console.say(f"interrupted; finished trainings are stored. Resume with:\n  {console.same_command()}")
        raise
    console.say(f"  learning rate {rate:g}")
    return replace(evaluator, rate=rate).spec


def _best_rate(evaluator: Fidelity, network: Network, bench: Bench, store: Store, expected: float) -> float:
    """The rate of the highest accuracy; the lower one of equals, and where no training succeeded."""
    rates = [round(multiple * evaluator.usual_rate, 6) for multiple in MULTIPLES]
    specs = (replace(evaluator, rate=rate, seeds=1).training for rate in rates)
    trainers = dict(zip(rates, (evaluators.get(spec, "accuracy") for spec in specs), strict=True))
    trained: dict[float, Measurement] = {}
    for rate, trainer in trainers.items():
        if known := store.recall(network, trainer.context()):
            trained[rate] = known
    missing = [rate for rate in rates if rate not in trained]
    with progress("choosing a learning rate", len(rates), expected / len(rates)) as done:
        for index, outcome in all_of([(trainers[rate], network) for rate in missing], bench):
            console.say(f"    {network} at {missing[index]:g}: {outcome}")
            if isinstance(outcome, Measurement):  # else it diverged: another rate may not
                store.remember(network, outcome)
                trained[missing[index]] = outcome
            done(len(trained))
    if trained and all(each.is_at_chance and (each.skill or 0) < TRANSIENT for each in trained.values()):
        raise NegativeAnswer(
            f"a middling network has learnt nothing on {evaluator.fidelity}: at chance with every learning rate",
            "check the labels; give it more images or epochs; or name a learning rate yourself: --proxy ...rate=0.0003",
        )
    return max(trained, key=lambda rate: (trained[rate].value, -rate), default=min(rates))
