"""Makes nhs.csv, a table of 3,000 networks of our own space, from the database of a default run.

    nas run
    python -m benchmarks.search_efficiency.make_nhs_table --store sqlite:///runs/nas.db

The networks keep the limits that `nas run` suggests, and the score does not distrust them: 2,000 random ones, then
one-step and two-step mutations of the table's front, which is found again after every 100. The score is that of
`published`; the latency is predicted from the networks that the database has measured, and so without the noise of a
measurement. A third of the networks stands near the front, so random search looks better here than in the space, and
mutation worse, because most neighbours of a network are missing. A line is a network: each of the 24 parameters as the
number of its choice, from 0.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import optuna

import evaluators
import search_spaces
from benchmarks.search_efficiency.breeding import Array, Whole, bred, step
from evaluators.counts.formula import total
from evaluators.prediction.latency_predictor import Predictor
from nas.search.accuracy import WITHOUT_DATA, suggested_limits
from nas.search.config import Config
from results.store.store import Store
from search_spaces import Architecture

PLACE = Path(__file__).parent / "nhs.csv"
RANDOM, SIZE, BATCH = 2000, 3000, 100
SPACE = search_spaces.get("nhs")


class Networks:
    """Networks of the space as numbers of choices, with their objectives."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.score = predictor, evaluators.get(WITHOUT_DATA, "accuracy")
        self.config = Config(
            space="nhs", proxy=WITHOUT_DATA, limits=suggested_limits(WITHOUT_DATA, SPACE.anchors().values())
        )
        trial = optuna.trial.FixedTrial(SPACE.params(SPACE.anchors()["next-vit-s"]))
        SPACE.suggest(trial)
        self.values = {name: _values(distribution) for name, distribution in trial.distributions.items()}
        self.choices = np.array([len(values) for values in self.values.values()])

    def built(self, choices: Whole) -> Architecture:
        """The network with these choices (24,)."""
        params = {name: values[place] for (name, values), place in zip(self.values.items(), choices, strict=True)}
        return SPACE.suggest(optuna.trial.FixedTrial(params))

    def canonical(self, architecture: Architecture) -> Whole:
        """The choices (24,) that the space gives for a network; several build the same one."""
        params = SPACE.params(architecture)
        return np.array([values.index(params[name]) for name, values in self.values.items()])

    def allowed(self, choices: Whole) -> Whole | None:
        """The canonical choices of a network; None if a run would not evaluate it."""
        architecture = self.built(choices)
        refused = self.config.beyond(architecture) or self.score.distrusts(architecture)
        return None if refused else self.canonical(architecture)

    def child(self, parent: Whole, rng: np.random.Generator) -> Whole | None:
        """A mutation, if it is allowed."""
        return self.allowed(step(parent, self.choices, rng))

    def random(self, count: int, rng: np.random.Generator) -> Whole:
        """Different random networks that are allowed, and the paper's."""
        found = {made.tobytes(): made for made in map(self.canonical, SPACE.anchors().values())}
        while len(found) < count:
            made = self.allowed(rng.integers(self.choices))
            if made is not None:
                found[made.tobytes()] = made
        return np.array(list(found.values()))

    def costs(self, networks: Whole) -> Array:
        """Minus the score, and the predicted latency (n, 2)."""
        return np.array([self._costs(self.built(choices)) for choices in networks])

    def _costs(self, architecture: Architecture) -> tuple[float, float]:
        return -self.score.measure(architecture).value, self.predictor.predict(architecture).value

    def line(self, choices: Whole, costs: Array) -> str:
        """A line of the table: parameters, score (%), latency (ms), weights and multiply-accumulates (millions)."""
        counts, digits = total(self.built(choices)), "".join(map(str, choices))
        return f"{digits},{-costs[0]:.3f},{costs[1]:.3f},{counts.params / 1e6:.2f},{counts.macs / 1e6:.0f}"


def _values(distribution: Any) -> list[float]:
    steps = round((distribution.high - distribution.low) / distribution.step)
    return [distribution.low + distribution.step * place for place in range(steps + 1)]


def main() -> None:
    """Fits the predictor, fills the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="sqlite:///runs/nas.db")
    parser.add_argument("--latency", default="ort")
    arguments = parser.parse_args()
    pairs = max(Store(arguments.store).measured(arguments.latency).values(), key=len)
    measurement = pairs[0][1]
    predictor = Predictor(
        [pair[0] for pair in pairs], [pair[1].value for pair in pairs], measurement.protocol.get("resolution", 224)
    )
    held_out, rng = predictor.held_out(), np.random.default_rng(0)
    source = (
        f"# score: published; ms: predicted from {len(pairs)} networks measured by {arguments.latency} on "
        f"{measurement.device.label}; mean error {held_out.mean_error:.1%} and Spearman "
        f"{held_out.spearman:.3f} held out"
    )
    networks = Networks(predictor)
    print(source, flush=True)
    choices = bred(networks.random(RANDOM, rng), SIZE, networks.costs, networks.child, rng, BATCH)
    lines = map(networks.line, choices, networks.costs(choices))
    PLACE.write_text("\n".join([source, "parameters,score,ms,params,macs", *lines]) + "\n")
    print(f"{PLACE.name}: {SIZE} networks")


if __name__ == "__main__":
    main()
