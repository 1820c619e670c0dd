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
from search_spaces import Architecture, Network

CARD, DRAWING = "README.md", "architecture.svg"
FAMILY = """A network of the Next-ViT family (arXiv 2207.05501): C is a convolution block (NCB), T a transformer block
(NTB), one group of letters for each stage."""
PEER = "A network of another family, which timm builds."
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'  # which a drawing needs in a file of its own


def write(deliverable: Deliverable, artefacts: Sequence[Artefact], folder: Path) -> None:
    """Writes the card and the drawing that it shows."""
    drawing = svg(deliverable.architecture).replace("<svg", f"<svg {NAMESPACE}", 1)
    (folder / DRAWING).write_text(drawing + "\n", encoding="utf-8")
    (folder / CARD).write_text(text(deliverable, artefacts), encoding="utf-8")


def text(deliverable: Deliverable, artefacts: Sequence[Artefact]) -> str:
    """The card."""
    architecture, prepared = deliverable.architecture, deliverable.preprocessing
    return Template(document.asset("card.md")).substitute(
        notation=architecture,
        spoken=spoken(architecture),
        glyph=glyph(architecture) or architecture,
        family=PEER if deliverable.peer else FAMILY,
        id=architecture.id,
        weights=deliverable.weights,
        numbers="\n".join(_numbers(deliverable.provenance.get("measurements", {}))),
        files="\n".join(map(_described, artefacts)),
        loading="\n\n".join(_loading(artefact.format, deliverable) for artefact in artefacts),
        resolution=deliverable.resolution,
        crop=f"{prepared['crop']:.0%}",
        mean=tuple(prepared["mean"]),
        std=tuple(prepared["std"]),
        interpolation=prepared["interpolation"],
        classes=deliverable.num_classes,
        labels=f": {', '.join(deliverable.labels)}" if deliverable.labels else "",
        backbone=_backbone(architecture),
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


def _backbone(network: Network) -> str:
    """What it gives for dense tasks; nothing of a network of another family."""
    if not isinstance(network, Architecture):
        return ""
    channels = ", ".join(map(str, network.feature_channels))
    return (
        f"\nAs a backbone for dense tasks, it gives feature maps at strides 4, 8, 16 and 32 with {channels} channels.\n"
    )


def _loading(name: str, deliverable: Deliverable) -> str:
    language, lines = exports.loading(name, deliverable)
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
