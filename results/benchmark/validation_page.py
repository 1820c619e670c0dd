"""The report of `nas validate` as one HTML page: a table that says everything, and two figures above it."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.benchmark.validation import Report, Row
from results.colours import BLUE, GREY, LIGHT_GREY, PURPLE, VERMILION
from results.figures.common.style import layout
from results.pages import document
from search_spaces.common import files

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = {
    "structure": GREY,
    "score": BLUE,
    "latency": PURPLE,
    "control": LIGHT_GREY,
    "prediction": VERMILION,
    "chance": LIGHT_GREY,
}

LEAD = (
    "Papers report rank correlations: Kendall's tau is 1 where a score orders the networks as their true accuracy "
    "does, and 0 by chance. Users lose by regret: the accuracy of the best network within a latency budget, minus "
    "that of the network that the score picks. A score is worth its cost only if it beats the counts of the network."
)


def write(report: Report, path: Path) -> None:
    """Writes the page, whole or not at all."""
    files.replace(path, page(report))


def page(report: Report) -> str:
    """The whole page as text."""
    return document.report(
        title=f"What ranks {report.truth}, and what it costs",
        lead=LEAD,
        facts=facts(report),
        remarks=report.remarks or ["no remarks"],
        figures={"tau": tau_figure(report), **{f"regret-{n}": f for n, f in enumerate(regret_figures(report))}},
        headings=headings(report),
        rows=[_row(report, row) for row in report.rows],
    )


def facts(report: Report) -> dict[str, str]:
    """The facts at the head of the report."""
    ceiling = "unknown: one seed" if report.ceiling is None else f"tau {report.ceiling:.2f} between seeds"
    return {
        "networks": str(report.networks),
        "seeds": str(report.seeds),
        "noise ceiling": ceiling,
        "scores tried": f"{report.tried}; p-values are corrected for that",
        "predictions": f"mean over {report.draws} random draws of the networks that were evaluated",
    }


def devices(report: Report) -> list[str]:
    """The latencies under which regret was worked out."""
    return list(dict.fromkeys(device for row in report.rows for device in row.regrets))


def headings(report: Report) -> list[str]:
    """Of the table."""
    return [
        "score",
        "kind",
        "tau [95 %]",
        "rho",
        "tau given structure",
        "tau at equal MACs",
        "gain over best structure",
        "p",
        "90 % interval holds",
        *(f"points lost (best of 10) on {device}" for device in devices(report)),
    ]


def cells(report: Report, row: Row) -> list[str]:
    """One row of the table, as text; a dash where a number would mean nothing."""

    def number(value: float | None, form: str = ".2f") -> str:
        return "-" if value is None else format(value, form)

    regrets = []
    for device in devices(report):
        regret = row.regrets.get(device)
        ten = "" if not regret or regret.best_of_10 is None else f" ({regret.best_of_10:.2f})"
        regrets.append(f"{regret.mean:.2f}{ten}" if regret else "-")
    return [
        row.name,
        row.kind,
        str(row.tau or "-"),
        number(row.rho),
        number(row.partial_tau),
        number(row.grouped_tau),
        str(row.gain or "-"),
        "<0.001" if row.p_value is not None and row.p_value < 0.001 else number(row.p_value, ".3f"),
        number(row.coverage, ".0%"),
        *regrets,
    ]


def _row(report: Report, row: Row) -> str:
    texts = cells(report, row)
    return "<tr>" + "".join(f'<td class="number">{escape(text)}</td>' for text in texts) + "</tr>"


def tau_figure(report: Report) -> "go.Figure":
    """Rank correlations with their intervals, and the noise ceiling."""
    import plotly.graph_objects as go

    rows = [row for row in report.rows if row.tau][::-1]
    figure = go.Figure()
    for kind, colour in COLOURS.items():
        mine = [row for row in rows if row.kind == kind]
        taus = [row.tau for row in mine if row.tau]
        figure.add_scatter(
            name=kind,
            x=[tau.value for tau in taus],
            y=[row.name for row in mine],
            mode="markers",
            marker={"color": colour, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [tau.high - tau.value for tau in taus],
                "arrayminus": [tau.value - tau.low for tau in taus],
            },
            visible=bool(mine),
        )
    if report.ceiling is not None:
        figure.add_vline(x=report.ceiling, line={"dash": "dash", "color": GREY}, annotation={"text": "seeds agree"})
    figure.update_layout(_layout("Kendall's tau with the true accuracy, 95 % interval", [row.name for row in rows]))
    return figure


def regret_figures(report: Report) -> "list[go.Figure]":
    """For each latency: the points of accuracy that choosing by a score loses."""
    import plotly.graph_objects as go

    figures = []
    for device in devices(report):
        rows = [row for row in report.rows if device in row.regrets][::-1]
        figure = go.Figure()
        figure.add_bar(
            orientation="h",
            x=[row.regrets[device].mean for row in rows],
            y=[row.name for row in rows],
            marker={"color": [COLOURS[row.kind] for row in rows]},
        )
        figure.update_layout(_layout(f"points lost at ten budgets of {device}, mean", [row.name for row in rows]))
        figures.append(figure)
    return figures


def _layout(x: str, names: list[str]) -> dict[str, Any]:
    """A row for each of the names, in their order."""
    return {
        **layout(x, ""),
        "xaxis_zeroline": True,
        "yaxis_categoryorder": "array",
        "yaxis_categoryarray": names,
        "height": 140 + 24 * len(names),
    }
