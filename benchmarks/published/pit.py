"""The published table of 100 PiT networks on CIFAR-100 as a CSV file for `nas validate`.

    python benchmarks/published/pit.py pit_cifar100.csv pit.csv
    nas validate --truth pit.csv

PiT (Heo and others, ICCV 2021) has three stages of transformers with pooling between them; the width of a stage is its
heads times the base dimension. The table gives `base_dim`, `mlp_ratio`, `depth` and `heads` (`2-6-4`: one number for
each stage) and `cifar100_top1`; this script works the counts out.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

TOKENS = np.array([27.0, 14.0, 7.0]) ** 2  # at 224 px, by stage


def converted(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy in percent, and the counts of every network: parameters, multiply-accumulates, depth, sum of widths."""
    depth, heads = (np.array([list(map(int, cell.split("-"))) for cell in table[name]]) for name in ("depth", "heads"))
    width = table["base_dim"].to_numpy()[:, None] * heads
    weights = depth * width**2 * (4 + 2 * table["mlp_ratio"].to_numpy()[:, None])  # attention, and the MLP
    return pd.DataFrame(
        {
            "accuracy": table["cifar100_top1"],
            "params": weights.sum(1),
            "macs": (weights * TOKENS + 2 * depth * width * TOKENS**2).sum(1),
            "depth": depth.sum(1),
            "width": (depth * width).sum(1),
        }
    )


if __name__ == "__main__":
    converted(pd.read_csv(sys.argv[1])).to_csv(Path(sys.argv[2]), index=False)
