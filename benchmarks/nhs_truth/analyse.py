"""What the truth says so far: tables for `nas validate`, and whether scores rank the placement of transformers.

    python benchmarks/nhs_truth/analyse.py          writes synthetic.csv and digits.csv beside itself, and prints

Only networks that every seed of a data set has trained are counted. Numbers are given for all heads and for those that
separate the controls, which are chosen on the controls alone; for the choosing half, the final half, and both.
"""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from train import TASKS

import evaluators
from evaluators.prediction import features
from evaluators.statistics import ranking
from search_spaces import Architecture

HERE = Path(__file__).parent
SCORES = ("entropy", "vpca", "zen", "synflow", "nwot", "swap")
SEPARATION = 3.0  # standard deviations by which a head must separate the controls


def main() -> None:
    genotypes = {each["id"]: each for each in json.loads((HERE / "genotypes.json").read_text())}
    results = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    for data in ("synthetic", "digits"):
        job = {"data": data, "epochs": TASKS[data].epochs}  # not those of the rates, nor the controls' longer ones
        mine = [each for each in results if each["job"]["seed"] < 100 and job.items() <= each["job"].items()]
        if mine:
            report(data, mine, genotypes)


def report(data: str, results: list[dict[str, Any]], genotypes: dict[str, Any]) -> None:
    trained: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for each in results:
        trained[each["job"]["genotype"]][each["job"]["seed"]] = each
    seeds = sorted({each["job"]["seed"] for each in results})
    whole = {key: found for key, found in trained.items() if len(found) == len(seeds)}
    if len(whole) < 20 and len(seeds) > 1:  # the second seed has only begun
        seeds = seeds[:1]
        whole = {key: {0: found[0]} for key, found in trained.items() if 0 in found}
    heads = list(results[0]["accuracies"])
    kept = [head for head in heads if separates(head, whole, genotypes)]
    print(f"\n{data}: {len(whole)} networks, {len(seeds)} seeds; heads that separate the controls: {kept or 'none'}")
    for name, chosen in (("all heads", heads), ("heads that separate the controls", kept)):
        if chosen and (chosen != heads or name == "all heads"):
            print(f" {name}: {', '.join(chosen)}")
            accuracy = {
                key: np.array([[100 * found[seed]["accuracies"][head] for head in chosen] for seed in seeds]).mean(1)
                for key, found in whole.items()
            }
            if chosen == heads:
                write(data, accuracy, genotypes)
            described(accuracy, genotypes)


def separates(head: str, trained: dict[str, Any], genotypes: dict[str, Any]) -> bool:
    """Whether the controls' means over seeds differ by more than three standard deviations of such a mean."""
    controls = [found for key, found in trained.items() if genotypes[key]["control"]]
    values = np.array([[each["accuracies"][head] for each in found.values()] for found in controls])
    everything = np.array([[each["accuracies"][head] for each in found.values()] for found in trained.values()])
    if values.shape[0] < 2:
        return False
    seeds = everything.shape[1]
    noise = everything.std(1, ddof=1).mean() / seeds**0.5 if seeds > 1 else 0.015  # of a share of 1000 images
    return bool(np.ptp(values.mean(1)) > SEPARATION * noise)


def write(data: str, accuracy: dict[str, Any], genotypes: dict[str, Any]) -> None:
    """A table that `nas validate --truth` reads."""
    seeds = len(next(iter(accuracy.values())))
    with (HERE / f"{data}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["architecture", *(f"accuracy_seed{seed}" for seed in range(seeds))])
        for key, values in accuracy.items():
            if genotypes[key]["role"] == "equal":
                network = Architecture.from_dict(genotypes[key]["architecture"]).canonical_json()
                table.writerow([network, *(round(float(value), 4) for value in values)])


def described(accuracy: dict[str, Any], genotypes: dict[str, Any]) -> None:
    """tau of structure, of placement and of scores, among networks of equal MACs."""
    for half in ("choosing", "final", "both"):
        keys = [k for k in accuracy if genotypes[k]["role"] == "equal" and half in (genotypes[k]["half"], "both")]
        if len(keys) < 10:
            continue
        truth = np.array([accuracy[key].mean() for key in keys])
        networks = [Architecture.from_dict(genotypes[key]["architecture"]) for key in keys]
        rows = [features.structure(each, 64) for each in networks]
        spread, ends = truth.std(ddof=1), (truth.min(), truth.max())
        print(f"  {half}: {len(keys)} of equal MACs, {ends[0]:.1f} to {ends[1]:.1f} %, spread {spread:.2f} points")
        for name in rows[0]:
            column = np.array([row[name] for row in rows])
            found = ranking.tau_interval(column, truth)
            if found.low > 0 or found.high < 0:
                print(f"    {name:28} tau {found}")
        for name in SCORES:
            values = np.array([evaluators.get(name).measure(each).value for each in networks])
            print(f"    score {name:22} tau {ranking.tau_interval(values, truth)}", flush=True)


if __name__ == "__main__":
    main()
