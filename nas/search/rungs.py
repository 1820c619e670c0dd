"""From a short training to longer ones: the best of a run climb, each rung trained anew on a schedule of its own.

Promoted are the third that is best by Pareto rank, and one random network more: without it, a rung could never be told
how well the rung below ranks. Networks on the last rung are trained with several seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators import Evaluator, Measurement
from evaluators.accuracy.train import Train
from evaluators.statistics import ranking
from nas.search.teaching import mean_skill
from results import front
from results.store.record import Run, Trial

FACTOR = 3  # between rungs, in epochs and in networks
RUNGS = 3
LAST_SEEDS = 2
FEWEST = 3  # networks, below which climbing ends

TrainAll = Callable[[Evaluator, Sequence[Trial]], dict[int, Measurement]]  # by trial, those that did not fail


@dataclass(frozen=True, kw_only=True)
class Rung:
    """What one rung found: its evaluator, the trained networks by trial, and how the rung below had ranked them."""

    evaluator: Train
    found: dict[int, Measurement]
    tau: float | None
    visitor: int | None  # the random one
    failed: int

    @property
    def skill(self) -> float:
        """The mean skill of its networks."""
        return mean_skill(self.found.values())

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        ranked = "" if self.tau is None else f"; the rung below ranked them with tau {self.tau:.2f}"
        seeds = f", {self.evaluator.seeds} seeds" if self.evaluator.seeds > 1 else ""
        lost = f", {self.failed} failed" if self.failed else ""
        return (
            f"rung of {self.evaluator.epochs} epochs{seeds}: {len(self.found)} networks{lost}, "
            f"mean skill {self.skill:.2f}{ranked}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "evaluator": self.evaluator.spec,
            "found": {number: found.to_dict() for number, found in self.found.items()},
            "tau": self.tau,
            "visitor": self.visitor,
            "failed": self.failed,
            "skill": self.skill,
        }


def promoted(run: Run, values: dict[int, Measurement], random: np.random.Generator) -> tuple[list[Trial], Trial | None]:
    """The best third by Pareto rank of accuracy and latency, and one random network of the others."""
    trials = [trial for trial in run.feasible() if trial.number in values]
    points = [(values[trial.number].value, *run.point(trial)[1:]) for trial in trials]
    costs = front.as_costs(points, run.objectives)
    count = max(1, len(trials) // FACTOR)
    chosen = [trials[index] for index in _by_rank(costs)[:count]]
    others = [trial for trial in trials if trial not in chosen]
    return chosen, others[int(random.integers(len(others)))] if others else None


def _by_rank(costs: front.Points) -> list[int]:
    """Indices front after front; within one, the highest accuracy first."""
    left, order = np.arange(len(costs)), []
    while len(left):
        keep = front.non_dominated(costs[left])
        members = left[keep]
        order += members[np.argsort(costs[members, 0], kind="stable")].tolist()
        left = left[~keep]
    return order


def climb(run: Run, lowest: Train, train: TrainAll, seed: int) -> "list[Rung]":
    """Trains the best on the rungs above the run's own, until the last rung or until too few are left."""
    random = np.random.default_rng([seed, len(run.trials)])
    values = {trial.number: trial.measurements[lowest.spec] for trial in run.feasible()}
    rungs: list[Rung] = []
    for step in range(1, RUNGS):
        chosen, visitor = promoted(run, values, random)
        if len(chosen) < FEWEST:
            break
        last = step == RUNGS - 1 or len(chosen) // FACTOR < FEWEST
        seeds = max(lowest.seeds, LAST_SEEDS) if last else lowest.seeds
        evaluator = replace(lowest, epochs=lowest.epochs * FACTOR**step, seeds=seeds)
        climbing = chosen + ([visitor] if visitor else [])
        found = train(evaluator, climbing)
        if not found:
            break
        rungs.append(
            Rung(
                evaluator=evaluator,
                found=found,
                tau=_agreement(values, found),
                visitor=visitor.number if visitor else None,
                failed=len(climbing) - len(found),
            )
        )
        values = found
    return rungs


def _agreement(below: dict[int, Measurement], above: dict[int, Measurement]) -> float | None:
    numbers: Sequence[int] = sorted(above)
    if len(numbers) < FEWEST:
        return None
    first, second = (np.array([each[number].value for number in numbers]) for each in (below, above))
    return ranking.tau(first, second)
