"""Exports a network: writes every format, verifies it against the network, and only then moves it to its place."""

from collections.abc import Callable, Sequence
from pathlib import Path

import evaluators
from evaluators.targets.latency import Latency
from results import exports
from results.exports.common import card, verification
from results.exports.common.artefact import Artefact
from results.exports.common.deliverable import Deliverable
from search_spaces.common import files
from search_spaces.common.errors import NegativeAnswer, UsageError


def export(
    deliverable: Deliverable,
    formats: Sequence[str],
    output: Path,
    *,
    force: bool = False,
    report: Callable[[Artefact], object] = lambda artefact: None,
) -> list[Artefact]:
    """Writes a network in some formats into a new folder, with a model card; or one format as the one file `output`.

    `report` is called with every format as soon as it is done.

    Raises:
        UsageError: the output exists, and `force` was not given.
        NegativeAnswer: something could not be written, or answers otherwise than the network: nothing is left behind.
    """
    if not formats:
        raise UsageError("no format was named", f"known: {', '.join(exports.names())}")
    _check_family(deliverable, formats)
    target = files.target(output)
    if target.exists() and not force:
        raise UsageError(f"'{output}' exists", "give --force to overwrite it, or another name with -o")
    _check_replaceable(target)
    file = as_file(formats, output)
    if not file and (target.is_file() or output.suffix in _endings()):
        raise UsageError(f"'{output}' is a file's name, but {', '.join(formats)} need a folder", "name a folder")
    with files.replacing(output) as unfinished:
        folder = unfinished.with_name("all") if file else unfinished
        folder.mkdir()
        artefacts, reference = [], verification.Reference(deliverable)
        for name in dict.fromkeys(formats):
            artefacts.append(_write(deliverable, name, folder, reference))
            report(artefacts[-1])
        if file:
            (folder / file).rename(unfinished)
        else:
            card.write(deliverable, artefacts, folder)
    return artefacts


def _check_family(deliverable: Deliverable, formats: Sequence[str]) -> None:
    for name in formats:
        if deliverable.peer and not exports.takes_peers(name):
            raise UsageError(
                f"the format {name} is for networks of the Next-ViT family, and {deliverable.peer} is of another",
                f"name some of: {', '.join(filter(exports.takes_peers, exports.names()))}",
            )


def _check_replaceable(output: Path) -> None:
    """An export replaces a folder as a whole, and therefore none that holds other files."""
    if Path.cwd().is_relative_to(output):
        raise UsageError(f"you are in '{output}', which would be replaced", "name another folder")
    strangers = {path.name for path in output.iterdir()} - _written() if output.is_dir() else set()
    if strangers and output.suffix not in _endings():
        named = ", ".join(sorted(strangers)[:3])
        raise UsageError(f"'{output}' holds files that no export wrote: {named}", "name another folder")


def _written() -> set[str]:
    files = {file for name in exports.names() for file in exports.get(name).FILES}
    return files | {card.CARD, card.DRAWING, "__pycache__"}


def _endings() -> set[str]:
    return {Path(file).suffix for name in exports.names() for file in exports.get(name).FILES} - {""}


def as_file(formats: Sequence[str], output: Path) -> str:
    """The file of a single format that the output names by its suffix; empty where the output is a folder."""
    if len(formats) != 1:
        return ""
    return next((name for name in exports.get(formats[0]).FILES if Path(name).suffix == output.suffix != ""), "")


def _write(deliverable: Deliverable, name: str, folder: Path, reference: verification.Reference) -> Artefact:
    module = exports.get(name)
    try:
        module.write(deliverable, folder)
        answers = module.answers(deliverable, folder, reference.images)
    except OSError as error:
        raise NegativeAnswer(f"{name} was not written: {error.strerror or error}", "check the disk") from None
    check = reference.check(name, answers, deliverable.precision if exports.has_precision(name) else "fp32")
    reason = exports.lacking(name, deliverable)
    return Artefact(
        format=name,
        files=module.FILES,
        verdict=f"{check}; {reason.message}" if reason else str(check),
        hint=reason.hint if reason else "",
        latency=_timed(deliverable, name, folder),
    )


def _timed(deliverable: Deliverable, name: str, folder: Path) -> str:
    """The latency of the file itself, and the one that the search measured for its architecture."""
    if not exports.run_time(name):
        return ""
    spec = f"{exports.run_time(name)}:resolution={deliverable.resolution},batch={deliverable.batch or 1}"
    run_time = evaluators.get(spec, "latency")
    assert isinstance(run_time, Latency)
    timing, device = run_time.time_file(folder / exports.get(name).FILES[0]), run_time.device().label
    sentence = (
        f"{timing.value:.4g} ms [{timing.low:.4g}, {timing.high:.4g}] under {run_time.spec} on {device}, just now"
    )
    measured = deliverable.provenance.get("measurements", {}).get(run_time.spec)
    if not measured or deliverable.precision != "fp32" or measured["device"] != device:
        return sentence
    return f"{sentence}; the search measured {measured['value']:.4g} [{measured['low']:.4g}, {measured['high']:.4g}]"
