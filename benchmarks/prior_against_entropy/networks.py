"""The networks of the experiment: winners by each objective at 3 GMACs and equal latency, to be trained and compared.

    nas run --budget 200                                            a database that says how long networks take here
    python benchmarks/prior_against_entropy/networks.py --store sqlite:///runs/nas.db      writes genotypes.json

Every search starts from the same random networks of the space `nhs` within the budget and mutates the best: the prior
from published networks (its lower end), block entropy, and what size alone says. Beside them: Next-ViT-S narrowed to
the budget, the degenerate network that entropy preferred in a free search, and two random ones. All are measured.
"""

import argparse
import json
from collections.abc import Callable, Iterator
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

HERE = Path(__file__).parent
GMACS, TOLERANCE = 3.0, 0.05
LATENCY_TOLERANCE = 0.05
POOL, PARENTS = 60, 12
NARROWED = "CCC-CCCT-CCCCTCCCCT-CCT"
DEGENERATE = "C-CCCCCCCC-C-C"


def gmacs(architecture: Architecture) -> float:
    """Multiply-accumulates at 224 px."""
    work = total(architecture)
    return (work.macs + work.attention) / 1e9


def sized(notation: str, free: range, target: Callable[[Architecture], bool] = lambda network: True) -> Architecture:
    """The notation in the paper's widths, scaled to the budget as evenly as multiples of 32 channels allow."""
    found: list[tuple[float, Architecture]] = []
    for percent in free:
        widths = [32 * max(1, round(width * percent / 100 / 32)) for width in (96, 192, 384, 768)]
        late = [32 * max(1, round(width * percent / 100 / 32)) for width in (128, 256, 512, 1024)]
        stages = tuple(
            Stage(blocks=blocks, conv_width=narrow, transformer_width=wide, mix_block_ratio=0.75, sr_ratio=ratio)
            for blocks, narrow, wide, ratio in zip(notation.split("-"), widths, late, (8, 4, 2, 1), strict=True)
        )
        network = Architecture(stages=stages)
        if target(network):
            found.append((abs(gmacs(network) - GMACS), network))
    return min(found, key=lambda pair: pair[0])[1]


def random(space: SearchSpace, keeps: Callable[[Architecture], bool], seed: int, count: int) -> list[dict[str, Any]]:
    """Parameters of random networks within the budget."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    kept: list[dict[str, Any]] = []
    while len(kept) < count:
        trial = study.ask()
        if keeps(space.suggest(trial)):
            kept.append(trial.params)
    return kept


def winner(
    space: SearchSpace,
    score: Callable[[Architecture], float],
    keeps: Callable[[Architecture], bool],
    pool: list[dict[str, Any]],
    steps: int,
) -> Architecture:
    """The best network after so many mutations of the best so far."""
    rng, seen = np.random.default_rng(0), dict[str, tuple[float, dict[str, Any]]]()

    def judge(params: dict[str, Any]) -> None:
        network = space.suggest(optuna.trial.FixedTrial(params))
        seen.setdefault(network.id, (score(network), params))

    for params in pool:
        judge(params)
    for _ in range(steps):
        best = sorted(seen.values(), key=lambda pair: -pair[0])[:PARENTS]
        parent = best[int(rng.integers(len(best)))][1]
        child, _ = _accepted(
            space, parent, rng, lambda network: "" if network.id not in seen and keeps(network) else "out"
        )
        judge(child)
    value, params = max(seen.values(), key=lambda pair: pair[0])
    network = space.suggest(optuna.trial.FixedTrial(params))
    print(f"{value:8.4f}  {network}  {gmacs(network):.2f} GMACs", flush=True)
    return network


def chosen(latency: Evaluator, entropy: Evaluator, steps: int) -> Iterator[tuple[str, Architecture]]:
    """The roles and their networks."""
    space = get("nhs")
    narrowed = sized(NARROWED, range(50, 101))
    target = latency.measure(narrowed).value
    print(f"Next-ViT-S narrowed: {gmacs(narrowed):.2f} GMACs, predicted {target:.1f} ms", flush=True)

    def keeps(network: Architecture) -> bool:
        near = abs(gmacs(network) / GMACS - 1) <= TOLERANCE
        return near and abs(latency.measure(network).value / target - 1) <= LATENCY_TOLERANCE

    yield "Next-ViT-S narrowed", narrowed
    pools = [random(space, keeps, seed, POOL) for seed in (1, 2)]
    for number, pool in enumerate(pools, start=1):
        yield f"prior {number}", winner(space, lambda network: predict(network).low, keeps, pool, 10 * steps)
    yield "size line", winner(space, lambda network: predict(network).size_line, keeps, pools[0], 10 * steps)
    for number, pool in enumerate(pools, start=1):
        yield f"entropy {number}", winner(space, lambda network: entropy.measure(network).value, keeps, pool, steps)
    yield "degenerate", sized(DEGENERATE, range(40, 301))
    for number, params in enumerate(random(space, keeps, 3, 2), start=1):
        yield f"random {number}", space.suggest(optuna.trial.FixedTrial(params))


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
    entropy, measured = evaluators.get("entropy"), evaluators.get("ort", "latency")
    rows: list[dict[str, Any]] = []
    with Bench() as bench:
        for role, network in chosen(latency, entropy, arguments.steps):
            time, prior = bench.measure(measured, network), predict(network)
            rows.append(
                {
                    "id": network.id, "notation": str(network), "role": role, "half": "final", "control": "",
                    "macs": round(gmacs(network) * 1e9), "params": total(network).params,
                    "latency_ms": round(time.value, 2), "latency_log_ratio": time.details["log_ratio"],
                    "prior": round(prior.low, 2), "prior_mean": round(prior.mean, 2),
                    "size_line": round(prior.size_line, 2), "entropy": round(entropy.measure(network).value, 4),
                    "architecture": network.to_dict(),
                }
            )  # fmt: skip
            print({key: value for key, value in rows[-1].items() if key != "architecture"}, flush=True)
    (HERE / "genotypes.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
