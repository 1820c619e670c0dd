"""The networks of a run as parameters of its space, as a sampler sees them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from results.store.record import Run, Trial
from search_spaces import SearchSpace
from search_spaces.common import narrowed
from search_spaces.common.errors import InvalidArchitecture, UsageError

if TYPE_CHECKING:
    import optuna


def space_of(run: Run) -> SearchSpace | None:
    """The space of a run, narrowed as it was; None where it is a user's own that is not known here, or has changed."""
    try:
        return narrowed.get(run.config.get("space", ""), run.config.get("fix", ()))
    except UsageError:
        return None


def parameters(run: Run, trials: Sequence[Trial]) -> "Iterator[tuple[Trial, optuna.trial.FixedTrial]]":
    """Every trial with its parameters and their ranges; networks outside the space are left out."""
    import optuna

    space = space_of(run)
    if not space:
        return
    for trial in trials:
        try:
            fixed = optuna.trial.FixedTrial(space.params(trial.architecture))
        except InvalidArchitecture:
            continue
        space.suggest(fixed)
        yield trial, fixed


def active(
    space: SearchSpace, trial: Trial, fixed: "optuna.trial.FixedTrial", name: str, values: Sequence[float]
) -> bool:
    """Whether a parameter matters for a network: another of these values would build another network.

    The width of a transformer is inactive in a stage that has none.
    """
    import optuna

    try:
        others = [space.suggest(optuna.trial.FixedTrial({**fixed.params, name: value})) for value in values]
    except (ValueError, InvalidArchitecture):  # another value asks for parameters that this network does not have
        return True
    return any(other != trial.architecture for other in others)
