"""By how much a candidate should widen the front: the expected improvement of the hypervolume, in closed form.

The objectives of a candidate are independent normal variables. What no point of the front dominates falls into boxes,
and the expected volume that the candidate dominates in a box is a product of one-dimensional expectations (Yang,
Emmerich, Deutz, Baeck 2019, Journal of Global Optimization 75). All objectives are minimised.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from results.front import non_dominated

Points = NDArray[np.float64]
LEAST_SPREAD = 1e-12  # a certain value is one with this standard deviation
BLOCK = 2_000_000  # numbers held at a time


def boxes(front: Points, reference: Points) -> tuple[Points, Points]:
    """The lower and the upper corners, (b, m) each, of disjoint boxes that hold whatever no point (n, m) dominates.

    They end at the reference point (m,), and are open below.
    """
    last = reference[-1]
    order = front[(front < reference).all(1)]
    order = order[np.argsort(order[:, -1], kind="stable")]
    if len(reference) == 1:
        return np.array([[-np.inf]]), np.array([[min([last, *order[:, 0]])]])
    edges = np.array([-np.inf, *order[:, -1], last])
    lowers, uppers = [], []
    for count, (low, high) in enumerate(pairwise(edges)):
        if high > low:
            rest = order[:count, :-1]
            lower, upper = boxes(rest[non_dominated(rest)], reference[:-1])
            lowers.append(np.column_stack([lower, np.full(len(lower), low)]))
            uppers.append(np.column_stack([upper, np.full(len(upper), high)]))
    return np.vstack(lowers), np.vstack(uppers)


def expected_gain(mean: Points, spread: Points, lower: Points, upper: Points) -> Points:
    """The expected gain (n,) of candidates with means and standard deviations (n, m), over the boxes of a front."""
    rows = max(1, BLOCK // lower.size)
    gains = np.empty(len(mean))
    for start in range(0, len(mean), rows):
        part = slice(start, start + rows)
        center, sigma = mean[part, None], np.maximum(spread[part, None], LEAST_SPREAD)  # (rows, 1, m)
        sides = _shortfall(upper, center, sigma) - _shortfall(lower, center, sigma)  # (rows, b, m)
        gains[part] = sides.prod(-1).sum(-1)
    return gains


def _shortfall(edge: Points, mean: Points, spread: Points) -> Points:
    """The expectation of max(0, edge - Y) for a normal Y; 0 for an edge at minus infinity."""
    z = (edge - mean) / spread
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    with np.errstate(invalid="ignore"):  # minus infinity times 0
        below = (edge - mean) * ndtr(z) + spread * density
    return np.where(np.isneginf(edge), 0.0, below)
