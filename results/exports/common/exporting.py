"""Handing a network over: every format written, verified, and only then put in its place."""

from collections.abc import Callable, Sequence
from pathlib import Path

import evaluators
from evaluators.targets.latency import Latency
from results import exports, files
from results.exports.common import card, verification
from results.exports.common.artefact import Artefact
from results.exports.common.deliverable import Deliverable
from search_spaces.common.errors import NegativeAnswer, UsageError


def export(
    what: Deliverable,
    formats: Sequence[str],
    output: Path,
    *,
    force: bool = False,
    report: Callable[[Artefact], object] = lambda artefact: None,
) -> list[Artefact]:
    """Writes a network in some formats into a new folder, with a model card; or one format as the one file `output`.

    `report` is told of each format when it is done.

    Raises:
        UsageError: the output exists, and `force` was not given.
        NegativeAnswer: something could not be written, or answers otherwise than the network: nothing is left behind.
    """
    if not formats:
        raise UsageError("no format was named", f"known: {', '.join(exports.names())}")
    place = files.target(output)
    if place.exists() and not force:
        raise UsageError(f"'{output}' exists", "give --force to overwrite it, or another name with -o")
    _check_replaceable(place)
    name = as_file(formats, output)
    if not name and (place.is_file() or output.suffix in _endings()):
        raise UsageError(f"'{output}' is a file's name, which {', '.join(formats)} do not fit into", "name a folder")
    with files.replacing(output) as made:
        room = made.with_name("all") if name else made
        room.mkdir()
        artefacts, reference = [], verification.Reference(what)
        for each in dict.fromkeys(formats):
            artefacts.append(_write(what, each, room, reference))
            report(artefacts[-1])
        if name:
            (room / name).rename(made)
        else:
            card.write(what, artefacts, room)
    return artefacts


def _check_replaceable(output: Path) -> None:
    """A folder is replaced as a whole: not where it holds anything that no export wrote."""
    if Path.cwd().is_relative_to(output):
        raise UsageError(f"you are in '{output}', which would be replaced", "name another folder")
    strangers = {each.name for each in output.iterdir()} - _written() if output.is_dir() else set()
    if strangers and output.suffix not in _endings():
        named = ", ".join(sorted(strangers)[:3])
        raise UsageError(f"'{output}' holds what no export wrote: {named}", "name another folder")


def _written() -> set[str]:
    files = {file for name in exports.names() for file in exports.get(name).FILES}
    return files | {card.CARD, card.DRAWING, "__pycache__"}


def _endings() -> set[str]:
    return {Path(file).suffix for name in exports.names() for file in exports.get(name).FILES} - {""}


def as_file(formats: Sequence[str], output: Path) -> str:
    """Which file of a single format the output names by its ending; nothing where it is a folder."""
    if len(formats) != 1:
        return ""
    return next((each for each in exports.get(formats[0]).FILES if Path(each).suffix == output.suffix != ""), "")


def _write(what: Deliverable, name: str, folder: Path, reference: verification.Reference) -> Artefact:
    chosen = exports.get(name)
    try:
        chosen.write(what, folder)
        answers = chosen.answers(what, folder, reference.images)
    except OSError as error:
        raise NegativeAnswer(f"{name} was not written: {error.strerror or error}", "check the disk") from None
    found = reference.check(name, answers, what.precision if exports.has_precision(name) else "fp32")
    reason = exports.lacking(name, what)
    return Artefact(
        format=name,
        files=chosen.FILES,
        verdict=f"{found}; {reason.message}" if reason else str(found),
        hint=reason.hint if reason else "",
        latency=_timed(what, name, folder),
    )


def _timed(what: Deliverable, name: str, folder: Path) -> str:
    """The latency of the file itself, beside the one that the search measured for its architecture."""
    if not exports.run_time(name):
        return ""
    spec = f"{exports.run_time(name)}:resolution={what.resolution},batch={what.batch or 1}"
    run_time = evaluators.get(spec, "latency")
    assert isinstance(run_time, Latency)
    timing, device = run_time.time_file(folder / exports.get(name).FILES[0]), run_time.device().label
    told = f"{timing.median:.4g} ms [{timing.low:.4g}, {timing.high:.4g}] under {run_time.spec} on {device}"
    measured = what.provenance.get("measurements", {}).get(run_time.spec)
    if not measured or what.precision != "fp32" or measured["device"] != device:
        return told
    return f"{told}; the search measured {measured['value']:.4g} [{measured['low']:.4g}, {measured['high']:.4g}]"
