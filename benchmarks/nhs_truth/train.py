"""Trains every network of a truth on data sets with several seeds; finished training runs are not repeated.

    python benchmarks/nhs_truth/train.py --processes 2          resumes after an interruption
    python benchmarks/nhs_truth/train.py --rates                first: one learning rate for all, from the extremes
    python benchmarks/nhs_truth/train.py --data cifar10 --photos cifar10/     on photographs, from an unpacked CIFAR-10
    python benchmarks/nhs_truth/train.py --networks benchmarks/prior_against_entropy --data cifar10 --photos cifar10/

Every line of results.jsonl is one training run: network, seed, data, recipe, accuracies by head, curve, device, time.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from evaluators.accuracy.train import Train
from evaluators.datasets.images import Images
from evaluators.training.fidelity import USUAL_RATE
from evaluators.training.short_training import Recipe
from search_spaces import Architecture

HERE = Path(__file__).parent
RESOLUTION = 64
RATES = (0.002, 0.004, 0.008)
SEEDS = (0, 1)
DIGITS = 400  # to train on: with all 1438, every network is right 99 % of the time


@dataclass(frozen=True, kw_only=True)
class Task:
    """A data set and its schedule."""

    images: int
    epochs: int
    rate: float  # the peak learning rate


TASKS = {  # the first two were trained before branches were scaled by depth (revision 3 of the recipe)
    "synthetic": Task(images=10000, epochs=6, rate=0.002),
    "digits": Task(images=DIGITS, epochs=20, rate=0.002),
    "cifar10": Task(images=10000, epochs=8, rate=USUAL_RATE),
}
DRAWN = ("synthetic", "digits")  # at hand everywhere: trained on where no data is named


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training run."""

    data: str
    genotype: str
    seed: int
    rate: float
    epochs: int

    @property
    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rates", action="store_true", help="compare learning rates on the extremes instead")
    parser.add_argument("--rate", type=float, help="instead of that of the data set")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--data", choices=TASKS, action="append")
    parser.add_argument("--epochs", type=int, help="instead of those of the data set")
    parser.add_argument("--photos", type=Path, help="the folder of CIFAR-10, with train/CLASS/ and val/CLASS/")
    parser.add_argument("--networks", type=Path, default=HERE, help="the folder of genotypes.json and the results")
    parser.add_argument("--control-epochs", type=int, help="train only the controls, for so many epochs")
    options = parser.parse_args()
    if "cifar10" in (options.data or ()) and not options.photos:
        parser.error("--data cifar10 needs --photos DIR")
    networks = {genotype["id"]: genotype for genotype in genotypes(options.networks)}
    results = options.networks / "results.jsonl"
    wanted = list(_rates(networks) if options.rates else _jobs(options, networks))
    known = {json.dumps(line["job"], sort_keys=True) for line in read(results)}
    jobs = [job for job in wanted if job.key not in known]
    print(f"{len(wanted) - len(jobs)} of {len(wanted)} training runs are finished", flush=True)
    with multiprocessing.get_context("spawn").Pool(options.processes, maxtasksperchild=50) as pool:
        work = partial(run, networks=networks, photos=options.photos)
        for number, line in enumerate(pool.imap_unordered(work, jobs), start=1):
            with results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            skill, job = line["skill"], line["job"]
            print(
                f"{number}/{len(jobs)} {job['data']} {line['notation']} seed {job['seed']} "
                f"rate {job['rate']}: skill {skill:.3f}, {line['seconds']:.0f} s",
                flush=True,
            )


def _jobs(options: argparse.Namespace, networks: dict[str, Any]) -> Iterator[Job]:
    for seed in range(options.seeds):
        for data in options.data or DRAWN:
            for key, genotype in networks.items():
                epochs = options.control_epochs or options.epochs or TASKS[data].epochs
                if genotype["control"] or not options.control_epochs:
                    yield Job(data=data, genotype=key, seed=seed, rate=options.rate or TASKS[data].rate, epochs=epochs)


def _rates(networks: dict[str, Any]) -> Iterator[Job]:
    ordered = sorted(networks.values(), key=lambda genotype: int(genotype["macs"]))
    for data in DRAWN:
        for genotype in (ordered[0], ordered[-1]):
            for rate in RATES:
                yield Job(data=data, genotype=genotype["id"], seed=100, rate=rate, epochs=TASKS[data].epochs)


def genotypes(folder: Path) -> list[dict[str, Any]]:
    """The networks, as the folder's own script wrote them."""
    networks: list[dict[str, Any]] = json.loads((folder / "genotypes.json").read_text())
    return networks


def read(results: Path) -> list[dict[str, Any]]:
    """All training runs so far."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text().splitlines()]


@cache
def images(data: str, photos: Path | None) -> Images:
    """The data set; of the digits, everything that is not trained on is for validation."""
    import torch

    from evaluators.datasets.in_memory import load

    if data != "digits":
        return load(str(photos) if data == "cifar10" else data, RESOLUTION, TASKS[data].images)
    digits = load(data, RESOLUTION)
    return replace(
        digits,
        train_pixels=digits.train_pixels[:DIGITS],
        train_labels=digits.train_labels[:DIGITS],
        valid_pixels=torch.cat([digits.valid_pixels, digits.train_pixels[DIGITS:]]),
        valid_labels=torch.cat([digits.valid_labels, digits.train_labels[DIGITS:]]),
    )


def run(job: Job, networks: dict[str, Any], photos: Path | None) -> dict[str, Any]:
    """Trains one network and returns its line of results.jsonl."""
    import torch

    from evaluators.training.short_training import initialise, train
    from search_spaces.nextvit.network import NextViT

    os.nice(19 - os.nice(0))
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    genotype, data = networks[job.genotype], images(job.data, photos)
    network = NextViT(Architecture.from_dict(genotype["architecture"]), num_classes=data.classes, drop_path_rate=0)
    initialise(network, job.seed)
    recipe = Recipe(epochs=job.epochs, learning_rate=job.rate, seed=job.seed)
    outcome = train(network, data, recipe, device)
    return {
        "job": asdict(job),
        "notation": genotype["notation"],
        "skill": round(outcome.skill, 5),
        "accuracies": {head: round(value, 5) for head, value in outcome.accuracies.items()},
        "curve": outcome.curve,
        "samples": outcome.samples,
        "seconds": outcome.seconds,
        "recipe": asdict(recipe) | {"revision": Train.revision},
        "images": data.identity,
        "device": torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread",
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
