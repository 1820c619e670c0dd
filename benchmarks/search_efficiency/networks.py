"""What a sampler knows of the networks that it may ask for: those of a table, or all of a space of formulas.

Parameters are given by their choices, counted from 0. A sampler names networks by their index. The truth about them
stays with the harness.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.search_efficiency.breeding import one_step

Array = NDArray[np.float64]
Whole = NDArray[np.int_]


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The n networks of a table."""

    parameters: Whole  # (n, d): which of its choices each parameter takes
    counts: Array  # (n, c): logarithms of exact counts, such as multiply-accumulates and weights
    categorical: bool = False  # whether the choices have no order
    latency: Array | None = None  # (n,): known beforehand, or predicted; None: each evaluation tells one
    error: float = 0.0  # the relative standard deviation of such latencies

    @cached_property
    def choices(self) -> Whole:
        """How many choices each parameter (d,) has."""
        return np.asarray(self.parameters.max(0) + 1)

    @cached_property
    def places(self) -> Array:
        """The parameters (n, d), each from 0 to 1."""
        return self.parameters / (self.choices - 1)

    def nearest(self, wanted: Whole, asked: list[int], rng: np.random.Generator) -> int:
        """The network not yet asked for whose parameters are nearest to those wanted (d,); ties are broken at random.

        The distance is the sum over parameters of their differences, with the range of each as 1; of categorical ones,
        the number of those that differ.
        """
        if self.categorical:
            distance = (self.parameters != wanted).sum(1).astype(float)
        else:
            distance = np.abs(self.places - wanted / (self.choices - 1)).sum(1)
        distance += 1e-6 * rng.random(len(distance))
        distance[asked] = np.inf
        return int(distance.argmin())

    def drawn(self, seed: int, count: int) -> list[int]:
        """Different random networks. Equal seeds begin with the same ones: comparisons of samplers are paired."""
        return np.random.default_rng([seed, 0]).permutation(len(self.parameters))[:count].tolist()


class Space:
    """All networks of a space, of which each gets an index when it is first asked for."""

    categorical = False

    def __init__(self, choices: Whole) -> None:
        self.choices, self.known, self.index = choices, list[Whole](), dict[bytes, int]()

    @property
    def parameters(self) -> Whole:
        """The parameters (n, d) of those that have an index."""
        return np.array(self.known)

    def nearest(self, wanted: Whole, asked: list[int], rng: np.random.Generator) -> int:
        """The network wanted (d,), or one some steps away if that was asked for."""
        while (index := self._index(wanted)) in asked:
            wanted = one_step(wanted, self.choices, rng)
        return index

    def drawn(self, seed: int, count: int) -> list[int]:
        """Different random networks, the same for equal seeds."""
        rng, found = np.random.default_rng([seed, 0]), dict[int, None]()
        while len(found) < count:
            found[self._index(rng.integers(self.choices))] = None
        return list(found)

    def _index(self, parameters: Whole) -> int:
        key = parameters.tobytes()
        if key not in self.index:
            self.index[key] = len(self.known)
            self.known.append(parameters)
        return self.index[key]
