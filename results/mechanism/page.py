"""The result of `nas mechanism` as one HTML page."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators.mechanism.probe import Observed
from results.mechanism import table
from results.mechanism.figures import FIGURES
from results.mechanism.report import Report
from results.pages import document
from search_spaces.common import files

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEAD = (
    "The paper's argument for mixing: attention passes on what is smooth and reaches far, convolution what is fine and "
    "near, so a block with both has both. This is what the blocks of one network do. Two measures say how fine a map "
    "is. The log amplitude of a frequency (Park and Kim, arXiv 2202.06709) is against frequency 0, the mean of the "
    "map. The share of high frequencies leaves the mean out: of the power that varies over positions, it is that above "
    "half of the highest frequency that positions can carry. The two may disagree on a part that adds mostly a "
    "constant. The attention distance is that between a query and what it attends to, in pixels of the input; a key "
    "that averages several positions stands at their mean. Intervals are of 95 %, over images."
)


def write(report: Report, path: Path) -> None:
    """Writes the page, whole or not at all."""
    files.replace(path, page(report))


def page(report: Report) -> str:
    """The whole page as text."""
    noise = table.white_noise(report)
    return document.report(
        title=f"The mechanism of {report.architecture}",
        lead=LEAD,
        facts=table.facts(report) | ({"white noise has high frequencies of": noise} if noise else {}),
        remarks=report.sentences,
        figures=drawn(report),
        headings=table.HEADINGS,
        rows=[_row(block) for block in report.blocks],
    )


def _row(block: Observed) -> str:
    return "<tr>" + "".join(f'<td class="number">{escape(cell)}</td>' for cell in table.row(block)) + "</tr>"


def drawn(report: Report) -> "dict[str, go.Figure]":
    """The figures by name: those for which the network has blocks whose maps are large enough."""
    subjects = {
        "branches": report.mixing,
        "parts": report.mixing,
        "shares": report.seen,
        "spectra": report.seen,
        "distances": report.attending,
    }
    return {name: draw(info(report)) for name, (info, draw) in FIGURES.items() if subjects[name]}
