"""The command `nas mechanism`: what the blocks of one network do, by the frequencies and distances of its features."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from evaluators import Measurement
from evaluators.datasets import data as datasets
from evaluators.mechanism.probe import observe
from evaluators.mechanism.sample import Sample, sample
from evaluators.training.plan import data_label
from evaluators.training.training_folder import TrainingFolder
from nas import console
from nas.commands.export import UNTRAINED
from nas.progress import progress
from results.mechanism import page, table
from results.mechanism.report import Report
from search_spaces import Architecture
from search_spaces.common import files, networks
from search_spaces.common.errors import NegativeAnswer, UsageError
from search_spaces.common.texts import is_folder
from search_spaces.nextvit import weights
from search_spaces.nextvit.network import NextViT

RESOLUTION = 224  # where no training says otherwise
HEAD = "head."  # of the classifier, which has no part in the mechanism


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The network to look at: its architecture, its weights (empty: random), and what its training says of it."""

    architecture: Architecture
    source: str = ""
    data: str = ""  # the name of what it was trained on
    identity: str = ""
    resolution: int = RESOLUTION
    reached: str = ""


def mechanism(
    target: str,
    *,
    source: str | None,
    allow_pickle: bool,
    random: bool,
    data: str | None,
    images: int,
    resolution: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Looks at the blocks of a network while it sees images. Returns the exit code."""
    if output:
        files.check_file(output)
    subject = find(target, source, random=random)
    network = built(subject, allow_pickle=allow_pickle)
    side = resolution or subject.resolution
    seen = sample(data or _usual(subject), images, side, console.say)
    with progress("looking at images", len(seen.images)) as done:
        blocks = observe(network, seen.images, done)
    report = Report(
        architecture=subject.architecture,
        blocks=blocks,
        weights=_origin(subject),
        trained=bool(subject.source),
        images=_described(seen),
        identity=seen.identity,
        count=len(seen.images),
        resolution=side,
        versions={"torch": importlib.metadata.version("torch")},
        remarks=tuple(_remarks(seen, subject, images)),
    )
    _write(report, output, as_json=as_json)
    return 0


def find(target: str, source: str | None, *, random: bool) -> Subject:
    """The network that a person names, and where its weights are.

    Raises:
        UsageError: there is no such network, or nothing says what its weights are.
        NegativeAnswer: its training has not ended.
    """
    if random and (source or is_folder(target)):
        raise UsageError(
            f"--random-weights contradicts the weights of '{source or target}'", "leave one of the two out"
        )
    if is_folder(target):
        return _trained(TrainingFolder(Path(target)), source)
    architecture = networks.ours(networks.find(target))
    if not (source or random):
        raise UsageError(
            f"'{target}' comes without weights, and random ones have learnt nothing",
            "give --weights FILE.safetensors or timm:NAME, or the folder of a training; or --random-weights",
        )
    return Subject(architecture=architecture, source=source or "")


def _trained(folder: TrainingFolder, source: str | None) -> Subject:
    if not folder.holds_training:
        raise UsageError(f"'{folder.path}' holds no training", "name a folder that nas train has written, or a network")
    plan = folder.plan()
    if not source and not (plan.get("result") and folder.final.is_file()):
        raise NegativeAnswer(
            f"the training in '{folder.path}' has not ended", f"resume it, or give --weights {folder.best}"
        )
    try:
        return Subject(
            architecture=Architecture.from_dict(plan["architecture"]),
            source=source or str(folder.final),
            data=plan["data"]["name"],
            identity=plan["data"]["identity"],
            resolution=plan["recipe"]["resolution"],
            reached="" if source else _reached(Measurement.from_dict(plan["result"])),
        )
    except (KeyError, TypeError) as error:
        raise NegativeAnswer(f"'{folder.path}' was written by another version of nas: {error}", "train again") from None


def _reached(accuracy: Measurement) -> str:
    return f"{accuracy.details['fidelity']}, reached {accuracy}"


def built(subject: Subject, *, allow_pickle: bool) -> NextViT:
    """The network without a classifier, and with all of its weights.

    Raises:
        UsageError: the weights are those of another network.
    """
    torch.manual_seed(0)
    network = NextViT(subject.architecture, num_classes=0)
    if not subject.source:
        return network
    read = weights.read(subject.source, allow_pickle=allow_pickle)
    own, given = network.state_dict(), {name: value for name, value in read.items() if not name.startswith(HEAD)}
    shapes = [{name: value.shape for name, value in tensors.items()} for tensors in (own, given)]
    if wrong := sorted(dict(shapes[0].items() ^ shapes[1].items())):
        raise UsageError(
            f"'{subject.source}' holds weights of another network than {subject.architecture}: "
            f"{len(wrong)} tensors are not in both, or differ in shape, such as {wrong[0]}",
            "name the network that they belong to",
        )
    network.load_state_dict(given)
    return network


def _usual(subject: Subject) -> str:
    """The images of the network's training where they are drawn here, and scenes otherwise."""
    return subject.data if subject.data in datasets.BUILT_IN else datasets.SCENES


def _origin(subject: Subject) -> str:
    if not subject.source:
        return UNTRAINED
    return f"{subject.source}, {subject.reached}" if subject.reached else subject.source


def _described(seen: Sample) -> str:
    if datasets.is_built_in(seen.name) and seen.name != "digits":
        return f"the procedural set '{seen.name}'"
    return f"the validation images of {data_label(seen.name)}"


def _remarks(seen: Sample, subject: Subject, wanted: int) -> Iterator[str]:
    """What has to be known of the images and the weights."""
    if subject.data and subject.identity != seen.identity:
        yield f"The network was trained on {subject.data}, and looks at other images here; --data gives it its own."
    if "at chance" in subject.reached:
        yield "The network is no better than guessing: it has learnt nothing that a mechanism could show."
    if seen.unreadable:
        yield f"{seen.unreadable} images could not be read."
    if len(seen.images) < wanted:
        yield f"There are {len(seen.images)} images, and not the {wanted} that were asked for."


def _write(report: Report, output: Path | None, *, as_json: bool) -> None:
    if as_json:
        console.write_json(report.to_dict())
    else:
        for term, text in table.facts(report).items():
            console.say(f"{term}: {text}")
        console.write_table(table.HEADINGS, map(table.row, report.blocks), frozenset(table.HEADINGS[3:]))
        for sentence in report.sentences:
            console.say(sentence)
    if output:
        page.write(report, output)
        console.say(f"page: {output}")
