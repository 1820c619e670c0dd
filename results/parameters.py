"""The networks of a run as parameters of its space, as a sampler sees them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import search_spaces
from results.store.record import Run, Trial
from search_spaces import Network, SearchSpace
from search_spaces.common import narrowed
from search_spaces.common.errors import InvalidArchitecture, UsageError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True, kw_only=True)
class Used:
    """A trial with the parameters that its network uses, and their ranges.

    A network uses a parameter if another value would build another network: not the width of a transformer in a stage
    that has none.
    """

    trial: Trial
    params: dict[str, Any]
    distributions: "dict[str, BaseDistribution]"


def parameters(run: Run, trials: Sequence[Trial]) -> Iterator[Used]:
    """Every trial with its parameters; networks outside the space are left out, and all where it is not known here."""
    import optuna

    space = _space(run)
    if not space:
        return
    for trial in trials:
        known = search_spaces.parameters(space, trial.architecture)
        if known is None:
            continue
        fixed = optuna.trial.FixedTrial(known)
        space.suggest(fixed)
        params, ranges = fixed.params, fixed.distributions
        used = [name for name in params if _is_used(space, trial.architecture, params, name, ranges[name])]
        yield Used(
            trial=trial,
            params={name: params[name] for name in used},
            distributions={name: ranges[name] for name in used},
        )


def _space(run: Run) -> SearchSpace | None:
    """The space of a run, narrowed as it was; None where it is a user's own that is not known here, or has changed."""
    try:
        return narrowed.get(run.config.get("space", ""), run.config.get("fix", ()))
    except UsageError:
        return None


def _is_used(
    space: SearchSpace, network: Network, params: dict[str, Any], name: str, values: "BaseDistribution"
) -> bool:
    ends = getattr(values, "choices", None) or (values.low, values.high)  # type: ignore[attr-defined]
    others = [value for value in ends if value != params[name]]
    try:
        return any(space.suggest(_Chosen({**params, name: value})) != network for value in others)  # type: ignore[arg-type]
    except (AttributeError, KeyError, InvalidArchitecture):  # that value asks for what this network does not have
        return True


class _Chosen:
    """A trial with these parameters: half the time of Optuna's, which makes an object of every range."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def _suggest(self, name: str, *_: object, **__: object) -> Any:
        return self.params[name]

    suggest_int = suggest_float = suggest_categorical = _suggest
