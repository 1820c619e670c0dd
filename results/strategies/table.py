"""The tables of `nas strategies`: one row for each strategy, and one for each of its networks."""

from results.strategies.report import Answer, Entry, Report, Standing

NONE = "-"


def headings(report: Report) -> list[str]:
    """Of an answer's table."""
    name = report.metric.name.partition(":")[0]
    return [
        "strategy",
        "rank",
        f"{name} [{report.metric.unit}]",
        "difference [95 %]" if report.metric.kind != "predicted" else "difference [90 %]",
        "told apart",
        "params [M]",
        "MACs [G]",
        "latency [ms]",
        "off by",
    ]


def row(answer: Answer, standing: Standing) -> list[str]:
    """A strategy, over its networks; ranges where they differ."""
    difference = standing.difference
    apart = ("yes" if difference.told_apart else "no") if difference else NONE
    return [
        standing.name,
        str(answer.ranks.get(standing.name, NONE)) if not answer.unseen else NONE,
        NONE if standing.value is None else f"{standing.value:.4g}",
        str(difference or (NONE if standing.name != answer.reference else "reference")),
        apart,
        _range([entry.params for entry in standing.entries], ".1f"),
        _range([entry.macs for entry in standing.entries], ".2f"),
        _range([entry.latency.value for entry in standing.entries], ".4g"),
        f"{standing.worst_miss:.1%}" if standing.entries else "out of reach",
    ]


NETWORK_HEADINGS = ["question", "strategy", "scaling", "network", "latency", "off by", "params", "MACs", "results"]


def network_row(answer: Answer, standing: Standing, entry: Entry) -> list[str]:
    """One network of a strategy."""
    results = ", ".join(f"{value:.4g}" for value in entry.results)
    return [
        answer.name,
        standing.name,
        entry.scaling,
        str(entry.network),
        str(entry.latency),
        f"{entry.missed_by:+.1%}",
        f"{entry.params:.1f} M",
        f"{entry.macs:.2f} G",
        results or entry.failure,
    ]


def _range(values: list[float], form: str) -> str:
    if not values:
        return NONE
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"
