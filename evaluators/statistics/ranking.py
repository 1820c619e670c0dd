"""How well does one list of numbers rank another, and what does choosing by it cost?

Rank correlation is what papers report; regret under a latency budget is what a user loses. NAS-Bench-201's NWOT ranks
better than the number of parameters and loses more than twice as much at a given latency. Higher scores are better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics import intervals

Vector = NDArray[np.float64]
FEWEST = 10  # networks whose accuracy is known, before a ranking counts as checked at all
BUDGETS = 10
BOOTSTRAPS = 1000
LARGE = 2000  # networks, beyond which fewer bootstraps are drawn: their intervals are narrow


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def tau(score: Vector, truth: Vector) -> float:
    """Kendall's tau-b, which allows for ties; 0 for a constant score, which ranks nothing."""
    from scipy.stats import kendalltau

    found = float(kendalltau(score, truth).statistic)
    return found if np.isfinite(found) else 0.0


def rho(score: Vector, truth: Vector) -> float:
    """Spearman's rho; 0 for a constant score."""
    from scipy.stats import spearmanr

    if np.ptp(score) == 0 or np.ptp(truth) == 0:
        return 0.0
    return float(spearmanr(score, truth).statistic)


def partial_tau(score: Vector, truth: Vector, controls: Vector) -> float:
    """What is left of tau when structure is known: between the residuals of a ridge of both on `controls` (n, c).

    Score and truth enter as normal scores of their ranks, so that no unit and no outlier matters.
    """
    return tau(_residual(score, controls), _residual(truth, controls))


def grouped_tau(score: Vector, truth: Vector, size: Vector, groups: int = 5) -> float:
    """The mean tau inside groups of equal size (quintiles of MACs): who is better among networks as large?"""
    parts = np.array_split(np.argsort(size, kind="stable"), groups)
    return float(np.mean([tau(score[part], truth[part]) for part in parts if len(part) > 2]))


def budgets(cost: Vector, count: int = BUDGETS) -> Vector:
    """Latency budgets: the deciles of the networks' latencies, the slowest network's the last."""
    return np.quantile(cost, np.linspace(1 / count, 1, count))


def regrets(score: Vector, truth: Vector, cost: Vector, k: int = 1) -> Vector:
    """For each of ten budgets: the best feasible accuracy minus the best of the k that the score puts first."""
    lost = []
    for budget in budgets(cost):
        feasible = np.flatnonzero(cost <= budget)
        first = feasible[np.argsort(-score[feasible], kind="stable")[:k]]
        lost.append(truth[feasible].max() - truth[first].max())
    return np.array(lost)


def random_regrets(truth: Vector, cost: Vector, k: int = 1) -> Vector:
    """What k random feasible networks, evaluated truly, lose on average at each budget: an exact expectation."""
    lost = []
    for budget in budgets(cost):
        ordered = np.sort(truth[cost <= budget])
        n = len(ordered)
        below = (np.arange(1, n + 1) / n) ** k  # the chance that the best of k is at most the i-th
        lost.append(ordered[-1] - float(ordered @ np.diff(below, prepend=0.0)))
    return np.array(lost)


def bootstrap(statistic: Callable[[NDArray[np.intp]], float], count: int, seed: int = 0) -> Interval:
    """A statistic of networks (given by index) with its 95 % interval over networks drawn with replacement."""
    random = np.random.default_rng(seed)
    draws = BOOTSTRAPS if count <= LARGE else BOOTSTRAPS // 10
    found = [statistic(random.integers(count, size=count)) for _ in range(draws)]
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(value=statistic(np.arange(count)), low=float(low), high=float(high))


def tau_interval(score: Vector, truth: Vector) -> Interval:
    """tau with its interval."""
    return bootstrap(lambda chosen: tau(score[chosen], truth[chosen]), len(truth))


def tau_gain(score: Vector, other: Vector, truth: Vector) -> Interval:
    """How much more tau a score has than another, with a paired interval: both on the same networks each time."""
    return bootstrap(lambda i: tau(score[i], truth[i]) - tau(other[i], truth[i]), len(truth))


def p_value(gain: Interval) -> float:
    """How likely a gain as large would be by chance, either way; from the width of its bootstrap interval."""
    from scipy.stats import norm

    error = (gain.high - gain.low) / (2 * intervals.normal())
    return float(2 * norm.sf(abs(gain.value) / error)) if error > 0 else float(gain.value == 0)


def noise_ceiling(accuracies: Vector) -> float | None:
    """tau between seeds (n, seeds), averaged over pairs: what a perfect score of one seed would reach; None for one."""
    seeds = accuracies.shape[1]
    pairs = [(a, b) for a in range(seeds) for b in range(a)]
    return float(np.mean([tau(accuracies[:, a], accuracies[:, b]) for a, b in pairs])) if pairs else None


def ranks(values: Vector) -> Vector:
    """1 for the lowest; ties share their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=float)


def normal_scores(values: Vector) -> Vector:
    """Ranks spread like a normal distribution."""
    from scipy.stats import norm

    return np.asarray(norm.ppf((ranks(values) - 0.5) / len(values)))


def _residual(values: Vector, controls: Vector) -> Vector:
    columns = [normal_scores(column) for column in controls.T if np.ptp(column) > 0]
    design = np.column_stack([*columns, np.ones(len(values))])
    target = normal_scores(values)
    weights = np.linalg.lstsq(design, target, rcond=None)[0]
    return np.asarray(np.round(target - design @ weights, 12))


def front_choice(
    upper: Vector, cost: Vector, count: int, taken: Sequence[int], random: np.random.Generator
) -> list[int]:
    """Networks worth a real evaluation: at budgets in random order, the highest `upper` bound not taken yet.

    Fewer than `count` only where no more are left.
    """
    chosen: list[int] = []
    for budget in random.permutation(budgets(cost, max(count, BUDGETS))):
        free = np.setdiff1d(np.flatnonzero(cost <= budget), [*taken, *chosen])
        if len(free) and len(chosen) < count:
            chosen.append(int(free[np.argmax(upper[free])]))
    free = np.setdiff1d(np.arange(len(upper)), [*taken, *chosen])  # small budgets may have nothing left
    rest = free[np.argsort(-upper[free], kind="stable")][: count - len(chosen)]
    return chosen + [int(each) for each in rest]
