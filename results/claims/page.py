"""The verdicts as one HTML page: what is predicted, what was found, and how far it can be trusted."""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from results.claims import table
from results.claims.claim import Evidence, Report, Verdict
from results.colours import BLUE, GREY, VERMILION
from results.figures.common.style import titled
from results.pages import document
from results.reference.comparisons import Number
from search_spaces.common import files

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEAD = (
    "Each claim is an experiment with a prediction. It holds if all of its parts hold, fails if one of them does, and "
    "cannot be told where the evidence does not decide. Predictions are shown and confirm nothing. Of claims of "
    "strength B the direction alone is known: no number is shown for them as published."
)
COLUMNS = ("claim", "evidence", "what was found", "answer")
TOP = 'style="vertical-align: top"'
WRAPPED = 32  # letters of a line of a figure's label
SHOWN = 6  # numbers of a piece of evidence; the rest folds out
COLOURS = {"holds": BLUE, "fails": VERMILION, "cannot be told": GREY}
INKS = {"holds": "--accent", "fails": "--doubt"}  # the same for text, readable in light and dark
OPTION = re.compile(r"--[a-z][\w-]*")


def write(report: Report, path: Path) -> None:
    """Writes the page, whole or not at all."""
    files.replace(path, page(report))


def page(report: Report) -> str:
    """The whole page as text."""
    figures = {"times": figure(report)} if _bars(report) else {}
    return document.report(
        title=table.TITLE,
        lead=LEAD,
        facts=table.facts(report),
        remarks=list(_summary(report)),
        figures=figures,
        headings=COLUMNS,
        rows=[row for verdict in report.verdicts for row in _rows(verdict)],
    )


def _summary(report: Report) -> Iterator[str]:
    """A sentence for each claim that is settled, and one for the others."""
    untold = [each for each in report.verdicts if each.holds is None]
    for each in report.verdicts:
        if each not in untold:
            yield f"{each.claim.number}. {each.sentence}"
    if untold:
        numbers = ", ".join(str(each.claim.number) for each in untold)
        yield f"Cannot be told: {numbers}. The table says what each of them would take."


def _rows(verdict: Verdict) -> Iterator[str]:
    """A row for each piece of evidence; the claim spans them, where there is room for columns."""
    claim, count = verdict.claim, len(verdict.evidence)
    first = (
        f'<td rowspan="{count}" {TOP}><b>{claim.number}. {escape(claim.sentence)}</b><br>{_word(verdict.word)}'
        f"<br><br>Predicts: {escape(claim.predicts)}<br><br>Published: {escape(table.published(verdict))}</td>"
    )
    for each in verdict.evidence:
        yield f'<tr class="stacks">{first}{"".join(f"<td {TOP}>{cell}</td>" for cell in _cells(each))}</tr>'
        first = ""


def _cells(evidence: Evidence) -> Iterator[str]:
    yield f"{escape(table.label(evidence))}<br>{escape(evidence.finding.claim)}"
    numbers = [escape(str(number)) for number in evidence.finding.numbers]
    more = "<br>".join(numbers[SHOWN:])
    notes = [f"<small>{term}: {_unbroken(text)}</small>" for term, text in table.notes(evidence)]
    folded = [f"<details><summary>{len(numbers) - SHOWN} more</summary>{more}</details>"] if more else []
    yield (
        "<br>".join(numbers[:SHOWN]) + "".join(folded) + ("<br>" if numbers and not folded else "") + "<br>".join(notes)
    )
    yield _word(evidence.word)


def _unbroken(text: str) -> str:
    """Escaped, with options of commands that do not break at their hyphens."""
    return OPTION.sub(r'<span style="white-space: nowrap">\g<0></span>', escape(text))


def _word(word: str) -> str:
    return f'<b style="color: var({INKS.get(word, "--quiet")})">{escape(word)}</b>'


def _bars(report: Report) -> list[tuple[str, Number, str]]:
    """Every ratio of times that was measured here: its label in lines, the number and the answer that it belongs to."""
    return [
        ("<br>".join(wrap(f"{verdict.claim.number}: {number.name}", WRAPPED)), number, each.word)
        for verdict in report.verdicts
        for each in verdict.evidence
        if each.kind == "measured"
        for number in each.finding.numbers
        if number.unit == "times"
    ]


def figure(report: Report) -> "go.Figure":
    """The ratios of times that were measured here, with their intervals."""
    import plotly.graph_objects as go

    drawn, bars = go.Figure(), _bars(report)
    for word, colour in COLOURS.items():
        mine = [(name, number) for name, number, answer in bars if answer == word]
        drawn.add_scatter(
            name=f"the prediction {word}",
            x=[number.value for _, number in mine],
            y=[name for name, _ in mine],
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(number.high or number.value) - number.value for _, number in mine],
                "arrayminus": [number.value - (number.low or number.value) for _, number in mine],
            },
            visible=bool(mine),
        )
    title = f"Measured here, {report.latency} on {report.device}"
    drawn.update_layout(
        {
            **titled(title, "ratio of times", "", 180 + 36 * len(bars)),
            "yaxis_categoryorder": "array",
            "yaxis_categoryarray": [name for name, _, _ in bars][::-1],
            "yaxis_automargin": True,
            "shapes": [{"type": "line", "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY}}],
        }
    )
    return drawn
