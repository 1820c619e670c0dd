"""The networks of the experiment: winners by each objective at 3 GMACs and equal latency, to be trained and compared.

    nas run --budget 200                        a database that says how long networks take here
    python benchmarks/prior_against_entropy/networks.py --store sqlite:///runs/nas.db   writes genotypes.json; resumes

Every search starts from the same random networks of the space `nhs` within the budget and mutates the best: the prior
from published networks (its lower end), block entropy, and what size alone says. Beside them: Next-ViT-S narrowed to
the budget, the degenerate network that entropy preferred in a free search, and two random ones. All are measured.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna

import evaluators
from evaluators import Evaluator
from evaluators.counts.formula import total
from evaluators.prediction.published_prediction import predict
from evaluators.workers.bench import Bench
from nas.search.latency_predictions import fitted
from nas.search.proposals import _accepted
from results.store.store import Store
from search_spaces import Architecture, SearchSpace, Stage, get
from search_spaces.common.errors import InvalidArchitecture

HERE = Path(__file__).parent
GMACS, TOLERANCE = 3.0, 0.05
LATENCY_TOLERANCE = 0.05
POOL, PARENTS = 60, 12
NARROWED = "CCC-CCCT-CCCCTCCCCT-CCT"
DEGENERATE = "C-CCCCCCCC-C-C"


def gmacs(architecture: Architecture) -> float:
    """Multiply-accumulates at 224 px."""
    return total(architecture).all_macs / 1e9


def scaled(notation: str) -> Iterator[Architecture]:
    """The notation in the paper's widths, scaled as evenly as multiples of 32 channels allow, within the budget."""
    for percent in range(40, 301):
        narrow, wide = (
            [32 * max(1, round(width * percent / 100 / 32)) for width in widths]
            for widths in ((96, 192, 384, 768), (128, 256, 512, 1024))
        )
        stages = zip(notation.split("-"), narrow, wide, (8, 4, 2, 1), strict=True)
        try:
            network = Architecture(
                stages=tuple(
                    Stage(blocks=blocks, conv_width=one, transformer_width=two, mix_block_ratio=0.75, sr_ratio=ratio)
                    for blocks, one, two, ratio in stages
                )
            )
        except InvalidArchitecture:  # too narrow for 32 channels of both kinds
            continue
        if abs(gmacs(network) / GMACS - 1) <= 2 * TOLERANCE:
            yield network


def random(space: SearchSpace, keeps: Callable[[Architecture], bool], seed: int, count: int) -> list[dict[str, Any]]:
    """Parameters of random networks within the budget."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    kept: list[dict[str, Any]] = []
    while len(kept) < count:
        trial = study.ask()
        if keeps(space.suggest(trial)):
            kept.append(trial.params)
    return kept


def ranked(
    space: SearchSpace,
    score: Callable[[Architecture], float],
    keeps: Callable[[Architecture], bool],
    pool: list[dict[str, Any]],
    steps: int,
) -> list[Architecture]:
    """Networks, the best first, after so many mutations of the best so far."""
    rng, seen = np.random.default_rng(0), dict[str, tuple[float, dict[str, Any]]]()

    def built(params: dict[str, Any]) -> Architecture:
        return space.suggest(optuna.trial.FixedTrial(params))

    def refused(network: Architecture) -> str:
        return "" if network.id not in seen and keeps(network) else "known, or out of the budget"

    def judge(params: dict[str, Any]) -> None:
        network = built(params)
        seen.setdefault(network.id, (score(network), params))

    for params in pool:
        judge(params)
    for _ in range(steps):
        best = sorted(seen.values(), key=lambda pair: -pair[0])[:PARENTS]
        child, _ = _accepted(space, best[int(rng.integers(len(best)))][1], rng, refused)
        judge(child.params)
    return [built(params) for _, params in sorted(seen.values(), key=lambda pair: -pair[0])]


class Experiment:
    """The budget, predicted and measured, and the networks within it."""

    def __init__(self, bench: Bench, predicted: Evaluator, steps: int, taken: set[str]) -> None:
        self.bench, self.predicted, self.steps = bench, predicted, steps
        self.taken = taken  # the networks of other roles
        self.space, self.measured = get("nhs"), evaluators.get("ort", "latency")
        self.entropy = evaluators.get("entropy")
        self.ratios: dict[str, float] = {}
        self.narrowed = min(scaled(NARROWED), key=lambda network: abs(gmacs(network) - GMACS))
        self.target = predicted.measure(self.narrowed).value
        self.ratio(self.narrowed)

    def ratio(self, network: Architecture) -> float:
        """A measured latency as a multiple of that of the narrowed Next-ViT-S, whatever the speed of the machine."""
        if network.id not in self.ratios:
            log: float = self.bench.measure(self.measured, network).details["log_ratio"]
            self.ratios[network.id] = math.exp(log)
        return self.ratios[network.id] / self.ratios[self.narrowed.id]

    def keeps(self, network: Architecture) -> bool:
        """Whether a network is within the budget, by formula and by prediction; measured ones may be slower."""
        near = abs(gmacs(network) / GMACS - 1) <= TOLERANCE
        return near and abs(self.predicted.measure(network).value / self.target - 1) <= 2 * LATENCY_TOLERANCE

    def within(self, networks: Iterable[Architecture]) -> Architecture:
        """The first network that has no role yet and whose measured latency is within the budget."""
        free = (network for network in networks if network.id not in self.taken)
        return next(network for network in free if abs(self.ratio(network) - 1) <= LATENCY_TOLERANCE)

    def spread(self, network: Architecture) -> float:
        """Block entropy."""
        return self.entropy.measure(network).value

    def winner(self, score: Callable[[Architecture], float], pool: list[dict[str, Any]], steps: int) -> Architecture:
        """The best network by a score."""
        return self.within(ranked(self.space, score, self.keeps, pool, steps))

    def roles(self) -> dict[str, Callable[[], Architecture]]:
        """The roles, and how their networks are found."""
        pools = [random(self.space, self.keeps, seed, POOL) for seed in (1, 2)]
        others = random(self.space, self.keeps, 3, 2 * POOL)
        drawn = (self.space.suggest(optuna.trial.FixedTrial(params)) for params in others)
        found: dict[str, Callable[[], Architecture]] = {
            "Next-ViT-S narrowed": lambda: self.narrowed,
            "size line": lambda: self.winner(lambda network: predict(network).size_line, pools[0], 10 * self.steps),
            "degenerate": lambda: self.within(sorted(scaled(DEGENERATE), key=lambda network: -gmacs(network))),
        }
        for number, pool in enumerate(pools, start=1):
            found[f"prior {number}"] = partial(self.winner, lambda network: predict(network).low, pool, 10 * self.steps)
            found[f"entropy {number}"] = partial(self.winner, self.spread, pool, self.steps)
            found[f"random {number}"] = lambda: self.within(drawn)
        return found


def main() -> None:
    """Chooses the networks, measures them, and writes genotypes.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="sqlite:///runs/nas.db")
    parser.add_argument("--steps", type=int, default=150, help="mutations by entropy; ten times as many by the others")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    store = Store(arguments.store)
    try:
        (latency,) = fitted(store, [evaluators.get("ort:predicted", "latency")])
    finally:
        store.close()
    path = HERE / "genotypes.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    with Bench() as bench:
        experiment = Experiment(bench, latency, arguments.steps, {row["id"] for row in rows})
        for role, find in experiment.roles().items():
            if role in {row["role"] for row in rows}:
                continue  # found before: what was trained stays comparable
            network = find()
            experiment.taken.add(network.id)
            prior, size = predict(network), total(network)
            rows.append(
                {
                    "id": network.id, "notation": str(network), "role": role, "half": "final", "control": "",
                    "macs": size.all_macs, "params": size.params,
                    "latency": round(experiment.ratio(network), 4),
                    "prior": round(prior.low, 2), "prior_mean": round(prior.mean, 2),
                    "size_line": round(prior.size_line, 2),
                    "entropy": round(experiment.spread(network), 4),
                    "architecture": network.to_dict(),
                }
            )  # fmt: skip
            print({key: value for key, value in rows[-1].items() if key != "architecture"}, flush=True)
            path.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
