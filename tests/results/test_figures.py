"""What the figures hold, before anything is drawn."""

import pytest

from results import figures, front
from tests import synthetic


def test_the_front_is_what_nothing_beats() -> None:
    run = synthetic.typical()
    assert [trial.number for trial in front.front(run)] == [8, 4, 3]
    knee = front.knee(run, front.front(run))
    assert knee and knee.number == 4


def test_pareto_layers() -> None:
    info = figures.pareto_info(synthetic.typical())
    assert info.front.trials == (8, 4, 3)
    assert info.front.x == (95.0, 60.0, 40.0)
    assert info.front.x_half == pytest.approx((0.1, 0.1, 0.1))
    assert info.dominated.trials == (5,), "anchors are drawn once, as stars"
    assert info.infeasible.trials == (6,)
    assert info.anchors.labels == ("next-vit-s", "next-vit-b", "next-vit-l")
    assert info.knee.trials == (4,)
    assert info.summary.startswith("3 networks are on the front, from 40 to 95 ms. The knee is trial 4")


def test_the_drawing_says_which_way_is_better_and_that_a_score_is_none_but_a_score() -> None:
    figure = figures.pareto_figure(figures.pareto_info(synthetic.typical()))
    assert figure.layout.xaxis.title.text == "ort [ms], lower is better"
    assert figure.layout.yaxis.title.text == "entropy score, unvalidated [nats], higher is better"
    assert {trace.name: trace.type for trace in figure.data}["dominated"] == "scattergl"
    steps = next(trace for trace in figure.data if trace.name == "attained")
    assert (steps.line.shape, list(steps.x)) == ("hv", [40.0, 60.0, 95.0])


def test_progress_ends_at_the_multiple_of_the_anchors() -> None:
    run = synthetic.typical()
    info = figures.progress_info(run)
    assert info.relative
    assert info.failed == (7,)
    assert info.volumes[-1] == pytest.approx(front.relative_hypervolume(run))
    assert info.volumes[2] == pytest.approx(1)
    assert list(info.volumes) == sorted(info.volumes)


@pytest.mark.parametrize(
    "trials",
    [[], [synthetic.trial(0, 4.5, 50.0)], [synthetic.trial(0, 0, 0, state="failed", measurements={}, cause="no")]],
    ids=["empty", "one", "all failed"],
)
def test_little_is_enough(trials: list) -> None:
    run = synthetic.run(trials)
    info = figures.pareto_info(run)
    assert len(info.front.trials) == len(run.feasible())
    assert figures.progress_info(run).relative is False
    figures.pareto_figure(info)
    figures.progress_figure(figures.progress_info(run))
