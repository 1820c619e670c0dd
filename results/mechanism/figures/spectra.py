"""Relative log amplitudes over frequencies: of the parts of transformer blocks, and of every block's output."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators.mechanism import spectrum
from evaluators.mechanism.probe import Spectrum
from results.figures.common.style import AXIS, titled
from results.mechanism.figures.style import PARTS, kind_style
from results.mechanism.report import Report

if TYPE_CHECKING:
    import plotly.graph_objects as go

FAINTEST = 0.4  # opacity of the first of several curves; the last is opaque


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The relative log amplitudes of a block's output, or of a part of it, over frequencies."""

    block: str
    stage: int
    kind: str  # of the block; or the name of the part
    frequencies: tuple[float, ...]
    amplitudes: tuple[float, ...]


def _curve(block: str, stage: int, kind: str, side: int, seen: Spectrum) -> Curve:
    amplitudes = tuple(round(value, 5) for value in seen.log_amplitudes.mean(0).tolist())
    return Curve(block=block, stage=stage, kind=kind, frequencies=spectrum.frequencies(side), amplitudes=amplitudes)


@dataclass(frozen=True, kw_only=True)
class AmplitudesInfo:
    """Relative log amplitudes, a curve for each map."""

    curves: tuple[Curve, ...]


def parts_info(report: Report) -> AmplitudesInfo:
    """Of what attention and convolution add in each block with both."""
    return AmplitudesInfo(
        curves=tuple(
            _curve(block.name, block.stage, part, block.side, getattr(block, part))
            for block in report.mixing
            for part in PARTS
        )
    )


def parts_figure(info: AmplitudesInfo) -> "go.Figure":
    """Attention and convolution in two colours; later blocks are more opaque."""
    return _amplitudes(
        "Their spectra, against frequency 0; later blocks in a stronger colour",
        info,
        {n: (n, c) for n, c in PARTS.items()},
    )


def spectra_info(report: Report) -> AmplitudesInfo:
    """Of the output of every block."""
    return AmplitudesInfo(
        curves=tuple(
            _curve(block.name, block.stage, block.kind, block.side, block.output)
            for block in report.seen
            if block.output
        )
    )


def spectra_figure(info: AmplitudesInfo) -> "go.Figure":
    """Kinds of blocks in their colours; later blocks are more opaque."""
    return _amplitudes(
        "Their spectra, against frequency 0; later blocks in a stronger colour",
        info,
        {curve.kind: kind_style(curve.kind) for curve in info.curves},
    )


def _amplitudes(title: str, info: AmplitudesInfo, kinds: dict[str, tuple[str, str]]) -> "go.Figure":
    """A panel for each stage, two in a row, with one scale."""
    from plotly.subplots import make_subplots

    stages = sorted({curve.stage for curve in info.curves})
    rows, columns = -(-len(stages) // 2), min(2, len(stages))
    titles = [f"stage {stage}" for stage in stages]
    figure = make_subplots(rows, columns, subplot_titles=titles, shared_yaxes="all", vertical_spacing=0.25 / rows)
    last = {curve.kind: curve.block for curve in info.curves}  # the most opaque one stands in the legend
    for number, stage in enumerate(stages):
        curves = [curve for curve in info.curves if curve.stage == stage]
        for curve, opacity in zip(curves, _opacities(curve.block for curve in curves), strict=True):
            name, colour = kinds[curve.kind]
            figure.add_scatter(
                name=name,
                x=curve.frequencies,
                y=curve.amplitudes,
                row=number // 2 + 1,
                col=number % 2 + 1,
                mode="lines+markers",
                opacity=opacity,
                line={"color": colour, "width": 2},
                marker={"size": 4},
                hovertemplate=f"{curve.block}: %{{y:.2f}} at %{{x:.2f}}",
                legendgroup=name,
                showlegend=last[curve.kind] == curve.block,
            )
    shared = titled(title, "", "", 170 + 260 * rows)
    figure.update_layout({key: value for key, value in shared.items() if key not in ("xaxis", "yaxis")})
    figure.update_layout(margin_t=116)
    figure.update_xaxes(range=[0, 1], zeroline=False, **AXIS)
    for number in range(max(0, len(stages) - columns), len(stages)):  # the lowest panel of each column
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        figure.update_xaxes(title_text="frequency [π per position]", **place)
    figure.update_yaxes(zeroline=False, **AXIS)
    figure.update_yaxes(title_text="log amplitude", col=1)
    return figure


def _opacities(blocks: Iterable[str]) -> list[float]:
    """Of curves: the later its block, the more opaque; those of one block are equal."""
    names = list(blocks)
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    last = max(1, len(places) - 1)
    return [1 - (1 - FAINTEST) * (last - places[name]) / last if len(places) > 1 else 1.0 for name in names]
