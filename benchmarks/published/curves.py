"""Published training curves: from which epoch on do the networks of one long schedule stand in their final order?

    python benchmarks/published/curves.py nextvit_training_curves.csv

The file has a row for each network and epoch: `size`, `epoch`, and `acc1`, the validation accuracy in percent. The
curves of Next-ViT-S, B and L come from the training logs that bytedance/Next-ViT publishes.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

PARTS = 6  # of the schedule, for the table


def in_final_order(table: pd.DataFrame) -> "pd.Series[bool]":
    """Whether all networks stand in their final order, by epoch; epochs that some networks lack are left out."""
    accuracies = table.pivot(index="epoch", columns="size", values="acc1").dropna()
    final = accuracies.iloc[-1].sort_values().index
    return (accuracies[final].diff(axis=1).iloc[:, 1:] > 0).all(axis=1)


def settled(ordered: "pd.Series[bool]") -> int:
    """The epoch from which the order never changes again."""
    wrong = np.flatnonzero(~ordered)
    return int(ordered.index[wrong[-1] + 1 if len(wrong) else 0])


def main(path: Path) -> None:
    """Prints how often the final order stands in each part of the schedule, and when it settles."""
    ordered = in_final_order(pd.read_csv(path))
    for part in np.array_split(ordered, PARTS):
        print(f"epochs {part.index[0]:>3} to {part.index[-1]:>3}: in the final order {part.mean():.0%} of the time")
    print(f"settled from epoch {settled(ordered)} on: a long schedule that is cut off before it misleads")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
