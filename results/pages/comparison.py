"""Compares two runs: does one front cover more than the other, by more than the uncertainty of the measurements?"""

from dataclasses import dataclass
from html import escape

import numpy as np

from evaluators import Metric
from evaluators.statistics import intervals
from evaluators.statistics.ranking import Interval
from results import figures, front, verification
from results.glyphs import svg
from results.pages import document
from results.store.record import Run, Trial
from search_spaces.common.errors import NegativeAnswer

DRAWS = 400
LAYERS = 3  # fronts, one behind another: noise may lift their members onto the first
LEAD = (
    "The hypervolume is what a front covers of the plane, as a multiple of what the first run's anchors cover. The "
    "interval of the difference comes from the measurements: every value is drawn from its own interval, again and "
    "again, and the fronts are recomputed. It does not include what another seed of either search would find."
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two runs cover, measured from one corner, and the second's volume minus the first's."""

    first: Run
    second: Run
    volumes: tuple[float, float]
    difference: Interval
    relative: bool  # to what the anchors of the first run cover
    doubts: tuple[str, ...] = ()  # why the volumes must not be compared yet

    @property
    def sentence(self) -> str:
        """The answer in a sentence; where a front has a doubtful latency, what to measure again instead."""
        if self.doubts:
            return f"{self.first.name} and {self.second.name} are not compared. {' '.join(self.doubts)}"
        a, b = self.first.name, self.second.name
        unit = f" times what {front.anchor_names(self.first)} cover" if self.relative else ""
        volumes = f"{a} covers {self.volumes[0]:.3g}{unit}, {b} {self.volumes[1]:.3g}; difference {self.difference}"
        if self.difference.low <= 0 <= self.difference.high:
            return f"{volumes}: not distinguishable by these measurements"
        return f"{volumes}: {b if self.difference.value > 0 else a} covers more"


def compare(first: Run, second: Run, seed: int = 0) -> Comparison:
    """Both runs from one corner of the plane.

    Raises:
        NegativeAnswer: they pursue other objectives, measured them elsewhere, or have no front.
    """
    metrics = _common(first, second)
    for run in (first, second):
        if not run.feasible():
            raise NegativeAnswer(
                f"run '{run.name}' has no front", "no candidate succeeded: nas show --all lists the causes"
            )
    corners = [corner for run in (first, second) if (corner := front.reference_point(run)) is not None]
    reference = np.max(corners, axis=0)
    anchors = [trial for trial in first.succeeded() if trial.anchor]
    unit = front.hypervolume(_costs(first, anchors, metrics)[0], reference) if anchors else 0.0
    scale = unit or 1.0
    rows = [_costs(run, _near(run), metrics) for run in (first, second)]
    volumes = [front.hypervolume(values, reference) / scale for values, _ in rows]
    random = np.random.default_rng(seed)
    drawn = [
        [front.hypervolume(values + random.normal(size=values.shape) * spread, reference) / scale for _ in range(DRAWS)]
        for values, spread in rows
    ]
    shifts = np.array(drawn[1]) - np.array(drawn[0])
    value = volumes[1] - volumes[0]
    low, high = np.quantile(shifts - shifts.mean(), [0.025, 0.975]) + value
    difference = Interval(value=float(value), low=float(low), high=float(high))
    return Comparison(
        first=first,
        second=second,
        volumes=(volumes[0], volumes[1]),
        difference=difference,
        relative=bool(unit),
        doubts=tuple(f"{run.name}: {doubt}" for run in (first, second) for doubt in verification.obstacles(run)),
    )


def _common(first: Run, second: Run) -> tuple[Metric, ...]:
    """The objectives of both.

    Raises:
        NegativeAnswer: they differ in objectives, device, version or protocol.
    """
    mine, other = ([metric.name for metric in run.objectives] for run in (first, second))
    if mine != other:
        raise NegativeAnswer(
            f"'{first.name}' pursues {', '.join(mine)}, '{second.name}' {', '.join(other)}",
            "only runs of the same objectives can be compared: measure one front by the other's, with nas measure",
        )
    for name in mine:
        contexts = [
            {trial.measurements[name].context: trial.measurements[name] for trial in run.succeeded()}
            for run in (first, second)
        ]
        if contexts[0].keys() != contexts[1].keys() and all(contexts):
            labels = [next(iter(by_context.values())).device.label for by_context in contexts]
            raise NegativeAnswer(
                f"{name} was measured in two contexts: '{first.name}' on {labels[0]}, '{second.name}' on {labels[1]}",
                "another device, version or protocol: its numbers share no axis",
            )
    return first.objectives


def _near(run: Run) -> list[Trial]:
    """The front, and the fronts behind it."""
    left, near = run.feasible(), []
    for _ in range(LAYERS):
        layer = front.front(run, left)
        near += layer
        numbers = {trial.number for trial in layer}
        left = [trial for trial in left if trial.number not in numbers]
    return near


def _costs(run: Run, trials: list[Trial], metrics: tuple[Metric, ...]) -> tuple[front.Points, front.Points]:
    """Costs, (n, metrics), and their standard deviations."""
    measurements = [[trial.measurements[metric.name] for metric in metrics] for trial in trials]
    spread = [
        [(measurement.high - measurement.low) / 2 / intervals.normal() for measurement in row] for row in measurements
    ]
    return front.as_costs([run.point(trial) for trial in trials], metrics), np.array(spread)


def page(comparison: Comparison) -> str:
    """Both fronts on one page."""
    runs = (comparison.first, comparison.second)
    y, x = runs[0].objectives[:2]
    return document.report(
        title=f"{runs[0].name} and {runs[1].name}",
        lead=LEAD,
        facts={run.name: f"{len(front.front(run))} on the front of {len(run.trials)} candidates" for run in runs},
        remarks=[comparison.sentence],
        figures={"fronts": figures.draw("fronts", figures.info("fronts", *runs))},
        headings=["run", "trial", f"{y.name} [{y.unit}]", f"{x.name} [{x.unit}]", "network", "notation"],
        rows=[_row(run, trial) for run in runs for trial in front.front(run)],
    )


def _row(run: Run, trial: Trial) -> str:
    numbers = "".join(f'<td class="number">{trial.value(metric.name):.4g}</td>' for metric in run.objectives[:2])
    return (
        f"<tr><td>{escape(run.name)}</td><td>{trial.number}</td>{numbers}"
        f'<td>{svg(trial.architecture)}</td><td class="notation">{escape(str(trial.architecture))}</td></tr>'
    )
