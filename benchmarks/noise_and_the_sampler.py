"""Does it help the sampler to know how noisy each latency is? What noise costs a search at all, as an upper bound.

    python benchmarks/noise_and_the_sampler.py --seeds 6 --budget 60

The same search runs with exact latencies and with noisy ones. Knowing the variance of the noise can at best undo what
the noise costs: if exact latencies find no better front than noisy ones, such knowledge cannot help. Accuracy and
latency are formulas of the architecture, so that the front is judged by exact values.
"""

import argparse
import math
from typing import Any

import numpy as np
import optuna

from evaluators.counts.formula import total
from evaluators.prediction.features import structure
from nas.search.proposals import propose
from nas.search.sampling.known_trials import Told
from search_spaces import Architecture, SearchSpace, get

NOISE = (0.0, 0.005, 0.02, 0.07)  # of a calm machine, of a disturbed one, and at the limit of the flag `noisy`
REFERENCE = (0.0, 200.0)  # the worst corner: accuracy and milliseconds


def truth(architecture: Architecture) -> tuple[float, float]:
    """A stand-in accuracy, with transformers best late, and a stand-in latency in milliseconds."""
    known, work = structure(architecture), total(architecture)
    late = known["mean_transformer_position"] - 2.0 * (known["transformer_share"] - 0.3) ** 2
    latency = (work.macs + 2 * work.attention) / 1e8 + work.activations / 1e6
    return known["log_sum_of_widths"] + 0.3 * late, latency


def searched(space: SearchSpace, noise: float, seed: int, budget: int) -> float:
    """The hypervolume, in exact values, of the front that a search with noisy latencies finds."""
    rng, trials, points = np.random.default_rng(seed), list[Any](), list[tuple[float, float]]()
    seen: set[str] = set()
    for _ in range(budget):
        proposal = propose(
            space,
            "gp",
            seed,
            Told(trials),
            ["maximize", "minimize"],
            lambda one: "asked before" if one.id in seen else "",
        )
        seen.add(proposal.architecture.id)
        points.append(truth(proposal.architecture))
        noisy = points[-1][1] * math.exp(noise * rng.standard_normal())
        trials.append(
            optuna.trial.create_trial(
                params=proposal.params, distributions=proposal.distributions, values=[points[-1][0], noisy],
                system_attrs=proposal.system_attrs,
            )
        )  # fmt: skip
    return hypervolume(points)


def hypervolume(points: list[tuple[float, float]]) -> float:
    """The area that the points dominate, up to the reference."""
    area, best = 0.0, REFERENCE[0]
    for accuracy, latency in sorted(points, key=lambda point: point[1]):
        if accuracy > best and latency < REFERENCE[1]:
            area += (accuracy - best) * (REFERENCE[1] - latency)
            best = accuracy
    return area


def main() -> None:
    """Searches with every noise and seed, and prints what noise costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--budget", type=int, default=60)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space, exact = get("nhs"), np.empty(0)
    print("| noise of a latency | hypervolume, relative to exact latencies (95 %) |\n|---|---|")
    for noise in NOISE:
        found = np.array([searched(space, noise, seed, arguments.budget) for seed in range(arguments.seeds)])
        exact = exact if exact.size else found
        shares = found / exact
        half = 1.96 * shares.std(ddof=1) / len(shares) ** 0.5
        print(f"| {noise:.1%} | {shares.mean():.4f} ± {half:.4f} |", flush=True)


if __name__ == "__main__":
    main()
