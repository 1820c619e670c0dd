"""The model card: one page of Markdown with what a person who finds the folder in a year wants to know."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from results import exports
from results.exports.common.artefact import Artefact
from results.exports.common.deliverable import Deliverable
from results.glyphs import glyph, spoken, svg
from results.pages import document
from search_spaces.nextvit.preparation import CROP, MEAN, STD

CARD, DRAWING = "README.md", "architecture.svg"
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'  # which a drawing needs in a file of its own


def write(what: Deliverable, artefacts: Sequence[Artefact], folder: Path) -> None:
    """Writes the card and the drawing that it shows."""
    drawing = svg(what.architecture).replace("<svg", f"<svg {NAMESPACE}", 1)
    (folder / DRAWING).write_text(drawing + "\n", encoding="utf-8")
    (folder / CARD).write_text(text(what, artefacts), encoding="utf-8")


def text(what: Deliverable, artefacts: Sequence[Artefact]) -> str:
    """The card."""
    plan = what.architecture
    return Template(document.asset("card.md")).substitute(
        notation=plan,
        spoken=spoken(plan),
        glyph=glyph(plan),
        id=plan.id,
        weights=what.weights,
        numbers="\n".join(_numbers(what.provenance.get("measurements", {}))),
        files="\n".join(
            f"- {_named(each)}: {each.verdict}." + f" {each.latency}." * bool(each.latency) for each in artefacts
        ),
        loading="\n\n".join(_loading(each.format) for each in artefacts),
        resolution=what.resolution,
        crop=f"{CROP:.0%}",
        mean=MEAN,
        std=STD,
        classes=what.num_classes,
        labels=f": {', '.join(what.labels)}" if what.labels else "",
        channels=", ".join(map(str, plan.feature_channels)),
        origin="\n".join(_origin(what.provenance)),
    )


def _named(artefact: Artefact) -> str:
    return f"**{artefact.format}** ({', '.join(f'`{name}`' for name in artefact.files)})"


def _numbers(measurements: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not measurements:
        yield "None: this network comes from no search."
        return
    yield from ("| metric | value | 95 % interval | kind | where |", "|---|---|---|---|---|")
    for name, each in measurements.items():
        interval = f"{each['low']:.4g} to {each['high']:.4g}" if each["high"] > each["low"] else "-"
        kind = each["quality"] if each["kind"] == "trained" else each["kind"]  # which says so where it is at chance
        yield f"| {name} | {each['value']:.4g} {each['unit']} | {interval} | {kind} | {each['device']} |"
    if any(each["kind"] == "score" for each in measurements.values()):
        yield from ("", "A score ranks candidates; it is no accuracy.")


def _loading(name: str) -> str:
    language, lines = exports.get(name).LOADING
    return f"```{language}\n{lines}\n```"


def _origin(provenance: Mapping[str, Any]) -> Iterator[str]:
    """The search that found it, or that it was given."""
    if "run" not in provenance:
        yield "It was given by hand, not found by a search."
    for name, value in provenance.items():
        if name == "versions":
            yield f"- versions: {', '.join(f'{package} {version}' for package, version in value.items())}"
        elif name != "measurements":
            yield f"- {name}: {value}"
