"""The model card: one page of Markdown that tells a later reader what is in the folder, and where it comes from."""

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


def write(deliverable: Deliverable, artefacts: Sequence[Artefact], folder: Path) -> None:
    """Writes the card and the drawing that it shows."""
    drawing = svg(deliverable.architecture).replace("<svg", f"<svg {NAMESPACE}", 1)
    (folder / DRAWING).write_text(drawing + "\n", encoding="utf-8")
    (folder / CARD).write_text(text(deliverable, artefacts), encoding="utf-8")


def text(deliverable: Deliverable, artefacts: Sequence[Artefact]) -> str:
    """The card."""
    architecture = deliverable.architecture
    return Template(document.asset("card.md")).substitute(
        notation=architecture,
        spoken=spoken(architecture),
        glyph=glyph(architecture),
        id=architecture.id,
        weights=deliverable.weights,
        numbers="\n".join(_numbers(deliverable.provenance.get("measurements", {}))),
        files="\n".join(map(_described, artefacts)),
        loading="\n\n".join(_loading(artefact.format) for artefact in artefacts),
        resolution=deliverable.resolution,
        crop=f"{CROP:.0%}",
        mean=MEAN,
        std=STD,
        classes=deliverable.num_classes,
        labels=f": {', '.join(deliverable.labels)}" if deliverable.labels else "",
        channels=", ".join(map(str, architecture.feature_channels)),
        origin="\n".join(_origin(deliverable.provenance)),
    )


def _described(artefact: Artefact) -> str:
    names = ", ".join(f"`{name}`" for name in artefact.files)
    latency = f" {artefact.latency}." if artefact.latency else ""
    return f"- **{artefact.format}** ({names}): {artefact.verdict}.{latency}"


def _numbers(measurements: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not measurements:
        yield "None: the network comes from no search."
        return
    yield from ("| metric | value | 95 % interval | kind | where |", "|---|---|---|---|---|")
    for name, measurement in measurements.items():
        value, low, high = (measurement[key] for key in ("value", "low", "high"))
        interval = f"{low:.4g} to {high:.4g}" if high > low else "-"
        # The flag of an accuracy says when it is no better than chance.
        kind = measurement["quality"] if measurement["kind"] == "trained" else measurement["kind"]
        yield f"| {name} | {value:.4g} {measurement['unit']} | {interval} | {kind} | {measurement['device']} |"
    if any(measurement["kind"] == "score" for measurement in measurements.values()):
        yield from ("", "A score ranks candidates; it is no accuracy.")


def _loading(name: str) -> str:
    language, lines = exports.get(name).LOADING
    return f"```{language}\n{lines}\n```"


def _origin(provenance: Mapping[str, Any]) -> Iterator[str]:
    """The search that proposed the network, or a sentence that it comes from no search."""
    if "run" not in provenance:
        yield "The network was named by hand; it comes from no search."
    for name, value in provenance.items():
        if name == "versions":
            yield f"- versions: {', '.join(f'{package} {version}' for package, version in value.items())}"
        elif name != "measurements":
            yield f"- {name}: {value}"
