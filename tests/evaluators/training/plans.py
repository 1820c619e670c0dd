"""Plans of quick trainings, and a listener that interrupts one."""

from pathlib import Path

from evaluators.training.plan import Listener, Plan
from evaluators.training.recipe import FullRecipe
from search_spaces import Architecture
from tests.networks import TINY

SMALL = {"resolution": 32, "batch_size": 16, "learning_rate": 0.02, "workers": 0}
PLAIN = FullRecipe.of({**SMALL, "epochs": 2}, plain=True)


def plan(photos: Path, recipe: FullRecipe = PLAIN, architecture: Architecture = TINY, weights: str = "") -> Plan:
    return Plan(architecture=architecture, data=str(photos), recipe=recipe, weights=weights)


class Interrupting(Listener):
    """Presses Ctrl-C in a step, counted over all epochs."""

    def __init__(self, at: tuple[int, int]) -> None:
        self.at = at

    def step(self, epoch: int, done: int, steps: int) -> None:
        if (epoch, done) == self.at:
            raise KeyboardInterrupt
