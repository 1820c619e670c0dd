"""The command `nas export`: from a point on the front, a file or a notation to files that train and deploy."""

import importlib.metadata
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators import Measurement
from evaluators.core.measurement import now
from nas import __version__, console
from nas.commands import measure
from nas.progress import progress
from results import exports, front, limits, load
from results.store.record import Run, Trial
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer, UnknownName, UsageError
from search_spaces.common.texts import is_file

if TYPE_CHECKING:
    from results.exports.common.artefact import Artefact
    from results.exports.common.deliverable import Deliverable

MOST_PIXELS = 2**24  # of a batch: 256 images of 256 px, or 16 of 1024
VERSIONS = ("torch", "timm", "onnx", "coremltools")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which network a person means, in a run or without one."""

    target: str | None = None
    trial: int | None = None
    pick: str | None = None
    max_latency: str | None = None

    @property
    def of_run(self) -> bool:
        """Whether it is one of a run's networks."""
        return self.trial is not None or bool(self.pick or self.max_latency)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the files should hold."""

    weights: str | None = None
    allow_pickle: bool = False
    classes: int | None = None
    labels: Path | None = None
    resolution: int = 224
    precision: str = "fp32"
    batch: int = 1
    image_input: bool = False


def export(
    choice: Choice, formats: Sequence[str], wishes: Wishes, output: Path, *, store_url: str, force: bool, as_json: bool
) -> None:
    """Chooses the network, writes and verifies every format, and says what came of it.

    Raises:
        UsageError: no such network, format or file.
        NegativeAnswer: nothing could be written, or it did not answer as the network does.
    """
    from results.exports.common import exporting

    for name in formats:
        exports.get(name)
    architecture, provenance = chosen(choice, store_url)
    what = deliverable(architecture, provenance, wishes)
    console.say(_introduced(what))
    written: list[str] = []
    with progress("writing and verifying formats", len(dict.fromkeys(formats))) as done:

        def tell(artefact: "Artefact") -> None:
            written.append(artefact.format)
            _tell(artefact)
            done(len(written))

        artefacts = exporting.export(what, formats, output, force=force, report=tell)
    if as_json:
        console.write_json({"output": str(output), "id": architecture.id, "files": [vars(each) for each in artefacts]})
    else:
        console.say(f"written to {output}")


def chosen(choice: Choice, store_url: str) -> tuple[Architecture, dict[str, Any]]:
    """The network, and where it comes from.

    Raises:
        UsageError: it names none, or several ways of choosing one.
    """
    origin = {"tool": f"nas {__version__}", "when": now(), "versions": _versions()}
    if choice.of_run:
        run = load(choice.target, store_url)
        trial = pick(run, choice)
        return trial.architecture, _provenance(run, trial) | origin
    if choice.target is None:
        raise UsageError(
            "say which network: --trial NUMBER, --pick knee or --max-latency ort=40ms of a run, or a network itself",
            f"{console.command('show')} lists the front with its numbers",
        )
    try:
        return measure.find_architecture(choice.target), origin
    except UnknownName as error:
        known = "is it a run? then say --trial NUMBER, --pick knee or --max-latency ort=40ms"
        raise UsageError(error.message, f"{known}\n  {error.hint}") from None


def pick(run: Run, choice: Choice) -> Trial:
    """The trial of a run that a person means: by number, the knee, or the best below a latency.

    Raises:
        UsageError: several ways at once, or no such trial.
        NegativeAnswer: it failed, or nothing succeeded within the limits.
    """
    if sum((choice.trial is not None, bool(choice.pick), bool(choice.max_latency))) > 1:
        raise UsageError("--trial, --pick and --max-latency exclude each other", "give one of them")
    if choice.trial is not None:
        return _numbered(run, choice.trial)
    if choice.max_latency:
        return _fastest(run, choice.max_latency)
    members = front.front(run)
    found = front.knee(run, members) or (members[0] if members else None)
    if not found:
        raise NegativeAnswer(f"run '{run.name}' has no front", f"no candidate succeeded: {_everything(run)} tells why")
    return found


def _numbered(run: Run, number: int) -> Trial:
    for trial in run.trials:
        if trial.number == number and trial.state == "failed":
            raise NegativeAnswer(
                f"trial {number} failed: {trial.cause}",
                f"to take it as it is, export the network itself: {console.command('export', str(trial.architecture))}",
            )
        if trial.number == number:
            return trial
    raise UsageError(
        f"run '{run.name}' has no trial {number}",
        f"its trials are 0 to {len(run.trials) - 1}" if run.trials else "it has none yet",
    )


def _fastest(run: Run, bound: str) -> Trial:
    """The best of the first objective among those that keep a bound such as `ort=40ms`."""
    limit = limits.parse(bound if "<=" in bound else "<=".join(bound.rsplit("=", 1)))
    stored = {metric for trial in run.trials for metric in trial.measurements}
    if stored and limit.metric not in stored:
        options = [f"--max-latency {shlex.quote(meant)}" for meant in limit.meant(stored)]
        way = f"type: {' or '.join(options)}\n  " if options else ""
        raise UsageError(f"run '{run.name}' has no '{limit.metric}'", f"{way}it stores: {', '.join(sorted(stored))}")
    kept = [trial for trial in run.feasible() if limit.kept(trial.measurements)]
    members = front.front(run, kept)
    if not members:
        shown = console.command("show", run.name)
        raise NegativeAnswer(f"no network of run '{run.name}' keeps {limit}", f"{shown} lists the front")
    best = run.objectives[0]
    sign = 1 if best.direction == "maximize" else -1
    return max(members, key=lambda trial: sign * trial.value(best.name))


def _everything(run: Run) -> str:
    return console.command("show", run.name, "--all")


def _provenance(run: Run, trial: Trial) -> dict[str, Any]:
    config = run.config
    return {
        "run": run.name,
        "trial": trial.number,
        **({"published as": trial.anchor} if trial.anchor else {}),
        **{name: config[name] for name in ("space", "seed", "sampler", "budget") if name in config},
        "measurements": {name: _number(found) for name, found in trial.measurements.items()},
    }


def _number(found: Measurement) -> dict[str, Any]:
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "unit": found.unit,
        "kind": found.metric.kind,
        "quality": found.quality + (", at chance" if found.is_at_chance else ""),
        "device": found.device.label,
        "versions": found.versions,
        "when": found.when,
    }


def _versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in VERSIONS}


def deliverable(architecture: Architecture, provenance: dict[str, Any], wishes: Wishes) -> "Deliverable":
    """The network with its weights.

    Raises:
        UsageError: weights, classes and labels that do not fit each other, or a resolution out of range.
    """
    from evaluators.core.evaluator import check_range
    from results.exports.common.deliverable import Deliverable
    from search_spaces.nextvit import weights
    from search_spaces.nextvit.network import NextViT

    check_range("resolution", wishes.resolution, 32, 1024)
    check_range("batch", wishes.batch, 0, 256)
    if wishes.batch * wishes.resolution**2 > MOST_PIXELS:
        raise UsageError(
            f"{wishes.batch} images of {wishes.resolution} px are too many to verify at once: {MOST_PIXELS:,} pixels",
            f"lower --batch to {MOST_PIXELS // wishes.resolution**2}, or give --batch 0 for any number",
        )
    labels = _labels(wishes.labels) if wishes.labels else ()
    given = weights.read(wishes.weights, allow_pickle=wishes.allow_pickle) if wishes.weights else {}
    classes = wishes.classes or len(labels) or _classes(given) or 1000
    if labels and len(labels) != classes:
        raise UsageError(
            f"'{wishes.labels}' names {len(labels)} classes, the network tells {classes} apart", "mend one"
        )
    network = NextViT(architecture, num_classes=classes).eval()
    words = "random: it is not trained yet; nas train trains it"
    if given:
        words = f"{wishes.weights}, {weights.inherit(network, given).summary}"
    return Deliverable(
        network=network,
        labels=labels,
        resolution=wishes.resolution,
        precision=wishes.precision,
        batch=wishes.batch,
        image_input=wishes.image_input,
        weights=words,
        provenance=provenance,
    )


def _labels(path: Path) -> tuple[str, ...]:
    if not is_file(path):  # a pipe might never end
        raise UsageError(f"there is no file '{path}'", "a text file with a class on each line")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}", "a text file with a class on each line") from None
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(set(labels)) != len(labels) or not labels:
        raise UsageError(f"'{path}' names {len(labels)} classes, {len(set(labels))} different ones", "mend the file")
    return labels


def _classes(weights: dict[str, Any]) -> int:
    """How many classes weights tell apart; 0 where they do not say."""
    head = weights.get("head.fc.weight")
    return int(head.shape[0]) if head is not None and head.ndim else 0


def _introduced(what: "Deliverable") -> str:
    count = sum(parameter.numel() for parameter in what.network.parameters())
    where = f"trial {what.provenance['trial']}, " if "trial" in what.provenance else ""
    named = f"{where}{what.architecture}, {count:,} parameters, {what.num_classes} classes"
    return f"{named}\nweights: {what.weights}"


def _tell(artefact: "Artefact") -> None:
    """Says what was written in a format."""
    console.say(f"{artefact.format} ({', '.join(artefact.files)}): {artefact.verdict}")
    for further in filter(None, (artefact.latency, artefact.hint)):
        console.say(f"  {further}")
