"""Analyses the truth so far: tables for `nas validate`, and whether scores rank the placement of transformers.

    python benchmarks/nhs_truth/analyse.py          writes synthetic.csv and digits.csv here, and prints

Only networks that were trained with every seed of a data set count. There are numbers for all heads and for those that
separate the controls (selected by the controls alone), and for the choosing half, the final half, and both.
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
    genotypes = {row["id"]: row for row in json.loads((HERE / "genotypes.json").read_text())}
    results = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    for data in ("synthetic", "digits"):
        # Without the training runs that compare rates, and the longer ones of the controls.
        job = {"data": data, "epochs": TASKS[data].epochs}
        mine = [row for row in results if row["job"]["seed"] < 100 and job.items() <= row["job"].items()]
        if mine:
            report(data, mine, genotypes)


def report(data: str, results: list[dict[str, Any]], genotypes: dict[str, Any]) -> None:
    trained: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for result in results:
        trained[result["job"]["genotype"]][result["job"]["seed"]] = result
    seeds = sorted({result["job"]["seed"] for result in results})
    whole = {key: by_seed for key, by_seed in trained.items() if len(by_seed) == len(seeds)}
    if len(whole) < 20 and len(seeds) > 1:  # the second seed has only started
        seeds = seeds[:1]
        whole = {key: {0: by_seed[0]} for key, by_seed in trained.items() if 0 in by_seed}
    heads = list(results[0]["accuracies"])
    kept = [head for head in heads if separates(head, whole, genotypes)]
    print(f"\n{data}: {len(whole)} networks, {len(seeds)} seeds; heads that separate the controls: {kept or 'none'}")
    for name, selected in (("all heads", heads), ("heads that separate the controls", kept)):
        if selected and (selected != heads or name == "all heads"):
            print(f" {name}: {', '.join(selected)}")
            accuracy = {
                key: np.array([[100 * runs[seed]["accuracies"][head] for head in selected] for seed in seeds]).mean(1)
                for key, runs in whole.items()
            }
            if selected == heads:
                write(data, accuracy, genotypes)
            rank(accuracy, genotypes)


def separates(head: str, trained: dict[str, Any], genotypes: dict[str, Any]) -> bool:
    """Whether the controls' means over seeds differ by more than three standard deviations of such a mean."""
    controls = [by_seed for key, by_seed in trained.items() if genotypes[key]["control"]]
    values = np.array([[result["accuracies"][head] for result in by_seed.values()] for by_seed in controls])
    everything = np.array([[result["accuracies"][head] for result in by_seed.values()] for by_seed in trained.values()])
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


def rank(accuracy: dict[str, Any], genotypes: dict[str, Any]) -> None:
    """Prints tau of structure, of placement and of scores, among networks of equal MACs."""
    for half in ("choosing", "final", "both"):
        keys = [k for k in accuracy if genotypes[k]["role"] == "equal" and half in (genotypes[k]["half"], "both")]
        if len(keys) < 10:
            continue
        truth = np.array([accuracy[key].mean() for key in keys])
        networks = [Architecture.from_dict(genotypes[key]["architecture"]) for key in keys]
        rows = [features.structure(network, 64) for network in networks]
        spread, ends = truth.std(ddof=1), (truth.min(), truth.max())
        print(f"  {half}: {len(keys)} of equal MACs, {ends[0]:.1f} to {ends[1]:.1f} %, spread {spread:.2f} points")
        for name in rows[0]:
            column = np.array([row[name] for row in rows])
            tau = ranking.tau_interval(column, truth)
            if tau.low > 0 or tau.high < 0:
                print(f"    {name:28} tau {tau}")
        for name in SCORES:
            values = np.array([evaluators.get(name).measure(network).value for network in networks])
            print(f"    score {name:22} tau {ranking.tau_interval(values, truth)}", flush=True)


if __name__ == "__main__":
    main()
