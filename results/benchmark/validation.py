"""Compares scores and predictions with true accuracies: what they rank, and what choosing by them costs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evaluators.prediction.fusion import PERCENT, Bounds, Fusion
from evaluators.statistics import ranking
from evaluators.statistics.ranking import Interval
from results.benchmark.truth import Truth

Vector = NDArray[np.float64]
Kind = Literal["score", "structure", "latency", "control", "prediction", "chance"]
LEVEL = 0.05  # of a test
SIZES = ("macs", "flops", "gmacs", "log_macs")
GUIDED = 3  # fits of a prediction that chooses what to evaluate: one after each active learning round
FIRST, ROUNDS, PRIOR = (
    0.5,
    2,
    0.3,
)  # share of the first active learning round, later rounds, share by structure


@dataclass(frozen=True, kw_only=True)
class Regret:
    """Points of accuracy lost at ten latency budgets, against the best feasible network."""

    mean: float
    worst: float
    best_of_10: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One score, baseline, control or prediction."""

    name: str
    kind: Kind
    tau: Interval | None = None
    rho: float | None = None
    partial_tau: float | None = None  # given structure
    grouped_tau: float | None = None  # inside quintiles of MACs
    gain: Interval | None = None  # tau above the best structure's, paired
    p_value: float | None = None  # of that gain, by Holm's correction for all scores tried
    coverage: float | None = None  # of 90 % intervals
    regrets: dict[str, Regret] = field(default_factory=dict)

    @property
    def beats_structure(self) -> bool:
        """Whether it ranks better than the best count of the network, by its interval and by its p-value."""
        return bool(self.gain and self.gain.low > 0 and self.p_value is not None and self.p_value < LEVEL)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything about one truth."""

    truth: str
    networks: int
    seeds: int
    ceiling: float | None  # tau between seeds
    tried: int
    draws: int
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]

    @property
    def better(self) -> tuple[str, ...]:
        """The scores that rank better than the best count of the network, beyond chance."""
        return tuple(row.name for row in self.rows if row.beats_structure)

    @property
    def compared(self) -> bool:
        """Whether there were scores, and counts that they could beat."""
        return any(row.gain for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


def report(
    truth: Truth,
    evaluations: Sequence[int] = (20,),
    draws: int = 5,
    done: Callable[[int], None] = lambda steps: None,
) -> Report:
    """Compares every score of a truth, its structure, controls and fused predictions with its accuracies.

    `done` is called after every part, with the number of `steps` that it took.
    """
    best = _best_structure(truth)
    columns = {"structure": truth.structure, "score": truth.scores}
    by_kind: dict[Kind, list[Row]] = {"structure": [], "score": []}
    for kind, rows in by_kind.items():
        for name, column in columns[kind].items():
            rows.append(_scored(truth, name, kind, column, best))
            done(1)
    rows = [*by_kind["structure"], *_with_holm(by_kind["score"])]
    rows += [_slowest(truth)] if truth.latencies else []
    rows += _controls(truth)
    usable = _usable(truth, evaluations)
    for count in usable if truth.structure else ():
        rows += predictions(truth, count, draws, done)
    skipped = [count for count in evaluations if count not in usable]
    remarks = [*truth.remarks]
    if skipped:
        counts = ", ".join(map(str, skipped))
        remarks.append(f"too few networks to compare predictions from {counts} real evaluations with the others")
    return Report(
        truth=truth.name,
        networks=len(truth.accuracy),
        seeds=truth.accuracies.shape[1],
        ceiling=ranking.noise_ceiling(truth.accuracies),
        tried=len(truth.scores),
        draws=draws,
        rows=tuple(rows),
        remarks=tuple(remarks),
    )


def _usable(truth: Truth, evaluations: Sequence[int]) -> list[int]:
    """Numbers of evaluations that leave enough other networks to compare a prediction with."""
    return [count for count in evaluations if count <= len(truth.accuracy) // 2]


def steps(truth: Truth, evaluations: Sequence[int], draws: int) -> int:
    """The steps of a report: one for each score, each prediction, and each fit of a prediction that chooses."""
    counts = _usable(truth, evaluations) if truth.structure else []
    return len(truth.structure) + len(truth.scores) + len(counts) * draws * (1 + GUIDED * len(truth.latencies))


def _best_structure(truth: Truth) -> str:
    """The count that ranks best: what every score must beat."""
    return max(truth.structure, key=lambda name: ranking.tau(truth.structure[name], truth.accuracy), default="")


def _scored(truth: Truth, name: str, kind: Kind, score: Vector, best: str) -> Row:
    accuracy, structure = truth.accuracy, np.column_stack(list(truth.structure.values()) or [np.zeros_like(score)])
    size = next((truth.structure[count] for count in SIZES if count in truth.structure), None)
    compared = kind == "score" and bool(best)
    return Row(
        name=name,
        kind=kind,
        tau=ranking.tau_interval(score, accuracy),
        rho=ranking.rho(score, accuracy),
        partial_tau=ranking.partial_tau(score, accuracy, structure) if kind == "score" else None,
        grouped_tau=None if size is None else ranking.grouped_tau(score, accuracy, size),
        gain=ranking.tau_gain(score, truth.structure[best], accuracy) if compared else None,
        regrets={device: _regret(score, accuracy, cost) for device, cost in truth.latencies.items()},
    )


def _regret(score: Vector, accuracy: Vector, cost: Vector) -> Regret:
    known = np.isfinite(cost)
    lost = ranking.regrets(score[known], accuracy[known], cost[known])
    ten = ranking.regrets(score[known], accuracy[known], cost[known], k=10)
    return Regret(mean=float(lost.mean()), worst=float(lost.max()), best_of_10=float(ten.mean()))


def _with_holm(rows: list[Row]) -> list[Row]:
    """Adds p-values of the gains over structure, corrected for the number of scores tried (Holm, 1979)."""
    raw = [ranking.p_value(row.gain) if row.gain else 1.0 for row in rows]
    adjusted, highest = [1.0] * len(rows), 0.0
    for step, index in enumerate(np.argsort(raw, kind="stable")):
        highest = max(highest, min(1.0, (len(rows) - step) * raw[index]))
        adjusted[index] = highest
    return [replace(row, p_value=p) for row, p in zip(rows, adjusted, strict=True)]


def _slowest(truth: Truth) -> Row:
    """The regret of taking the slowest network within the budget, without any score."""
    regrets = {device: _regret(cost, truth.accuracy, cost) for device, cost in truth.latencies.items()}
    return Row(name="slowest feasible", kind="latency", regrets=regrets)


def _controls(truth: Truth) -> list[Row]:
    """Controls, with a tau of about 0: a random score, and structure against shuffled accuracies; then chance."""
    random = np.random.default_rng(0)
    accuracy = truth.accuracy
    noise = random.normal(size=len(accuracy))
    rows = [Row(name="random score", kind="control", tau=ranking.tau_interval(noise, accuracy))]
    if best := _best_structure(truth):
        shuffled = random.permutation(accuracy)
        tau = ranking.tau_interval(truth.structure[best], shuffled)
        rows.append(Row(name=f"{best} against shuffled accuracies", kind="control", tau=tau))
    for count in (1, 10) if truth.latencies else ():
        regrets = {}
        for device, cost in truth.latencies.items():
            known = np.isfinite(cost)
            lost = ranking.random_regrets(accuracy[known], cost[known], count)
            regrets[device] = Regret(mean=float(lost.mean()), worst=float(lost.max()))
        rows.append(Row(name=f"random {count}, evaluated truly", kind="chance", regrets=regrets))
    return rows


def predictions(truth: Truth, count: int, draws: int, done: Callable[[int], None] = lambda steps: None) -> list[Row]:
    """Predictions from so many real evaluations: a ridge regression on structure, a forest, and the fused prediction.

    Ranking and coverage are of networks that were not evaluated, after random ones were; regrets are of the fused
    prediction when it chooses what to evaluate, by device.
    """
    values, names = truth.features()
    taus: dict[str, list[float]] = {"ridge of structure": [], "forest": [], "fused": []}
    covered: list[float] = []
    for draw in range(draws):
        known = np.random.default_rng(draw).choice(len(values), count, replace=False)
        rest = np.setdiff1d(np.arange(len(values)), known)
        fusion = Fusion(values[known], truth.accuracy[known], names, draw, bounds=_bounds(truth), check=False)
        alone = {
            "ridge of structure": fusion.alone("line", values[rest]),
            "forest": fusion.alone("forest", values[rest]),
        }
        fused = fusion.predict(values[rest])
        for name, mean in {**alone, "fused": fused.mean}.items():
            taus[name].append(ranking.tau(mean, truth.accuracy[rest]))
        covered.append(float(((fused.low <= truth.accuracy[rest]) & (truth.accuracy[rest] <= fused.high)).mean()))
        done(1)
    regrets = {
        device: guided_regret(truth, count, draws, cost, done)
        for device, cost in truth.latencies.items()
        if np.isfinite(cost).sum() >= 2 * count  # as many to evaluate as to choose from
    }
    rows = []
    for name, drawn in taus.items():
        low, high = np.quantile(drawn, [0.025, 0.975])
        is_fused = name == "fused"
        rows.append(
            Row(
                name=f"{name}, {count} evaluated truly",
                kind="prediction",
                tau=Interval(value=float(np.mean(drawn)), low=float(low), high=float(high)),
                coverage=float(np.mean(covered)) if is_fused else None,
                regrets=regrets if is_fused else {},
            )
        )
    return rows


def _bounds(truth: Truth) -> Bounds | None:
    """Percent, where the truth is in percent."""
    low, high = PERCENT
    return PERCENT if low <= truth.accuracy.min() and truth.accuracy.max() <= high else None


def guided_regret(
    truth: Truth, count: int, draws: int, cost: Vector, done: Callable[[int], None] = lambda steps: None
) -> Regret:
    """The regret when the prediction chooses what to evaluate: by structure first, then by its own upper bounds."""
    known, rows = np.flatnonzero(np.isfinite(cost)), []
    for draw in range(draws):
        rows.append(_guided(truth, count, draw, cost, known))
        done(GUIDED)
    lost = np.array(rows)
    return Regret(mean=float(lost.mean()), worst=float(lost.max(axis=1).mean()))


def _guided(truth: Truth, count: int, draw: int, cost: Vector, usable: NDArray[np.intp]) -> Vector:
    values, names = truth.features()
    values, cost, accuracy = values[usable], cost[usable], truth.accuracy[usable]
    random = np.random.default_rng(draw)
    structure = [index for index, name in enumerate(names) if name]
    prior = np.mean([ranking.ranks(values[:, index]) for index in structure], axis=0)
    first = max(5, round(FIRST * count))
    evaluated = ranking.front_choice(prior, cost, round(PRIOR * first), [], random)
    rest = np.setdiff1d(np.arange(len(values)), evaluated)
    evaluated += random.choice(rest, first - len(evaluated), replace=False).tolist()
    while True:
        fusion = Fusion(values[evaluated], accuracy[evaluated], names, draw, bounds=_bounds(truth), check=False)
        prediction = fusion.predict(values)
        left = count - len(evaluated)
        if left <= 0:
            break
        step = min(left, max(1, (count - first) // ROUNDS), ranking.BUDGETS)
        evaluated += ranking.front_choice(prediction.upper, cost, step, evaluated, random)
    scores = prediction.mean.copy()
    scores[evaluated] = accuracy[evaluated]
    return ranking.regrets(scores, accuracy, cost)
