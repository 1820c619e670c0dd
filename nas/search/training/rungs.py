"""Successive halving: the best networks of a run are trained longer, rung by rung, from scratch on each.

A rung takes the best third of the rung below by Pareto rank, and one random network of the rest as a control: without
it, the run could not tell how well the rung below ranks. The last rung trains with several seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators import Evaluator, Measurement
from evaluators.statistics import ranking
from evaluators.training.fidelity import Fidelity
from nas.search.training.active_learning import mean_skill
from results import front
from results.store.record import Run, Trial

FACTOR = 3  # between rungs: so many times the epochs, and so many times fewer networks
RUNGS = 3
LAST_SEEDS = 2
FEWEST = 3  # networks: with fewer, no further rung is trained

TrainAll = Callable[[Evaluator, Sequence[Trial]], dict[int, Measurement]]  # by trial, without those that failed


@dataclass(frozen=True, kw_only=True)
class Rung:
    """The result of one rung."""

    evaluator: Fidelity
    trained: dict[int, Measurement]  # by the number of the trial
    tau: float | None  # Kendall's, between the ranking of the rung below and this one
    control: int | None  # the trial that was promoted at random
    failed: int

    @property
    def skill(self) -> float:
        """The mean skill of its networks."""
        return mean_skill(self.trained.values())

    @property
    def sentence(self) -> str:
        """The result in one line, for people."""
        ranked = "" if self.tau is None else f"; the rung below ranked them with tau {self.tau:.2f}"
        seeds = f", {self.evaluator.seeds} seeds" if self.evaluator.seeds > 1 else ""
        failed = f", {self.failed} failed" if self.failed else ""
        return (
            f"rung of {self.evaluator.epochs} epochs{seeds}: {len(self.trained)} networks{failed}, "
            f"mean skill {self.skill:.2f}{ranked}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "evaluator": self.evaluator.spec,
            "found": {number: measurement.to_dict() for number, measurement in self.trained.items()},
            "tau": self.tau,
            "visitor": self.control,
            "failed": self.failed,
            "skill": self.skill,
        }


def promoted(
    run: Run, accuracies: Mapping[int, Measurement], random: np.random.Generator
) -> tuple[list[Trial], Trial | None]:
    """The best third by Pareto rank of accuracy and latency, and one random network of the others."""
    trials = [trial for trial in run.feasible() if trial.number in accuracies]
    points = [(accuracies[trial.number].value, *run.point(trial)[1:]) for trial in trials]
    costs = front.as_costs(points, run.objectives)
    count = max(1, len(trials) // FACTOR)
    best = [trials[index] for index in _by_rank(costs)[:count]]
    others = [trial for trial in trials if trial not in best]
    return best, others[int(random.integers(len(others)))] if others else None


def _by_rank(costs: front.Points) -> list[int]:
    """Indices front after front; within a front, the highest accuracy first."""
    left, order = np.arange(len(costs)), []
    while len(left):
        keep = front.non_dominated(costs[left])
        members = left[keep]
        order += members[np.argsort(costs[members, 0], kind="stable")].tolist()
        left = left[~keep]
    return order


def climb(run: Run, lowest: Fidelity, train: TrainAll, seed: int) -> "list[Rung]":
    """Trains the best on the rungs above the run's own, until the last rung or until too few are left."""
    random = np.random.default_rng([seed, len(run.trials)])
    accuracies = {trial.number: trial.measurements[lowest.spec] for trial in run.feasible()}
    rungs: list[Rung] = []
    for step in range(1, RUNGS):
        best, control = promoted(run, accuracies, random)
        if len(best) < FEWEST:
            break
        is_last = step == RUNGS - 1 or len(best) // FACTOR < FEWEST
        seeds = max(lowest.seeds, LAST_SEEDS) if is_last else lowest.seeds
        evaluator = replace(lowest, epochs=lowest.epochs * FACTOR**step, seeds=seeds)
        trials = best + ([control] if control else [])
        trained = train(evaluator, trials)
        if not trained:
            break
        rungs.append(
            Rung(
                evaluator=evaluator,
                trained=trained,
                tau=_agreement(accuracies, trained),
                control=control.number if control else None,
                failed=len(trials) - len(trained),
            )
        )
        accuracies = trained
    return rungs


def saving(lowest: Fidelity, count: int, rungs: Sequence[Rung]) -> str:
    """What the rungs saved against training all `count` networks of the run on the last one, as a sentence."""
    last = rungs[-1].evaluator
    spent = _epochs(lowest, count) + sum(_epochs(rung.evaluator, len(rung.trained)) for rung in rungs)
    every = _epochs(last, count)
    return (
        f"the rungs took {spent} epochs of training; {count} networks on the last rung would have taken {every}, "
        f"{every / spent:.1f} times as many"
    )


def _epochs(evaluator: Fidelity, count: int) -> int:
    return evaluator.epochs * evaluator.seeds * count


def _agreement(below: Mapping[int, Measurement], above: Mapping[int, Measurement]) -> float | None:
    numbers = sorted(above)
    if len(numbers) < FEWEST:
        return None
    first, second = (np.array([rung[number].value for number in numbers]) for rung in (below, above))
    return ranking.tau(first, second)
