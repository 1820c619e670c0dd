"""How well a latency is predicted from 40 measurements, on networks that the predictor has not seen.

    nas measure --sample 130 --latency ort
    python benchmarks/predictor_accuracy.py --store sqlite:///runs/nas.db

Must reach: mean error 6 % or less, Spearman 0.93 or more, and a 90 % interval that holds 85 to 95 % of the time.
"""

import argparse

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from evaluators.prediction.latency_predictor import Predictor
from results.store.store import Store
from search_spaces import Architecture

SPLITS = 50


def main() -> None:
    """Splits the measurements at random `SPLITS` times, and prints means over the splits for several sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="sqlite:///runs/nas.db")
    parser.add_argument("--latency", default="ort")
    arguments = parser.parse_args()
    for context, pairs in Store(arguments.store).measured(arguments.latency).items():
        device = pairs[0][1].device.label
        drifted = sum(measurement.quality != "clean" for _, measurement in pairs)
        print(f"{arguments.latency} on {device} ({context}): {len(pairs)} networks, {drifted} of them not clean")
        networks = [architecture for architecture, _ in pairs]
        values = np.array([measurement.value for _, measurement in pairs])
        resolution = pairs[0][1].protocol["resolution"]
        for size in (20, 40, 60):
            if len(pairs) >= size + 20:
                rows = [judge(networks, values, resolution, size, seed) for seed in range(SPLITS)]
                error, spearman, coverage = np.mean(rows, axis=0)
                worst = np.max(rows, axis=0)[0]
                print(
                    f"  from {size}: mean error {error:.2%} (worst split {worst:.2%}), Spearman {spearman:.3f}, "
                    f"the 90 % interval holds {coverage:.1%} of {SPLITS * (len(pairs) - size)} held-out networks"
                )


def judge(
    networks: list[Architecture], values: NDArray[np.float64], resolution: int, size: int, seed: int
) -> tuple[float, float, float]:
    """Mean error, rank correlation and coverage on the networks left out."""
    order = np.random.default_rng(seed).permutation(len(values))
    known, unseen = order[:size], order[size:]
    predictor = Predictor([networks[index] for index in known], list(values[known]), resolution)
    predictions = [predictor.predict(networks[index], 0.9) for index in unseen]
    predicted, truth = np.array([prediction.value for prediction in predictions]), values[unseen]
    held = [found.low <= value <= found.high for found, value in zip(predictions, truth, strict=True)]
    return (
        float(np.abs(predicted / truth - 1).mean()),
        float(scipy.stats.spearmanr(predicted, truth).statistic),
        float(np.mean(held)),
    )


if __name__ == "__main__":
    main()
