"""The samplers that are compared. Each is a generator that yields the networks to evaluate next, by their index.

It is sent the costs (n, 2) of all the networks that it has asked for so far, in that order. Parameters that Optuna's
samplers and mutation propose are projected: evaluated is the nearest network of the table that was not asked for yet.
"""

import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.search_efficiency.breeding import one_step
from benchmarks.search_efficiency.networks import Networks, Space
from nas.search.proposals import NOTHING, STARTUP_TRIALS
from nas.search.proposals import SAMPLERS as OPTUNA
from nas.search.screening.gain import boxes, expected_gain
from nas.search.screening.screening import MARGIN
from nas.search.screening.surrogate import Scales, Surrogate
from results.front import non_dominated

if TYPE_CHECKING:
    import optuna

Array = NDArray[np.float64]
Asking = Generator[list[int], Array, None]
GENERATION = 20  # of NSGA-II, whose first one is random
RANDOM, BATCH = 20, 10  # of the ridge regression: random networks first, then so many at a time
PENALTY = 1.0
GROWTH = 1.25
MOST = 1000  # evaluations of random search


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler, and how well it knows latencies beforehand: the relative error of a prediction, or None."""

    words: str
    ask: Callable[..., Asking]  # called with the networks and the seed
    latency: float | None = None
    open: bool = True  # whether it can ask for any network of a space, and not only for those of a table


def random(networks: Networks | Space, seed: int) -> Asking:
    """Uniform."""
    yield networks.drawn(seed, MOST)


def mutation(networks: Networks | Space, seed: int) -> Asking:
    """One-step mutations of random members of the front; no model."""
    rng = np.random.default_rng([seed, 2])
    asked = networks.drawn(seed, STARTUP_TRIALS)
    costs = yield asked.copy()
    while True:
        parent = asked[int(rng.choice(np.flatnonzero(non_dominated(costs))))]
        wanted = one_step(networks.parameters[parent], networks.choices, rng)
        asked.append(networks.nearest(wanted, asked, rng))
        costs = yield asked[-1:]


def by_optuna(name: str, start: int) -> Callable[..., Asking]:
    """A sampler of Optuna as `nas run` makes it, after `start` random networks; it learns both objectives."""

    def ask(networks: Networks | Space, seed: int) -> Asking:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        rng, first, asked = np.random.default_rng([seed, 2]), networks.drawn(seed, start), list[int]()
        space = _space(networks)
        study = optuna.create_study(directions=["minimize"] * 2, sampler=OPTUNA[name].make(seed, NOTHING))
        while True:
            trial = study.ask(space)
            attributes = dict(study.get_trials(deepcopy=False)[-1].system_attrs)  # NSGA-II's generation
            study.tell(trial, state=optuna.trial.TrialState.FAIL)  # its place is taken by the evaluated network
            wanted = np.array([int(trial.params[name]) for name in space])
            asked.append(first[len(asked)] if len(asked) < start else networks.nearest(wanted, asked, rng))
            costs = yield asked[-1:]
            evaluated = dict(zip(space, networks.parameters[asked[-1]].tolist(), strict=True))
            study.add_trial(
                optuna.trial.create_trial(
                    params=evaluated, distributions=dict(space), values=costs[-1].tolist(), system_attrs=attributes
                )
            )

    return ask


def _space(networks: Networks | Space) -> "dict[str, optuna.distributions.BaseDistribution]":
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return {
        f"{place:02}": CategoricalDistribution(range(count)) if networks.categorical else IntDistribution(0, count - 1)
        for place, count in enumerate(networks.choices.tolist())
    }


def _features(networks: Networks) -> Array:
    """One-hot parameters and log counts, standardised."""
    columns = [networks.parameters == choice for choice in range(networks.choices.max())]
    features = np.column_stack([*(column[:, column.any(0)] for column in columns), networks.counts])
    return np.asarray((features - features.mean(0)) / np.maximum(features.std(0), 1e-9))


def screen(networks: Networks | Space, seed: int) -> Asking:
    """The gain and the models of `screen`; its pool is the table, because what it would breed is hardly ever in it.

    The scales of a model are fitted again where there are a quarter more networks than at the last time.
    """
    if isinstance(networks, Space):  # all that it breeds exists
        yield from by_optuna("screen", STARTUP_TRIALS)(networks, seed)
        return
    features, asked = _features(networks), networks.drawn(seed, STARTUP_TRIALS)
    costs = yield asked.copy()
    models: dict[int, Scales] = {}
    while True:
        count = STARTUP_TRIALS
        while count * GROWTH <= len(asked):
            count = int(count * GROWTH) + 1
        predicted = [_known(networks) if index else None for index in range(costs.shape[1])]
        for index in range(costs.shape[1]):
            if predicted[index] is None:
                key = count * costs.shape[1] + index
                if key not in models:
                    models[key] = Surrogate(features[asked[:count]], costs[:count, index]).scales
                model = Surrogate(features[asked], costs[:, index], models[key])
                predicted[index] = model.predict(features)
        mean, spread = (np.column_stack([each[part] for each in predicted if each]) for part in (0, 1))
        reference = mean.max(0) + MARGIN * np.ptp(mean, axis=0)
        gains = expected_gain(mean, spread, *boxes(costs[non_dominated(costs)], reference))
        gains[asked] = -1.0
        asked.append(int(gains.argmax()))
        costs = yield asked[-1:]


def _known(networks: Networks) -> tuple[Array, Array] | None:
    """Latencies that are known beforehand, with their standard deviations."""
    if networks.latency is None:
        return None
    return networks.latency, networks.latency * networks.error


def ridge(networks: Networks, seed: int) -> Asking:
    """A ridge regression on one-hot parameters and log counts; batches from the front that it predicts."""
    rng = np.random.default_rng([seed, 2])
    features = _features(networks)
    asked = networks.drawn(seed, RANDOM)
    costs = yield asked.copy()
    while True:
        latency = networks.latency
        if latency is None:
            latency = np.exp(_regression(features[asked], np.log(costs[:, 1]), features))
        predicted = np.column_stack([_regression(features[asked], costs[:, 0], features), latency])
        batch = _from_front(predicted, asked, rng)
        asked += batch
        costs = yield batch


def _regression(x: Array, y: Array, everywhere: Array) -> Array:
    kernel = x @ x.T + PENALTY * np.eye(len(x))  # the dual form: fewer examples than features
    return np.asarray(y.mean() + everywhere @ (x.T @ np.linalg.solve(kernel, y - y.mean())))


def _from_front(predicted: Array, asked: list[int], rng: np.random.Generator) -> list[int]:
    """A batch from the predicted front of the networks not asked for yet; if that is small, from the next ones."""
    left, batch = np.setdiff1d(np.arange(len(predicted)), asked), list[int]()
    while len(batch) < BATCH and len(left):
        front = left[non_dominated(predicted[left])]
        batch += rng.permutation(front)[: BATCH - len(batch)].tolist()
        left = np.setdiff1d(left, front)
    return batch


SAMPLERS = {
    "screen": Sampler(words="screen, latency known", ask=screen, latency=0.0, open=False),
    "screen-5": Sampler(words="screen, latency known with 5 % error", ask=screen, latency=0.05, open=False),
    "screen-learnt": Sampler(words="screen, latency learnt", ask=screen),
    "random": Sampler(words="random", ask=random),
    "mutation": Sampler(words="mutation of the front", ask=mutation),
    "tpe": Sampler(words="TPE, multivariate", ask=by_optuna("tpe", STARTUP_TRIALS)),
    "nsga2": Sampler(words="NSGA-II, population 20", ask=by_optuna("nsga2", GENERATION)),
    "gp": Sampler(words="Gaussian process", ask=by_optuna("gp", STARTUP_TRIALS)),
    "ridge": Sampler(words="ridge replay, latency known", ask=ridge, latency=0.0, open=False),
    "ridge-learnt": Sampler(words="ridge replay, latency learnt", ask=ridge, open=False),
}
