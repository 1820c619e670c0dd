"""Changes of networks given as choices, from 0, of each parameter; and pools of networks bred towards the front.

A pool of random networks alone holds nothing near the front of a large space, and there the samplers differ.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from results.front import non_dominated

Array = NDArray[np.float64]
Whole = NDArray[np.int_]
Child = Callable[[Whole, np.random.Generator], Whole | None]
AGAIN = 0.3  # the probability of a second change, so that no front runs out of new neighbours


def one_step(parent: Whole, choices: Whole, rng: np.random.Generator) -> Whole:
    """The parameters (d,) with a random one changed to another of its choices (d,)."""
    child, place = parent.copy(), int(rng.integers(len(choices)))
    child[place] = (child[place] + rng.integers(1, choices[place])) % choices[place]
    return child


def step(parent: Whole, choices: Whole, rng: np.random.Generator) -> Whole:
    """The parameters (d,) with one of them changed, sometimes two."""
    child = one_step(parent, choices, rng)
    return one_step(child, choices, rng) if rng.random() < AGAIN else child


def bred(
    first: Whole, size: int, costs: Callable[[Whole], Array], child: Child, rng: np.random.Generator, batch: int
) -> Whole:
    """The first networks (n, d), and different children of the pool's front until there are `size` of them.

    `costs` gives the objectives (m, 2) of networks (m, d), lower is better; `child` a changed network, or None where
    the change is not allowed. The front is found again after each `batch` of children.
    """
    pool, known = list(np.unique(first, axis=0)), costs(np.unique(first, axis=0))
    seen = {network.tobytes() for network in pool}
    while len(pool) < size:
        parents, new = np.flatnonzero(non_dominated(known)), []
        while len(new) < min(batch, size - len(pool)):
            made = child(pool[int(rng.choice(parents))], rng)
            if made is not None and made.tobytes() not in seen:
                seen.add(made.tobytes())
                new.append(made)
        pool += new
        known = np.vstack([known, costs(np.array(new))])
    return np.array(pool)
