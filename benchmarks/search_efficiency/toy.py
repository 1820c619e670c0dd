"""A space of formulas: 17 parameters, 1.04e9 networks of four stages, without noise, in the manner of `nhs`.

Accuracy saturates in depth and width, transformers pay in late stages, neighbouring stages want similar widths.
Latency has a fixed part for each block, a part that grows with the square of the width, and attention, dear early.

    python -m benchmarks.search_efficiency.toy          prints the hypervolume of a long search, `WHOLE`
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.search_efficiency.breeding import bred, step

Array = NDArray[np.float64]
Whole = NDArray[np.int_]
STAGE = (5, 2, 3, 4)  # convolutions in a stack (0 to 4), a transformer or none, stacks (1 to 3), width
CHOICES = np.array((*STAGE, *STAGE, *STAGE, *STAGE, 5))  # the last one: the ratio of attention, for all stages
REFERENCE = (-60.0, 6.0)  # what is less accurate or slower does not count
WHOLE = 96.18030349291504
WEIGHT = np.array([0.15, 0.2, 0.45, 0.2])  # of the stages
USE = np.array([0.2, 0.7, 1.5, 1.8])  # of a transformer, in convolutions
PRICE = np.array([4.0, 1.5, 0.7, 0.4])  # of attention


def costs(parameters: Whole) -> Array:
    """Minus the accuracy in percent and the latency in ms (n, 2) of networks (n, 17)."""
    convs, transformer, stacks, width = np.moveaxis(parameters[:, :16].reshape(-1, 4, 4), 2, 0)
    ratio, width = parameters[:, 16:] / 4, 0.6 + 0.2 * width
    convs, attention = (stacks + 1) * convs, (stacks + 1) * transformer
    use = USE * (1 - 2 * (ratio - 0.6) ** 2) * attention
    skill = WEIGHT * np.log1p(convs + use) * width**0.7
    uneven = 0.08 * (np.diff(width) ** 2).sum(1)
    accuracy = 85 - 40 * np.exp(-1.1 * (skill.sum(1) - uneven))
    work = 0.12 * (convs + 0.8 * attention) * width**2 + 0.15 * PRICE * ratio * attention * width
    latency = 0.4 + (0.06 * np.maximum(convs + attention, 1) + work).sum(1)
    return np.column_stack([-accuracy, latency])


def long_search(size: int = 60_000) -> Whole:
    """Many networks, bred towards the front within the reference point."""
    rng = np.random.default_rng(0)

    def judged(networks: Whole) -> Array:
        found = costs(networks)
        return np.where((found < REFERENCE).all(1)[:, None], found, np.inf)

    first = rng.integers(CHOICES, size=(size // 6, len(CHOICES)))
    return bred(first, size, judged, lambda parent, rng: step(parent, CHOICES, rng), rng, batch=250)


if __name__ == "__main__":
    from benchmarks.search_efficiency.tables import volume

    print(volume(costs(long_search()), np.array(REFERENCE)))
