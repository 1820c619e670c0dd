"""How well does a score rank accuracies, and how much accuracy is lost by choosing by it?

Papers report rank correlation; a user loses regret under a latency budget. On NAS-Bench-201, NWOT ranks better than the
number of parameters and loses more than twice as much at a given latency. Vectors are (n,) over networks; higher scores
are better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.statistics import intervals

Vector = NDArray[np.float64]
FEWEST = 10  # networks with known accuracy; with fewer, a ranking does not count as checked
BUDGETS = 10
BOOTSTRAPS = 1000
LARGE = 2000  # networks; with more, a tenth of the bootstraps suffices, because intervals are narrow


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def tau(score: Vector, truth: Vector) -> float:
    """Kendall's tau-b, which accounts for ties; 0 for a constant score."""
    from scipy.stats import kendalltau

    correlation = float(kendalltau(score, truth).statistic)
    return correlation if np.isfinite(correlation) else 0.0


def rho(score: Vector, truth: Vector) -> float:
    """Spearman's rho; 0 for a constant score."""
    from scipy.stats import spearmanr

    if np.ptp(score) == 0 or np.ptp(truth) == 0:
        return 0.0
    return float(spearmanr(score, truth).statistic)


def partial_tau(score: Vector, truth: Vector, controls: Vector) -> float:
    """Partial tau: between the residuals of score and truth after a regression on `controls` (n, c).

    All enter as normal scores of their ranks, so that units and outliers do not matter.
    """
    return tau(_residual(score, controls), _residual(truth, controls))


def grouped_tau(score: Vector, truth: Vector, size: Vector, groups: int = 5) -> float:
    """The mean tau within groups of equal count by `size`, such as quintiles of MACs: ranking among similar sizes."""
    parts = np.array_split(np.argsort(size, kind="stable"), groups)
    return float(np.mean([tau(score[part], truth[part]) for part in parts if len(part) > 2]))


def budgets(cost: Vector, count: int = BUDGETS) -> Vector:
    """Latency budgets: quantiles of the networks' latencies, the last one that of the slowest network."""
    return np.quantile(cost, np.linspace(1 / count, 1, count))


def regrets(score: Vector, truth: Vector, cost: Vector, k: int = 1) -> Vector:
    """For each budget, the best feasible accuracy minus the best among the k feasible networks of highest score."""
    lost = []
    for budget in budgets(cost):
        feasible = np.flatnonzero(cost <= budget)
        first = feasible[np.argsort(-score[feasible], kind="stable")[:k]]
        lost.append(truth[feasible].max() - truth[first].max())
    return np.array(lost)


def random_regrets(truth: Vector, cost: Vector, k: int = 1) -> Vector:
    """For each budget, the expected regret of the best of k random feasible networks, computed exactly."""
    lost = []
    for budget in budgets(cost):
        ordered = np.sort(truth[cost <= budget])
        n = len(ordered)
        below = (np.arange(1, n + 1) / n) ** k  # probability that the best of k is at most the i-th
        lost.append(ordered[-1] - float(ordered @ np.diff(below, prepend=0.0)))
    return np.array(lost)


def bootstrap(statistic: Callable[[NDArray[np.intp]], float], count: int, seed: int = 0) -> Interval:
    """A statistic of networks, given by index, with its 95 % bootstrap interval over `count` networks."""
    random = np.random.default_rng(seed)
    draws = BOOTSTRAPS if count <= LARGE else BOOTSTRAPS // 10
    values = [statistic(random.integers(count, size=count)) for _ in range(draws)]
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(value=statistic(np.arange(count)), low=float(low), high=float(high))


def tau_interval(score: Vector, truth: Vector) -> Interval:
    """tau with its bootstrap interval."""
    return bootstrap(lambda drawn: tau(score[drawn], truth[drawn]), len(truth))


def tau_gain(score: Vector, other: Vector, truth: Vector) -> Interval:
    """The difference in tau between two scores, with a paired interval: each draw takes the same networks for both."""
    return bootstrap(lambda i: tau(score[i], truth[i]) - tau(other[i], truth[i]), len(truth))


def p_value(gain: Interval) -> float:
    """The two-sided p-value of a gain, from the width of its bootstrap interval."""
    from scipy.stats import norm

    error = (gain.high - gain.low) / (2 * intervals.normal())
    return float(2 * norm.sf(abs(gain.value) / error)) if error > 0 else float(gain.value == 0)


def noise_ceiling(accuracies: Vector) -> float | None:
    """The mean tau between the columns of `accuracies` (n, seeds), an upper limit for any score; None for one seed."""
    seeds = accuracies.shape[1]
    pairs = [(a, b) for a in range(seeds) for b in range(a)]
    return float(np.mean([tau(accuracies[:, a], accuracies[:, b]) for a, b in pairs])) if pairs else None


def ranks(values: Vector) -> Vector:
    """Ranks from 1 for the lowest; ties share their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=float)


def normal_scores(values: Vector) -> Vector:
    """Ranks mapped to the quantiles of a normal distribution (van der Waerden scores)."""
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
    """Indices of networks worth a real evaluation: at budgets in random order, the highest `upper` bound left.

    `taken` are left out. The result is shorter than `count` only if no more networks are left.
    """
    choice: list[int] = []
    for budget in random.permutation(budgets(cost, max(count, BUDGETS))):
        free = np.setdiff1d(np.flatnonzero(cost <= budget), [*taken, *choice])
        if len(free) and len(choice) < count:
            choice.append(int(free[np.argmax(upper[free])]))
    free = np.setdiff1d(np.arange(len(upper)), [*taken, *choice])  # small budgets may have nothing left
    rest = free[np.argsort(-upper[free], kind="stable")][: count - len(choice)]
    return choice + [int(index) for index in rest]
