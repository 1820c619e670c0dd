"""Analyses the truth so far: tables for `nas validate`, and whether scores rank the placement of transformers.

    python benchmarks/nhs_truth/analyse.py             writes synthetic.csv, digits.csv, cifar10.csv here; prints
    python benchmarks/nhs_truth/analyse.py cifar10     one data set alone

A data set may be trained in part: the first line says how many networks were trained with which seed, and a seed counts
once every network of the first seed has it. There are numbers for all heads and for those that separate the controls
(selected by the controls alone), and for the choosing half, the final half, and both.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import evaluators
from evaluators.prediction import features
from evaluators.statistics import ranking
from evaluators.statistics.ranking import FEWEST, Interval, Vector
from nas.search.training.active_learning import TRANSIENT
from search_spaces import Architecture

HERE = Path(__file__).parent
SCORES = ("entropy", "vpca", "zen", "synflow", "nwot", "swap")
SEPARATION = 3.0  # standard deviations by which a head must separate the controls
ONE_SEED = 1.5  # points between seeds, where there is one: of a share of 1000 images
SIZE = ("log_macs", "log_weights")
PLACE = (
    *(f"transformers_{stage}" for stage in range(1, 5)),
    "first_transformer_position",
    "mean_transformer_position",
    "attention_share",
)

Runs = dict[str, dict[int, dict[str, Any]]]  # training runs by genotype and seed
Accuracies = dict[str, Vector]  # percent, by genotype: (seeds,)


def main() -> None:
    genotypes = {row["id"]: row for row in json.loads((HERE / "genotypes.json").read_text())}
    results = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    for data in sys.argv[1:] or ("synthetic", "digits", "cifar10"):
        # Without the training runs that compare rates.
        mine = [row for row in results if row["job"]["seed"] < 100 and row["job"]["data"] == data]
        if mine:
            report(data, mine, genotypes)
        else:
            print(f"\n{data}: nothing is trained")


def report(data: str, results: list[dict[str, Any]], genotypes: dict[str, Any]) -> None:
    results, left_out = usual(results)
    runs: Runs = defaultdict(dict)
    for result in results:
        runs[result["job"]["genotype"]][result["job"]["seed"]] = result
    seeds = usable_seeds(runs)
    whole = {key: by_seed for key, by_seed in runs.items() if set(seeds) <= set(by_seed)}
    describe(data, results, left_out, runs, seeds, len(genotypes))
    if len(whole) < FEWEST:
        print(f" {len(whole)} networks are too few to rank: {FEWEST} are the least")
        return
    heads = list(results[0]["accuracies"])
    kept = [head for head in heads if separates(head, whole, seeds, genotypes)]
    print(f" heads that separate the controls: {', '.join(kept) or 'none'}")
    for name, selected in (("all heads", heads), ("heads that separate the controls", kept)):
        if selected and (selected != heads or name == "all heads"):
            print(f" {name}: {', '.join(selected)}")
            retest(runs, selected)
            accuracy = accuracies(whole, selected, seeds)
            if selected == heads:
                write(data, accuracy, genotypes)
            rank(accuracy, genotypes)
            placement(accuracy, genotypes)


def usual(results: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """The training runs of the schedule and the images that most runs have, and the number of the others."""

    def conditions(result: dict[str, Any]) -> tuple[Any, ...]:
        return result["job"]["epochs"], result["job"]["rate"], result["images"]

    ((most, count),) = Counter(map(conditions, results)).most_common(1)
    return [result for result in results if conditions(result) == most], len(results) - count


def usable_seeds(runs: Runs) -> list[int]:
    """The first seed, and every other one that all its networks have: another has only started."""
    first, *others = sorted({seed for by_seed in runs.values() for seed in by_seed})
    mine = [by_seed for by_seed in runs.values() if first in by_seed]
    return [first, *(seed for seed in others if all(seed in by_seed for by_seed in mine))]


def describe(
    data: str, results: list[dict[str, Any]], left_out: int, runs: Runs, seeds: list[int], networks: int
) -> None:
    """Prints what was trained, and how far the networks have learnt."""
    counts = Counter(seed for by_seed in runs.values() for seed in by_seed)
    trained = ", ".join(f"{counts[seed]} of {networks} networks with seed {seed}" for seed in sorted(counts))
    recipe, seconds = results[0]["job"], np.median([row["seconds"] for row in results])
    devices = ", ".join(sorted({row["device"] for row in results}))
    print(f"\n{data}, {recipe['epochs']} epochs at a rate of {recipe['rate']}: {trained}; used: seeds {seeds}")
    print(f" {seconds / 60:.1f} min a training run (median) on {devices}; {left_out} runs of other schedules left out")
    skills = np.array([by_seed[seeds[0]]["skill"] for by_seed in runs.values() if seeds[0] in by_seed])
    below = int((skills < TRANSIENT).sum())
    print(
        f" skill {skills.min():.2f} to {skills.max():.2f}, mean {skills.mean():.2f}; {below} of {len(skills)} networks "
        f"are below {TRANSIENT}, where networks differ in how soon they begin to learn"
    )


def accuracies(runs: Runs, heads: list[str], seeds: list[int]) -> Accuracies:
    return {
        key: np.array([np.mean([100 * by_seed[seed]["accuracies"][head] for head in heads]) for seed in seeds])
        for key, by_seed in runs.items()
    }


def separates(head: str, trained: Runs, seeds: list[int], genotypes: dict[str, Any]) -> bool:
    """Whether the controls' means over seeds differ by more than three standard deviations of such a mean."""
    everything = accuracies(trained, [head], seeds)
    controls = np.array([values.mean() for key, values in everything.items() if genotypes[key]["control"]])
    if len(controls) < 2:
        return False
    spread = np.array(list(everything.values())).std(1, ddof=1).mean() if len(seeds) > 1 else ONE_SEED
    return bool(np.ptp(controls) > SEPARATION * spread / len(seeds) ** 0.5)


def retest(runs: Runs, heads: list[str]) -> None:
    """Prints how far two seeds agree, on the networks that have both."""
    seeds = sorted({seed for by_seed in runs.values() for seed in by_seed})[:2]
    both = accuracies({key: by_seed for key, by_seed in runs.items() if set(seeds) <= set(by_seed)}, heads, seeds)
    if len(seeds) < 2 or len(both) < FEWEST:
        print(f"  retest reliability: unknown, {len(both) * (len(seeds) > 1)} networks have two seeds")
        return
    first, second = np.array(list(both.values())).T
    print(f"  retest reliability: tau {ranking.tau_interval(first, second)} between two seeds of {len(both)} networks")


def write(data: str, accuracy: Accuracies, genotypes: dict[str, Any]) -> None:
    """A table of the networks of equal MACs that `nas validate --truth` reads."""
    equal = {key: values for key, values in accuracy.items() if genotypes[key]["role"] == "equal"}
    if len(equal) < FEWEST:
        return
    seeds = len(next(iter(equal.values())))
    with (HERE / f"{data}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["architecture", *(f"accuracy_seed{seed}" for seed in range(seeds))])
        for key, values in equal.items():
            network = Architecture.from_dict(genotypes[key]["architecture"]).canonical_json()
            table.writerow([network, *(round(float(value), 4) for value in values)])


def rank(accuracy: Accuracies, genotypes: dict[str, Any]) -> None:
    """Prints tau of structure, of scores and of the prediction from published networks, among equal MACs."""
    for half in ("choosing", "final", "both"):
        keys = [k for k in accuracy if genotypes[k]["role"] == "equal" and half in (genotypes[k]["half"], "both")]
        if len(keys) < FEWEST:
            print(f"  {half}: {len(keys)} networks of equal MACs, too few to rank")
            continue
        truth = np.array([accuracy[key].mean() for key in keys])
        rows = structures(keys, genotypes)
        spread, ends = truth.std(ddof=1), (truth.min(), truth.max())
        print(f"  {half}: {len(keys)} of equal MACs, {ends[0]:.1f} to {ends[1]:.1f} %, spread {spread:.2f} points")
        for name in rows[0]:
            tau = ranking.tau_interval(np.array([row[name] for row in rows]), truth)
            if tau.low > 0 or tau.high < 0:
                print(f"    {name:28} tau {tau}")
        for name in SCORES:
            values = np.array([score(name, json.dumps(genotypes[key]["architecture"]))[0] for key in keys])
            print(f"    score {name:22} tau {ranking.tau_interval(values, truth)}", flush=True)
        prior = np.array([score("published", json.dumps(genotypes[key]["architecture"])) for key in keys])
        print(f"    published, its lower end     tau {ranking.tau_interval(prior[:, 0], truth)}")
        print(f"    published, its mean          tau {ranking.tau_interval(prior[:, 1], truth)}")


def placement(accuracy: Accuracies, genotypes: dict[str, Any]) -> None:
    """Prints what transformers' share and places do at equal size, by partial tau; networks of all sizes count."""
    truth = np.array([values.mean() for values in accuracy.values()])
    rows = structures(list(accuracy), genotypes)
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    size, share = np.column_stack([column[name] for name in SIZE]), column["transformer_share"]
    print(
        f"  share and places of transformers in {len(truth)} networks of all sizes: partial tau given MACs and weights"
    )
    print(f"    {'transformer_share':28} {partial(share, truth, size)}")
    for name in PLACE:
        given_share = partial(column[name], truth, np.column_stack([size, share]))
        print(f"    {name:28} {partial(column[name], truth, size)}   given the share {given_share}")


def partial(values: Vector, truth: Vector, controls: Vector) -> Interval:
    return ranking.bootstrap(lambda rows: ranking.partial_tau(values[rows], truth[rows], controls[rows]), len(truth))


def structures(keys: list[str], genotypes: dict[str, Any]) -> list[dict[str, float]]:
    return [features.structure(Architecture.from_dict(genotypes[key]["architecture"]), 64) for key in keys]


@cache
def score(name: str, architecture: str) -> tuple[float, float]:
    """The value of an evaluator, and the mean of a prediction: the same for every data set."""
    measurement = evaluators.get(name).measure(Architecture.from_dict(json.loads(architecture)))
    return measurement.value, measurement.details.get("mean", measurement.value)


if __name__ == "__main__":
    main()
