"""What the figures hold, before anything is drawn."""

import dataclasses
import json
import sys
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from evaluators import Metric
from results import figures, front
from results.figures.devices import devices_info
from results.figures.fronts import fronts_info
from results.figures.importance import importance_info
from results.figures.parallel import parallel_info
from results.figures.pareto import pareto_figure, pareto_info
from results.figures.progress import progress_info
from results.figures.proxy import proxy_info
from results.figures.stopwatch import stopwatch_info
from results.figures.strategy import strategy_info
from results.pages import dashboard
from results.store.record import Run
from search_spaces import Architecture
from tests import synthetic


def test_the_front_is_what_nothing_beats() -> None:
    run = synthetic.typical()
    assert [trial.number for trial in front.front(run)] == [8, 4, 3]
    knee = front.knee(run, front.front(run))
    assert knee and knee.number == 4


def test_pareto_layers() -> None:
    info = pareto_info(synthetic.typical())
    assert info.front.trials == (8, 4, 3)
    assert info.front.x == (95.0, 60.0, 40.0)
    assert info.front.x_ends == ((94.9, 95.1), (59.9, 60.1), (39.9, 40.1))
    assert info.dominated.trials == (5,), "anchors are drawn once, as stars"
    assert info.infeasible.trials == (6,)
    assert info.anchors.labels == ("next-vit-s", "next-vit-b", "next-vit-l")
    assert info.knee.trials == (4,)
    assert info.summary.startswith("3 networks are on the front, from 40 to 95 ms. The knee is trial 4")


def test_the_drawing_says_which_way_is_better_and_that_a_score_is_none_but_a_score() -> None:
    figure = pareto_figure(pareto_info(synthetic.typical()))
    assert figure.layout.xaxis.title.text == "ort [ms], lower is better"
    assert figure.layout.yaxis.title.text == "entropy score, unvalidated [nats], higher is better"
    assert {trace.name: trace.type for trace in figure.data}["dominated"] == "scattergl"
    steps = next(trace for trace in figure.data if trace.name == "best so far")
    assert (steps.line.shape, list(steps.x)) == ("hv", [40.0, 60.0, 95.0])


def test_progress_ends_at_the_multiple_of_the_anchors() -> None:
    run = synthetic.typical()
    info = progress_info(run)
    assert info.relative
    assert info.failed == (7,)
    assert info.volumes[-1] == pytest.approx(front.relative_hypervolume(run))
    assert info.volumes[2] == pytest.approx(1)
    assert list(info.volumes) == sorted(info.volumes)


def runs(name: str, run: Run) -> tuple[Run, ...]:
    """As many runs as the figure is drawn from."""
    return (run, run) if name == "fronts" else (run,)


@pytest.mark.parametrize(
    "trials",
    [[], [synthetic.trial(0, 4.5, 50.0)], [synthetic.trial(0, 0, 0, state="failed", measurements={}, cause="no")]],
    ids=["empty", "one", "all failed"],
)
@pytest.mark.parametrize("name", figures.names())
def test_every_figure_draws_the_smallest_runs(name: str, trials: list) -> None:
    assert isinstance(getattr(figures, name)(*runs(name, synthetic.run(trials))), go.Figure)


@pytest.mark.parametrize("name", ["pareto", *figures.views()])
def test_every_figure_of_the_page_has_a_summary(name: str) -> None:
    assert figures.info(name, synthetic.run([])).summary.endswith(".")


@pytest.mark.parametrize("name", figures.names())
def test_every_figure_keeps_the_contract(name: str) -> None:
    """Its data is plain, and equal for equal runs; so is its drawing, which has points."""
    data, same = (figures.info(name, *runs(name, synthetic.many(100))) for _ in range(2))
    assert dataclasses.is_dataclass(data) and data == same
    json.dumps(dataclasses.asdict(data), allow_nan=False)
    figure = figures.draw(name, data)
    assert figure.to_json() == figures.draw(name, same).to_json()
    columns = [trace["x"] if "x" in trace else trace["dimensions"] for trace in figure.data]
    nothing = {"proxy": "nothing is trained", "devices": "there is one"}
    assert name in nothing or any(column is not None and len(column) for column in columns)


SIZES = '''"""How large the networks are."""

from dataclasses import dataclass

import plotly.graph_objects as go

from results.figures import View

VIEW = View(heading="How large?", place=9)


@dataclass(frozen=True)
class SizesInfo:
    sizes: tuple[int, ...]
    summary: str = "One is as large as another."


def sizes_info(run):
    return SizesInfo(tuple(len(trial.architecture.blocks) for trial in run.trials))


def sizes_figure(info):
    return go.Figure(go.Histogram(x=info.sizes))
'''


def test_a_figure_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page and notebook know it as soon as the file is there."""
    (tmp_path / "sizes.py").write_text(SIZES)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "results.figures.sizes", raising=False)
    assert "sizes" in figures.names()
    assert list(figures.views())[-1] == "sizes"
    assert "How large?" in dashboard.page(synthetic.typical())
    assert figures.draw("sizes", figures.info("sizes", synthetic.typical())).data[0].x
    monkeypatch.delattr(figures, "sizes")  # which importing it has left there


def test_the_map_of_networks_by_hand() -> None:
    notations = ["C-C-C-CT"] * 5 + ["C-C-C-TC"] * 5
    trials = [
        synthetic.trial(number, 5 - number / 10, 60.0 - 2 * number, architecture=Architecture.from_notation(notation))
        for number, notation in enumerate(notations)
    ]
    info = strategy_info(synthetic.run(trials))
    assert info.paper_places[0] == (1, 0), "Next-ViT-S has its first transformer at the end of stage 2"
    assert info.paper_numbers == ((0, 0), (1, 1), (2, 2), (3, 1))


def test_what_alone_decides_matters_most() -> None:
    info = importance_info(synthetic.many(200))
    assert info.parameters[0] == "stage3.L"
    assert info.shares["entropy"][0] > 3 * info.shares["entropy"][1]
    assert "too few" in importance_info(synthetic.typical()).summary


def test_what_a_network_does_not_use_does_not_matter() -> None:
    """In `free`, a deep stage uses `last25` and a shallow one does not: it must not pass for the depth."""
    info = importance_info(synthetic.many(300, space="free"))
    assert info.parameters[0] == "stage3.depth"
    assert all(share > 0.8 for share in (info.shares["entropy"][0], info.shares["ort"][0]))
    assert len(info.parameters) == 10


def test_the_stopwatch_says_which_networks_are_not_distinguishable() -> None:
    close = [synthetic.trial(number, 4.0 + number, 50.0 + number / 10) for number in range(3)]
    info = stopwatch_info(synthetic.run(close))
    assert "Of 2 neighbours on the front, 2 are not distinguishable" in info.summary
    assert info.halves[0] == pytest.approx(0.2)


def test_what_stands_in_for_accuracy_against_real_training() -> None:
    trained = Metric(name="train:data=digits", unit="%", direction="maximize", kind="trained")
    trials = [synthetic.trial(number, 4.0 + number, 50.0 + number) for number in range(3)]
    trials[1].measurements[trained.name] = synthetic.measurement(trained, 91.0)
    info = proxy_info(synthetic.run(trials))
    assert (info.trials, info.predicted, info.reached) == ((1,), (5.0,), (91.0,))
    assert "unvalidated on your data" in info.summary


def test_the_ranks_of_two_devices() -> None:
    trials = [synthetic.trial(number, 4.0, 50.0 + number) for number in range(12)]
    for each in trials:
        each.measurements["trt"] = synthetic.measurement(replace(synthetic.OTHER, name="trt"), 99.0 - each.number)
    info = devices_info(synthetic.run(trials))
    assert (info.names, info.first[0], info.second[0]) == (("ort", "trt"), 1, 12)
    assert "rank 12 networks alike with a tau of -1.00" in info.summary
    assert "only ort was measured" in devices_info(synthetic.typical()).summary
    assert "are the least" in devices_info(synthetic.on_two_devices()).summary


def test_lines_for_the_front_and_for_others() -> None:
    info = parallel_info(synthetic.typical())
    assert sum(info.on_front) == 3
    assert info.axes["blocks in stage 3"][info.trials.index(0)] == 10


def test_a_doubtful_latency_is_hollow() -> None:
    run = synthetic.doubtful({4: "drifted", 0: "noisy", 5: "noisy"})
    info = pareto_info(run)
    assert (info.doubtful.trials, info.doubtful_anchors.trials) == ((4,), (0,))
    traces = {trace.name: trace for trace in pareto_figure(info).data}
    assert list(traces["front"].customdata) == [8, 3]
    assert (list(traces["front, latency doubtful"].customdata), traces["front, latency doubtful"].marker.symbol) == (
        [4],
        "diamond-open",
    )
    assert traces["the paper's, latency doubtful"].marker.symbol == "star-open"
    assert "nas measure test-run --front --latency ort" in info.summary
    assert "not compared yet: 2 latencies" in progress_info(run).summary
    assert "3 of 8 measurements are doubtful" in stopwatch_info(run).summary
    assert fronts_info(run, synthetic.typical()).doubtful == ((False, True, False), (False,) * 3)
    assert "test-run, latency doubtful" in {trace.name for trace in figures.fronts(run, run).data}


@pytest.mark.parametrize(
    ("notations", "words"),
    [
        (["CC-C-C-CC"] * 7 + ["CC-C-C-CT"] * 2, "1 of the 8 networks of the front has a transformer."),
        (["CC-C-C-CC"] * 8 + ["CC-C-C-CT"], "None of the 8 networks of the front has a transformer."),
        (["CC-C-C-CT"] * 3 + ["CC-C-C-CC"], "3 of the 3 networks of the front have a transformer."),
    ],
)
def test_how_many_networks_of_the_front_have_a_transformer(notations: list[str], words: str) -> None:
    """All but the last of these networks are on the front."""
    trials = [
        synthetic.trial(number, 5 - number / 10, 60.0 - number, architecture=Architecture.from_notation(notation))
        for number, notation in enumerate(notations)
    ]
    trials[-1] = replace(trials[-1], measurements=synthetic.trial(0, 1, 99.0).measurements)
    summary = strategy_info(synthetic.run(trials)).summary
    assert summary.startswith(words)
    assert "Too few pairs" in summary
