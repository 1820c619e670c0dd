"""The networks of a run in the parameters of its space, as a sampler sees them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import search_spaces
from results.store.record import Run, Trial
from search_spaces.common.errors import InvalidArchitecture

if TYPE_CHECKING:
    import optuna


def parameters(run: Run, trials: Sequence[Trial]) -> "Iterator[tuple[Trial, optuna.trial.FixedTrial]]":
    """Each trial with its parameters and their ranges; what lies outside the space is left out."""
    import optuna

    if run.config.get("space") not in search_spaces.names():
        return
    space = search_spaces.get(run.config["space"])
    for trial in trials:
        try:
            fixed = optuna.trial.FixedTrial(space.params(trial.architecture))
        except InvalidArchitecture:
            continue
        space.suggest(fixed)
        yield trial, fixed


def active(run: Run, trial: Trial, fixed: "optuna.trial.FixedTrial", name: str, values: Sequence[float]) -> bool:
    """Whether a parameter decides anything about a network: one of these values in its place would build another.

    The width of a transformer is inactive in a stage that has none.
    """
    import optuna

    space = search_spaces.get(run.config["space"])
    try:
        others = [space.suggest(optuna.trial.FixedTrial({**fixed.params, name: value})) for value in values]
    except (ValueError, InvalidArchitecture):  # another value asks for parameters that this network does not have
        return True
    return any(other != trial.architecture for other in others)
