"""The dashboard: a run as one HTML file that needs no server and makes no network request."""

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any

from evaluators import Measurement, Metric
from evaluators.core.measurement import digest
from evaluators.counts.formula import located, work
from evaluators.stopwatch.calibration import described
from results import exports, figures, front, novelty, rules, verification
from results.figures.common.style import title
from results.figures.common.view import View
from results.pages import document, health
from results.pages.columns import columns, metrics
from results.store.record import Run, Trial
from results.validity import UNVALIDATED
from search_spaces import Architecture
from search_spaces.common import files

NOTHING: Mapping[str, str] = MappingProxyType({})
ALL_CARDS = 300  # networks: in larger runs only those on a front have a whole card in the file
PLOTLY = "plotly.js"  # where a live page finds it, once: the rest of the page is a twentieth of the bytes
MOST_RULES, MOST_SENTENCES = 5, 5  # on the page; of health, the others are folded


def write(run: Run, path: Path) -> None:
    """Writes the page, whole or not at all."""
    files.replace(path, page(run))


def version(run: Run, further: Mapping[str, str] = NOTHING) -> str:
    """A digest that is equal for runs whose pages are equal, with equal further facts."""
    trials = [
        [trial.number, trial.state, sorted((name, m.context, m.when) for name, m in trial.measurements.items())]
        for trial in run.trials
    ]
    return digest([run.name, run.config, run.validity, trials, dict(further)])


def page(run: Run, live: bool = False, further: Mapping[str, str] = NOTHING) -> str:
    """The whole page as text, with `further` facts at its head.

    A live page polls its own address for a newer version, and finds Plotly at `PLOTLY`.
    """
    from plotly.offline import get_plotlyjs

    views = figures.views()
    infos = {name: figures.info(name, run) for name in ("pareto", *views)}
    drawn = {name: _drawn(name, info) for name, info in infos.items()}
    return Template(document.asset("dashboard.html")).substitute(
        title=escape(f"{run.name} - nas"),
        connect="'self'" if live else "'none'",
        scripts=" ".join(["'unsafe-inline'", "'unsafe-eval'", *(["'self'"] if live else [])]),
        version=version(run, further) if live else "",
        style=document.asset("dashboard.css"),
        plotly=f'<script src="{PLOTLY}"></script>' if live else f"<script>{get_plotlyjs()}</script>",
        script=_script(),
        data=document.embedded(_payload(run, drawn, infos["strategy"].worth)),
        name=escape(run.name),
        subtitle=escape(_subtitle(run)),
        facts=_facts(run, further),
        pareto_summary=escape(infos["pareto"].summary),
        views="\n".join(_view(name, view, infos[name].summary, bool(drawn[name])) for name, view in views.items()),
        head=_head(metrics(run)),
        health=_health(run),
        rules=_rules(run),
        method=escape(json.dumps(run.config, indent=2)),
        measuring=_measuring(run),
        reproduce=escape(_command(run)),
    )


def _script() -> str:
    folder = resources.files("results") / "assets" / "page"
    return "\n".join(part.read_text(encoding="utf-8") for part in sorted(folder.iterdir(), key=lambda path: path.name))


def _drawn(name: str, info: Any) -> dict[str, Any] | None:
    """The figure as plain data; None where there is nothing to draw but its axes."""
    figure: dict[str, Any] = json.loads(figures.draw(name, info).to_json())
    if name == "pareto":  # the page fills it from its columns, for any two metrics
        for trace in figure["data"]:
            trace |= {"x": [], "y": [], "customdata": []}
        return figure
    held = (trace.get(key) for trace in figure["data"] for key in ("x", "dimensions"))
    return figure if any(held) else None


def _view(name: str, view: View, summary: str, drawn: bool) -> str:
    """A section below the front; the page draws it when it is opened."""
    opened = " open" if view.is_open else ""
    return (
        f'<details class="view" data-view="{name}"{opened}><summary><h2>{escape(view.heading)}</h2></summary>'
        + (f'<div id="{name}" class="plot {name}" role="figure" aria-label="{escape(summary)}"></div>' if drawn else "")
        + f'<p class="summary" id="{name}-summary">{escape(summary)}</p></details>'
    )


def _payload(run: Run, drawn: dict[str, Any], worth: str) -> dict[str, Any]:
    members = front.front(run)
    return {
        "run": run.name,
        "store": run.store_option,
        "formats": exports.names(),
        "objectives": [metric.name for metric in run.objectives],
        "limits": run.config.get("limits", []),
        "members": len(members),
        "worth": worth,
        "remarks": verification.predictions(run, members),
        "columns": columns(run),
        "figures": {name: figure for name, figure in drawn.items() if figure},
        "cards": {trial.number: _card(run, trial) for trial in _with_cards(run)},
    }


def _with_cards(run: Run) -> list[Trial]:
    """The networks whose whole card is in the file; the cards of the others show what is in the columns."""
    succeeded, known = run.succeeded(), metrics(run)
    if len(succeeded) <= ALL_CARDS:
        return succeeded
    by_direction = {way: [metric for metric in known if metric.direction == way] for way in ("minimize", "maximize")}
    fronts = [front.plane(run, y, x)[1] for x in by_direction["minimize"] for y in by_direction["maximize"]]
    numbers = {trial.number for members in (front.front(run), *fronts) for trial in members}
    return [trial for trial in succeeded if trial.number in numbers or trial.anchor]


def _card(run: Run, trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.architecture.id,
        "measurements": [
            row for name, measurement in trial.measurements.items() for row in _measurement(name, measurement)
        ],
        "warnings": sorted({warning for m in trial.measurements.values() for warning in m.warnings}),
        "shares": {
            name: shares for name, measurement in trial.measurements.items() if (shares := _shares(measurement))
        },
        "work": _work(trial),
        "unlike": list(novelty.reasons(trial.architecture)),
        "config": trial.architecture.to_json(),  # what nas export writes
    }


def _work(trial: Trial) -> list[list[float]]:
    """The multiply-accumulates of every block, in billions, by stage; nothing for networks of other families."""
    if not isinstance(trial.architecture, Architecture):
        return []
    resolution = next(
        (m.protocol["resolution"] for m in trial.measurements.values() if "resolution" in m.protocol), 224
    )
    counts = iter([work(block, side).all_macs for block, side in located(trial.architecture, resolution)])
    return [[round(next(counts) / 1e9, 5) for _ in stage.blocks] for stage in trial.stages]


def _shares(measurement: Measurement) -> list[float]:
    """How a latency is shared among the parts of the network, in percent; nothing where its run-time does not tell."""
    return list(measurement.time_shares.values())


def _measurement(name: str, measurement: Measurement) -> Iterator[list[str]]:
    interval = f"{measurement.low:.4g} to {measurement.high:.4g}" if measurement.high > measurement.low else "-"
    kind = ", ".join(filter(None, [measurement.metric.kind, measurement.fidelity]))
    quality = "" if measurement.quality == measurement.metric.kind else f", {measurement.quality}"
    timed = f", {words}" if (words := described(measurement)) else ""
    where = f", {measurement.device.label}{quality}{timed}" if measurement.device.facts else ""
    yield [name, f"{measurement.value:.4g} {measurement.unit}", interval, kind + where]
    for further in measurement.further:
        yield [f"{name} {further.name}", f"{further.value:.4g} {further.unit}", "-", kind]


def _subtitle(run: Run) -> str:
    """The run in a line: its space, how far it is, and where its latencies were measured."""
    space = " ".join([str(run.config.get("space", "?")), *run.config.get("fix", [])])
    where = "; ".join(sorted(_devices(run)))
    return ", ".join(
        filter(None, [f"space {space}", f"{run.counted} of {run.config.get('budget', '?')} candidates", where])
    )


def _facts(run: Run, further: Mapping[str, str]) -> str:
    states = Counter(trial.state for trial in run.trials)
    facts = {
        "space": ", ".join([str(run.config.get("space", "?")), *run.config.get("fix", [])]),
        "candidates": f"{run.counted} of {run.config.get('budget', '?')}: "
        + (", ".join(f"{count} {state}" for state, count in states.items()) or "none yet"),
        "limits": ", ".join(run.config.get("limits", [])) or "none",
        "device": "; ".join(sorted(_devices(run))) or "nothing measured yet",
        "latency": "; ".join(verification.flags(run)) or "nothing measured yet",
        "accuracy": "; ".join(f"{name}: {words}" for name, words in run.validity.items()) or UNVALIDATED,
        "sampler": f"{run.config.get('sampler', '?')}, seed {run.config.get('seed', '?')}",
        "front": _coverage(run),
    }
    return document.described(facts | dict(further))


def _coverage(run: Run) -> str:
    volume = front.relative_hypervolume(run)
    if not volume:
        return "none of the paper's networks was measured"
    if obstacles := verification.obstacles(run):
        return f"not compared with {front.anchor_names(run)}: {' '.join(obstacles)}"
    return f"covers {volume:.2f} times as much as {front.anchor_names(run)}"


def _devices(run: Run) -> set[str]:
    measurements = (measurement for trial in run.trials for measurement in trial.measurements.values())
    known = [measurement for measurement in measurements if measurement.device.facts]
    return {
        measurement.device.label + (" (predicted)" if measurement.metric.kind == "predicted" else "")
        for measurement in known
    }


def _health(run: Run) -> str:
    """The most important sentences, and the others folded."""
    found = [f"<li>{escape(sentence)}</li>" for sentence in health.sentences(run)]
    shown, folded = found[:MOST_SENTENCES], found[MOST_SENTENCES:]
    more = f"<details><summary>{len(folded)} more</summary><ul>{''.join(folded)}</ul></details>" if folded else ""
    return f'<ul class="health">{"".join(shown)}</ul>{more}'


def _rules(run: Run) -> str:
    """The surest rules that pass, and what was tried."""
    found = rules.rules(run)
    told = "".join(f"<li>{escape(str(rule))}</li>" for rule in found.rules[:MOST_RULES])
    rest = len(found.rules) - MOST_RULES
    more = f" These are the surest; nas show --rules tells {rest} more." if rest > 0 else ""
    return f'<ul class="health">{told}</ul><p class="summary">{escape(found.summary + more)}</p>'


def _head(known: Sequence[Metric]) -> str:
    """The headings of the table; those of metrics say which way is better when they are pointed at."""
    metric_headings = [(f"{metric.name} [{metric.unit}]", title(metric)) for metric in known]
    headings = [("trial", ""), *metric_headings, ("network", "a mark for each block"), ("notation", "")]
    return "".join(
        f'<th scope="col"><button type="button" title="{escape(tip)}">{escape(heading)}</button></th>'
        for heading, tip in headings
    )


def _measuring(run: Run) -> str:
    """How each metric of the run was obtained, from the newest measurement of it."""
    newest = {name: m for trial in run.succeeded() for name, m in trial.measurements.items()}
    notes = {
        name: {"versions": m.versions, "protocol": m.protocol, "device": m.device.facts, "kind": m.metric.kind}
        for name, m in newest.items()
    }
    return escape(json.dumps(notes, indent=2))


def _command(run: Run) -> str:
    config = run.config
    options = [f"--{name} {config[name]}" for name in ("space", "budget", "proxy", "seed", "sampler") if name in config]
    options += [f"--fix {shlex.quote(text)}" for text in run.config.get("fix", [])]
    options += [f"--train {config['evaluations']}"] if str(config.get("proxy", "")).startswith("auto") else []
    options += [f"--latency {latency}" for latency in config.get("latencies", [])]
    options += [f"--anchor {shlex.quote(text)}" for text in config.get("anchors", [])]
    options += [f"--limit '{limit}'" for limit in config.get("limits", [])]
    return " ".join(["nas run", *options])
