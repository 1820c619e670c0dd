"""What follows from blocks that were seen, in words, tables and figures."""

import dataclasses
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from evaluators.mechanism.probe import Observed, Reach, Spectrum
from evaluators.mechanism.spectrum import SMALLEST, frequencies
from results.mechanism import page, table
from results.mechanism.figures import FIGURES
from results.mechanism.report import Report, distance, percent
from search_spaces import PAPER, Architecture
from tests.networks import CORNERS, WHOLE

COUNT = 20
LEVELS = {"output": 40, "attention": 30, "convolution": 50}  # % of high frequencies


def spectrum(side: int, level: float, seed: int) -> Spectrum | None:
    if side < SMALLEST:
        return None
    random, places = np.random.default_rng(seed), np.array(frequencies(side))
    return Spectrum(
        high_shares=level / 100 + 0.01 * random.standard_normal(COUNT),
        log_amplitudes=-places * (10 - level / 10) + 0.01 * random.standard_normal((COUNT, len(places))) * (places > 0),
    )


def observed(architecture: Architecture, resolution: int = 224) -> Report:
    """A report on a network that never ran: attention is smoother than convolution, and reaches 60 of 100 px."""
    blocks = []
    for stage, row in enumerate(architecture.blocks, start=1):
        for position, block in enumerate(row, start=1):
            side, seed = -(-resolution // 2 ** (1 + stage)), 100 * stage + position
            heads = 60 + np.random.default_rng(seed).standard_normal(
                (COUNT, block.attention_channels // block.head_dim)
            )
            parts = {
                "attention": block.attention_channels > 0,
                "convolution": block.kind in "CT" and block.conv_channels > 0,
            }
            blocks.append(
                Observed(
                    stage=stage,
                    position=position,
                    kind=block.kind,
                    side=side,
                    stride=2 ** (1 + stage),
                    output=spectrum(side, LEVELS["output"], seed),
                    reach=Reach(heads=heads, uniform=100.0) if block.attention_channels else None,
                    **{part: spectrum(side, LEVELS[part], seed) if there else None for part, there in parts.items()},
                )
            )
    return Report(
        architecture=architecture,
        blocks=tuple(blocks),
        weights="w.safetensors",
        trained=True,
        images="the validation images of <photos>",
        identity="folder:1",
        count=COUNT,
        resolution=resolution,
        versions={"torch": "2.14"},
    )


NETWORKS = {**WHOLE, "next-vit-s": PAPER["next-vit-s"]}


def test_the_sentences_of_next_vit_s() -> None:
    amplitudes, shares, reach = observed(PAPER["next-vit-s"]).sentences
    assert amplitudes.endswith("a lower amplitude in blocks 2.4, 3.5, 3.10 and 4.3.")
    assert shares.endswith("a smaller share of high frequencies in blocks 2.4, 3.5, 3.10 and 4.3.")
    assert reach.startswith("The mean attention distance is 60 px in 2.4, 60 px in 3.5")
    assert reach.endswith("equal for all keys, that is nearer in blocks 2.4, 3.5, 3.10 and 4.3.")


def test_the_sentences_name_each_block_once() -> None:
    report = observed(CORNERS["half"])
    first, second, *others = report.blocks
    assert first.attention and first.convolution and first.reach and first.kind == "T"
    other_way = dataclasses.replace(
        first,
        attention=first.convolution,
        convolution=first.attention,
        reach=dataclasses.replace(first.reach, uniform=10.0),
    )
    _, shares, reach = dataclasses.replace(report, blocks=(other_way, second, *others)).sentences
    assert "a larger one in block 1.1." in shares and "a smaller share of high frequencies in blocks 2.2, 3.2" in shares
    assert "nearer in blocks 2.2" in reach and reach.endswith("farther in block 1.1.")


def test_what_is_equal_is_not_told_apart() -> None:
    report = observed(PAPER["next-vit-s"])
    blocks = tuple(
        dataclasses.replace(block, attention=block.convolution if block.attention else None) for block in report.blocks
    )
    none = dataclasses.replace(report, blocks=blocks)
    assert none.sentences[0].endswith("the map, one that is not told apart in blocks 2.4, 3.5, 3.10 and 4.3.")
    assert all(not each.told_apart for by_block in none.contrasts.values() for each in by_block.values())


def test_intervals_by_hand() -> None:
    seen = Spectrum(high_shares=np.array([0.28, 0.3, 0.32]), log_amplitudes=np.zeros((3, 2)))
    half = 4.3027 * 2 / 3**0.5  # Student's t with two degrees of freedom; the standard deviation is 2 points
    assert dataclasses.astuple(percent(seen)) == pytest.approx((30, 30 - half, 30 + half), rel=1e-4)
    wide = dataclasses.replace(seen, high_shares=np.array([0.0, 1.0, 1.0]))
    assert (percent(wide).low, percent(wide).high) == (0, 100), "a share is none below 0 or above 1"
    same = Reach(heads=np.array([[1.0, 5.0], [2.0, 4.0]]), uniform=3.0)
    assert dataclasses.astuple(distance(same)) == (3, 3, 3), "images whose means over heads are equal"


def test_without_transformers_their_figures_are_absent_and_that_is_said() -> None:
    report = observed(CORNERS["all convolution"])
    assert list(page.drawn(report)) == ["shares", "spectra"]
    assert report.sentences == [
        "No block has an attention and a convolution to compare.",
        "No block attends, so there is no attention distance to show.",
    ]
    assert "No block attends" in page.page(report)


def test_maps_that_are_too_small_are_named() -> None:
    report = observed(PAPER["next-vit-s"], resolution=32)
    (small, smaller) = [sentence for sentence in report.sentences if "too few for a spectrum" in sentence]
    assert "stage 3 have 2 x 2" in small and "stage 4 have 1 x 1" in smaller
    assert {curve.stage for curve in FIGURES["spectra"][0](report).curves} == {1, 2}


def test_random_weights_are_said_first() -> None:
    random = dataclasses.replace(observed(PAPER["next-vit-s"]), trained=False)
    assert random.sentences[0] == "The weights are random: nothing here was learnt."


@pytest.mark.parametrize("architecture", NETWORKS.values(), ids=NETWORKS)
def test_report_table_and_page_of_any_network(architecture: Architecture) -> None:
    report = observed(architecture)
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [block["block"] for block in document["blocks"]] == [block.name for block in report.blocks]
    assert all(len(table.row(block)) == len(table.HEADINGS) for block in report.blocks)
    made = page.page(report)
    assert made.count("<tr>") == 1 + len(report.blocks)
    assert "&lt;photos&gt;" in made


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("architecture", NETWORKS.values(), ids=NETWORKS)
def test_every_figure_keeps_the_contract(architecture: Architecture, name: str) -> None:
    """Its data is plain, and equal for equal reports; so is its drawing."""
    info, draw = FIGURES[name]
    report = observed(architecture)
    data, same = info(report), info(observed(architecture))
    assert dataclasses.is_dataclass(data) and data == same
    json.dumps(dataclasses.asdict(data), allow_nan=False)
    if name not in page.drawn(report):
        return
    figure = draw(data)
    assert isinstance(figure, go.Figure) and figure.to_json() == draw(same).to_json()
    assert any(len(trace.x) for trace in figure.data)


def test_figures_show_the_numbers_of_the_table() -> None:
    report = observed(PAPER["next-vit-s"])
    branches = FIGURES["branches"][0](report)
    assert branches.parts["attention"].blocks == ("2.4", "3.5", "3.10", "4.3")
    block = next(block for block in report.blocks if block.name == "2.4")
    assert block.attention and branches.parts["attention"].intervals[0] == percent(block.attention)
    distances = FIGURES["distances"][0](report)
    assert [len(heads) for heads in distances.heads] == [6, 12, 12, 24]
    assert block.reach and distances.mean.intervals[0] == distance(block.reach)
