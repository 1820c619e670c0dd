"""What each training-free feature costs, and how far two of its seeds agree on 100 random networks of the space.

    python benchmarks/feature_seeds.py [NETWORKS]

Costs are CPU seconds of one core for Next-ViT-S: with the default options, and of one seed at 112 px.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

import evaluators
from evaluators.scores.score import Score
from evaluators.statistics import ranking
from nas.commands.measure import sample
from search_spaces import PAPER

S = PAPER["next-vit-s"]


def main() -> None:
    torch.set_num_threads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    networks = [candidate.architecture for candidate in sample("nhs", count, 0)]
    together = 0.0
    for name in evaluators.names("accuracy"):
        score = evaluators.get(name)
        if not isinstance(score, Score):
            continue
        large = evaluators.get(f"{name}:resolution=112")
        assert isinstance(large, Score)
        default, one = seconds(partial(score.measure, S)), seconds(partial(large._score, S, 0))
        together += one
        values = np.array([[score._score(network, seed) for seed in (0, 1)] for network in networks])
        tau = ranking.tau(values[:, 0], values[:, 1])
        print(f"{name:8} {default:5.2f} s by default, {one:5.2f} s at 112 px; seed-to-seed tau {tau:.3f}", flush=True)
    print(f"all features together at 112 px: {together:.2f} s")


def seconds(run: Callable[[], object]) -> float:
    """CPU seconds: the minimum of three runs, after one that fills caches."""
    run()
    times = []
    for _ in range(3):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
