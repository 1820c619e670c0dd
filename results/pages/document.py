"""Parts of HTML pages, and a whole report: facts, figures and a table in one file that makes no network request."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

LONG = 120  # letters of a description


def report(
    *,
    title: str,
    lead: str,
    facts: Mapping[str, str],
    remarks: Sequence[str],
    figures: "Mapping[str, go.Figure]",
    headings: Sequence[str],
    rows: Sequence[str],
) -> str:
    """The whole page as text. Rows are HTML that the caller has escaped; everything else is escaped here."""
    from plotly.offline import get_plotlyjs

    return Template(asset("report.html")).substitute(
        title=escape(title),
        lead=escape(lead),
        style=asset("dashboard.css"),
        plotly=get_plotlyjs(),
        facts=described(facts),
        remarks="".join(f"<li>{escape(remark)}</li>" for remark in remarks),
        plots="".join(f'<div class="plot" id="{name}" role="figure" aria-label="{name}"></div>' for name in figures),
        head="".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings),
        rows="\n".join(rows),
        data=embedded({name: json.loads(figure.to_json()) for name, figure in figures.items()}),
    )


def asset(name: str) -> str:
    """A file of results/assets/, as text."""
    return (resources.files("results") / "assets" / name).read_text(encoding="utf-8")


def described(facts: Mapping[str, str]) -> str:
    """The terms and descriptions at the head of a page; long ones get a row of their own."""
    return "".join(
        f"<div{' class=wide' if len(text) > LONG else ''}><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>"
        for term, text in facts.items()
    )


def embedded(data: object) -> str:
    """JSON for a script element, escaped so that nothing in it ends the element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
