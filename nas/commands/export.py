"""The command `nas export`: files for training and deployment, from a trial, a file or a notation."""

import importlib.metadata
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators import Measurement
from evaluators.core.measurement import now
from nas import __version__, console
from nas.progress import progress
from results import exports, front, limits, load
from results.store.record import Run, Trial
from search_spaces import Network, TimmNetwork
from search_spaces.common import networks
from search_spaces.common.errors import NegativeAnswer, UnknownName, UsageError
from search_spaces.common.networks import ours
from search_spaces.common.texts import is_file

if TYPE_CHECKING:
    from torch import nn

    from results.exports.common.artefact import Artefact
    from results.exports.common.deliverable import Deliverable
    from search_spaces.nextvit.network import NextViT

MOST_PIXELS = 2**24  # of a batch: 256 images of 256 px, or 16 of 1024
UNTRAINED = "random: the network is untrained"
VERSIONS = ("torch", "timm", "onnx", "coremltools")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The network to export: a trial of a run, or a network by itself."""

    target: str | None = None
    trial: int | None = None
    pick: str | None = None
    max_latency: str | None = None

    @property
    def of_run(self) -> bool:
        """Whether it is a trial of a run."""
        return self.trial is not None or bool(self.pick or self.max_latency)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of the exported files."""

    weights: str | None = None
    allow_pickle: bool = False
    classes: int | None = None
    labels: Path | None = None
    resolution: int = 224
    precision: str = "fp32"
    batch: int = 1
    image_input: bool = False


def export_network(
    selection: Selection,
    formats: Sequence[str],
    settings: Settings,
    output: Path,
    *,
    store_url: str,
    force: bool,
    as_json: bool,
) -> None:
    """Writes and verifies a network in every format, and reports each.

    Raises:
        UsageError: no such network, format or file.
        NegativeAnswer: no format could be written, or a file does not compute what the network computes.
    """
    from results.exports.common import exporting

    for name in formats:
        exports.get(name)
    architecture, provenance = select(selection, store_url)
    content = deliverable(architecture, provenance, settings)
    console.say(_introduction(content))
    written: list[str] = []
    with progress("writing and verifying formats", len(dict.fromkeys(formats))) as done:

        def report(artefact: "Artefact") -> None:
            written.append(artefact.format)
            _report(artefact)
            done(len(written))

        artefacts = exporting.export(content, formats, output, force=force, report=report)
    if as_json:
        files = [vars(artefact) for artefact in artefacts]
        console.write_json({"output": str(output), "id": architecture.id, "files": files})
    else:
        console.say(f"written to {output}")


def select(selection: Selection, store_url: str) -> tuple[Network, dict[str, Any]]:
    """The network, and its provenance.

    Raises:
        UsageError: the selection names no network, or several.
    """
    origin = {"tool": f"nas {__version__}", "when": now(), "versions": _versions()}
    if selection.of_run:
        run = load(selection.target, store_url)
        trial = pick(run, selection)
        return trial.architecture, _provenance(run, trial) | origin
    if selection.target is None:
        raise UsageError(
            "name a network: --trial NUMBER, --pick knee or --max-latency ort=40ms of a run, or a network by itself",
            f"{console.command('show')} lists the front with its numbers",
        )
    try:
        return networks.find(selection.target), origin
    except UnknownName as error:
        options = "if it is a run, add --trial NUMBER, --pick knee or --max-latency ort=40ms"
        raise UsageError(error.message, f"{options}\n  {error.hint}") from None


def pick(run: Run, selection: Selection) -> Trial:
    """The selected trial of a run: by number, the knee, or the best one up to a latency.

    Raises:
        UsageError: several selections at once, or no such trial.
        NegativeAnswer: the trial failed, or no trial succeeded within the limits.
    """
    if sum((selection.trial is not None, bool(selection.pick), bool(selection.max_latency))) > 1:
        raise UsageError("--trial, --pick and --max-latency exclude each other", "give one of them")
    if selection.trial is not None:
        return _numbered(run, selection.trial)
    if selection.max_latency:
        return _best_within(run, selection.max_latency)
    members = front.front(run)
    knee = front.knee(run, members) or (members[0] if members else None)
    if not knee:
        command = console.command("show", run.name, "--all")
        raise NegativeAnswer(f"run '{run.name}' has no front", f"no candidate succeeded: {command} shows why")
    return knee


def _numbered(run: Run, number: int) -> Trial:
    for trial in run.trials:
        if trial.number == number and trial.state == "failed":
            raise NegativeAnswer(
                f"trial {number} failed: {trial.cause}",
                f"to export it nevertheless, name the network: {console.command('export', str(trial.architecture))}",
            )
        if trial.number == number:
            return trial
    raise UsageError(
        f"run '{run.name}' has no trial {number}",
        f"its trials are 0 to {len(run.trials) - 1}" if run.trials else "it has none yet",
    )


def _best_within(run: Run, bound: str) -> Trial:
    """The best trial by the first objective among those that keep a bound such as `ort=40ms`."""
    limit = limits.parse(bound if "<=" in bound else "<=".join(bound.rsplit("=", 1)))
    stored = {metric for trial in run.trials for metric in trial.measurements}
    if stored and limit.metric not in stored:
        options = [f"--max-latency {shlex.quote(meant)}" for meant in limit.meant(stored)]
        suggestion = f"type: {' or '.join(options)}\n  " if options else ""
        raise UsageError(
            f"run '{run.name}' has no '{limit.metric}'", f"{suggestion}it stores: {', '.join(sorted(stored))}"
        )
    kept = [trial for trial in run.feasible() if limit.kept(trial.measurements)]
    members = front.front(run, kept)
    if not members:
        command = console.command("show", run.name)
        raise NegativeAnswer(f"no network of run '{run.name}' keeps {limit}", f"{command} lists the front")
    best = run.objectives[0]
    sign = 1 if best.direction == "maximize" else -1
    return max(members, key=lambda trial: sign * trial.value(best.name))


def _provenance(run: Run, trial: Trial) -> dict[str, Any]:
    config = run.config
    return {
        "run": run.name,
        "trial": trial.number,
        **({"published as": trial.anchor} if trial.anchor else {}),
        **{name: config[name] for name in ("space", "seed", "sampler", "budget") if name in config},
        "measurements": {name: _summary(measurement) for name, measurement in trial.measurements.items()},
    }


def _summary(measurement: Measurement) -> dict[str, Any]:
    return {
        "value": measurement.value,
        "low": measurement.low,
        "high": measurement.high,
        "unit": measurement.unit,
        "kind": measurement.metric.kind,
        "quality": measurement.quality + (", at chance" if measurement.is_at_chance else ""),
        "device": measurement.device.label,
        "versions": measurement.versions,
        "when": measurement.when,
    }


def _versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in VERSIONS}


def deliverable(described: Network, provenance: dict[str, Any], settings: Settings) -> "Deliverable":
    """The network with its weights, ready to be written.

    Raises:
        UsageError: weights, classes and labels that do not match, or a resolution out of range.
        MeasurementFailed: timm cannot build the network for that resolution.
    """
    from evaluators.core.evaluator import check_range
    from results.exports.common.deliverable import Deliverable
    from search_spaces.nextvit import weights

    check_range("resolution", settings.resolution, 32, 1024)
    check_range("batch", settings.batch, 0, 256)
    if settings.batch * settings.resolution**2 > MOST_PIXELS:
        raise UsageError(
            f"{settings.batch} images of {settings.resolution} px are too many to verify: "
            f"{MOST_PIXELS:,} pixels are the limit",
            f"lower --batch to {MOST_PIXELS // settings.resolution**2}, or give --batch 0 for any number",
        )
    labels = _labels(settings.labels) if settings.labels else ()
    state = weights.read(settings.weights, allow_pickle=settings.allow_pickle) if settings.weights else {}
    classes = settings.classes or len(labels) or _classes(state) or 1000
    if labels and len(labels) != classes:
        raise UsageError(
            f"'{settings.labels}' names {len(labels)} classes, the network has {classes}",
            "correct --labels or --classes",
        )
    network, origin = _weighted(described, classes, state, settings)
    return Deliverable(
        network=network,
        peer=described if isinstance(described, TimmNetwork) else None,
        labels=labels,
        resolution=settings.resolution,
        precision=settings.precision,
        batch=settings.batch,
        image_input=settings.image_input,
        weights=origin,
        provenance=provenance,
    )


def _weighted(
    described: Network, classes: int, state: dict[str, Any], settings: Settings
) -> "tuple[NextViT | nn.Module, str]":
    """The network with its weights, and where they come from."""
    if isinstance(described, TimmNetwork):
        from search_spaces.peers import timm_models

        peer = timm_models.build(described, classes=classes, resolution=settings.resolution)
        if state:
            timm_models.load(described, peer, state)
        return peer, f"{settings.weights}, all values taken" if state else UNTRAINED
    from search_spaces.nextvit import weights
    from search_spaces.nextvit.network import NextViT

    network = NextViT(ours(described), num_classes=classes).eval()
    taken = f"{settings.weights}, {weights.inherit(network, state).summary}" if state else ""
    return network, taken or f"{UNTRAINED}; nas train trains it"


def _labels(path: Path) -> tuple[str, ...]:
    if not is_file(path):  # a pipe might never end
        raise UsageError(f"there is no file '{path}'", "give a text file with one class name per line")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}", "give a text file with one class name per line") from None
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(set(labels)) != len(labels) or not labels:
        raise UsageError(
            f"'{path}' names {len(labels)} classes, {len(set(labels))} of them different", "name each class once"
        )
    return labels


def _classes(weights: dict[str, Any]) -> int:
    """The number of classes of weights; 0 if they have no classifier."""
    head = weights.get("head.fc.weight")
    return int(head.shape[0]) if head is not None and head.ndim else 0


def _introduction(content: "Deliverable") -> str:
    count = sum(parameter.numel() for parameter in content.network.parameters())
    trial = f"trial {content.provenance['trial']}, " if "trial" in content.provenance else ""
    network = f"{trial}{content.architecture}, {count:,} parameters, {content.num_classes} classes"
    return f"{network}\nweights: {content.weights}"


def _report(artefact: "Artefact") -> None:
    """Reports a written format."""
    console.say(f"{artefact.format} ({', '.join(artefact.files)}): {artefact.verdict}")
    for remark in filter(None, (artefact.latency, artefact.hint)):
        console.say(f"  {remark}")
