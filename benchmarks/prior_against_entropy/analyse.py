"""What came out: accuracies of all winners, and which objective ranks them as training does.

python benchmarks/prior_against_entropy/analyse.py          prints tables in Markdown from results.jsonl
"""

import json
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.statistics import ranking
from evaluators.statistics.intervals import student

HERE = Path(__file__).parent
OBJECTIVES = {"prior": "prior, lower end", "prior_mean": "prior, mean", "size_line": "size line", "entropy": "entropy"}


def main() -> None:
    """Prints the tables of every schedule: number of epochs and learning rate."""
    genotypes = json.loads((HERE / "genotypes.json").read_text())
    schedules: defaultdict[tuple[int, float], list[dict[str, Any]]] = defaultdict(list)
    for line in (HERE / "results.jsonl").read_text().splitlines():
        result = json.loads(line)
        schedules[result["job"]["epochs"], result["job"]["rate"]].append(result)
    for (epochs, rate), results in sorted(schedules.items()):
        print(f"\n{epochs} epochs, peak learning rate {rate:g}\n")
        report(genotypes, results)


def report(genotypes: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
    """Prints the accuracies under one schedule, and which objective ranks them."""
    accuracies: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for result in results:
        accuracies[result["job"]["genotype"]][result["job"]["seed"]] = 100 * result["accuracies"]["class"]
    rows = [(genotype, list(accuracies[genotype["id"]].values())) for genotype in genotypes]
    rows = sorted((row for row in rows if row[1]), key=lambda row: -float(np.mean(row[1])))
    print("| network | notation | params | latency | prior | size alone | entropy | CIFAR-10, by seed |")
    print("|---|---|---|---|---|---|---|---|")
    for genotype, values in rows:
        print(
            f"| {genotype['role']} | `{genotype['notation']}` | {genotype['params'] / 1e6:.1f} M | "
            f"{genotype['latency']:.2f} | {genotype['prior_mean']} | {genotype['size_line']} | {genotype['entropy']} | "
            f"{', '.join(f'{value:.1f}' for value in values)} % |"
        )
    if len(rows) < 3:
        return
    truth = np.array([np.mean(values) for _, values in rows])
    print("\n| objective | tau with the accuracy |\n|---|---|")
    for name, words in OBJECTIVES.items():
        score = np.array([row[0][name] for row in rows])
        few = len(rows) < ranking.FEWEST  # a bootstrap of so few networks has no width where the order is perfect
        print(f"| {words} | {f'{ranking.tau(score, truth):.2f}' if few else ranking.tau_interval(score, truth)} |")
    compare(rows)


def compare(rows: "list[tuple[dict[str, Any], list[float]]]") -> None:
    """Prints the mean difference between the winners of two objectives, with its interval over seeds and networks."""
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for genotype, values in rows:
        by_kind[genotype["role"].rstrip(" 12")] += values
    for one, other in product(["prior", "Next-ViT-S narrowed"], ["entropy", "size line", "random", "degenerate"]):
        a, b = by_kind[one], by_kind[other]
        if min(len(a), len(b)) > 1:
            error = (np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)) ** 0.5
            half = student(0.95, len(a) + len(b) - 2) * error
            print(f"{one} minus {other}: {np.mean(a) - np.mean(b):+.1f} ± {half:.1f} points")


if __name__ == "__main__":
    main()
