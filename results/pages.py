"""A report as one HTML page: facts above, figures, and a table that says everything. No server, no network."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go


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
    """The whole page as text. Rows are HTML, of the caller's own making; everything else is escaped here."""
    from plotly.offline import get_plotlyjs

    assets = resources.files("results") / "assets"
    return Template((assets / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        lead=escape(lead),
        style=(assets / "dashboard.css").read_text(encoding="utf-8"),
        plotly=get_plotlyjs(),
        facts="".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items()),
        remarks="".join(f"<li>{escape(remark)}</li>" for remark in remarks),
        plots="".join(f'<div class="plot" id="{name}" role="img" aria-label="{name}"></div>' for name in figures),
        head="".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings),
        rows="\n".join(rows),
        data=json.dumps({name: json.loads(each.to_json()) for name, each in figures.items()}).replace("<", "\\u003c"),
    )
