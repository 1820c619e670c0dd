"""Trains every network of the truth on both data sets with several seeds; finished training runs are not repeated.

    python benchmarks/nhs_truth/train.py --processes 2          resumes after an interruption
    python benchmarks/nhs_truth/train.py --rates                first: one learning rate for all, from the extremes

Every line of results.jsonl is one training run: network, seed, data, recipe, accuracies by head, curve, device, time.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from evaluators.datasets.images import Images
from evaluators.training.short_training import Recipe
from search_spaces import Architecture

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
RESOLUTION = 64
RATES = (0.002, 0.004, 0.008)
SEEDS = (0, 1)
DIGITS = 400  # to train on: with all 1438, every network is right 99 % of the time


@dataclass(frozen=True, kw_only=True)
class Task:
    """A data set and its schedule."""

    images: int
    epochs: int


TASKS = {"synthetic": Task(images=10000, epochs=6), "digits": Task(images=DIGITS, epochs=20)}


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
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--data", choices=TASKS, action="append")
    parser.add_argument("--control-epochs", type=int, help="train only the controls, for so many epochs")
    options = parser.parse_args()
    wanted = list(_rates() if options.rates else _jobs(options))
    known = {json.dumps(line["job"], sort_keys=True) for line in read()}
    jobs = [job for job in wanted if job.key not in known]
    print(f"{len(wanted) - len(jobs)} of {len(wanted)} training runs are finished", flush=True)
    with multiprocessing.get_context("spawn").Pool(options.processes, maxtasksperchild=50) as pool:
        for number, line in enumerate(pool.imap_unordered(run, jobs), start=1):
            with RESULTS.open("a") as file:
                file.write(json.dumps(line) + "\n")
            skill, job = line["skill"], line["job"]
            print(
                f"{number}/{len(jobs)} {job['data']} {line['notation']} seed {job['seed']} "
                f"rate {job['rate']}: skill {skill:.3f}, {line['seconds']:.0f} s",
                flush=True,
            )


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    for seed in range(options.seeds):
        for data in options.data or TASKS:
            for genotype in genotypes():
                epochs = options.control_epochs or TASKS[data].epochs
                if genotype["control"] or not options.control_epochs:
                    yield Job(data=data, genotype=genotype["id"], seed=seed, rate=options.rate, epochs=epochs)


def _rates() -> Iterator[Job]:
    ordered = sorted(genotypes(), key=lambda genotype: int(genotype["macs"]))
    for data in TASKS:
        for genotype in (ordered[0], ordered[-1]):
            for rate in RATES:
                yield Job(data=data, genotype=genotype["id"], seed=100, rate=rate, epochs=TASKS[data].epochs)


@cache
def genotypes() -> list[dict[str, Any]]:
    """The networks, as genotypes.py wrote them."""
    networks: list[dict[str, Any]] = json.loads((HERE / "genotypes.json").read_text())
    return networks


def read() -> list[dict[str, Any]]:
    """All training runs so far."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines()]


@cache
def images(data: str) -> Images:
    """The data set; of the digits, everything that is not trained on is for validation."""
    import torch

    from evaluators.datasets.in_memory import load

    if data != "digits":
        return load(data, RESOLUTION, TASKS[data].images)
    digits = load(data, RESOLUTION)
    return replace(
        digits,
        train_pixels=digits.train_pixels[:DIGITS],
        train_labels=digits.train_labels[:DIGITS],
        valid_pixels=torch.cat([digits.valid_pixels, digits.train_pixels[DIGITS:]]),
        valid_labels=torch.cat([digits.valid_labels, digits.train_labels[DIGITS:]]),
    )


def run(job: Job) -> dict[str, Any]:
    """Trains one network and returns its line of results.jsonl."""
    import torch

    from evaluators.training.short_training import initialise, train
    from search_spaces.nextvit.network import NextViT

    os.nice(19 - os.nice(0))
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    genotype = next(known for known in genotypes() if known["id"] == job.genotype)
    network = NextViT(
        Architecture.from_dict(genotype["architecture"]), num_classes=images(job.data).classes, drop_path_rate=0
    )
    initialise(network, job.seed)
    recipe = Recipe(epochs=job.epochs, learning_rate=job.rate, seed=job.seed)
    outcome = train(network, images(job.data), recipe, device)
    return {
        "job": asdict(job),
        "notation": genotype["notation"],
        "skill": round(outcome.skill, 5),
        "accuracies": {head: round(value, 5) for head, value in outcome.accuracies.items()},
        "curve": outcome.curve,
        "samples": outcome.samples,
        "seconds": outcome.seconds,
        "recipe": asdict(recipe),
        "images": images(job.data).identity,
        "device": torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread",
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
