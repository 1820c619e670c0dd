"""A search space of whose parameters only some values remain (`--fix`): itself a search space."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any

import search_spaces
from search_spaces.common import fixes
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.fixes import Interval, Values
from search_spaces.common.network import Network

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

    from search_spaces import SearchSpace

FEW = 3000  # combinations of values that are all built, in order to count the networks


def get(name: str, texts: Sequence[str] = ()) -> "SearchSpace":
    """The search space of that name, narrowed by these `--fix`.

    Raises:
        UnknownName: there is no such space or parameter.
        UsageError: a text is malformed, names no value of its parameter, or contradicts another.
    """
    return _narrowed(name, tuple(texts)) if texts else search_spaces.get(name)


@cache
def _narrowed(name: str, texts: tuple[str, ...]) -> "Narrowed":
    space = search_spaces.get(name)
    whole = distributions(space)
    return Narrowed(space, whole, fixes.remaining(values(whole), texts))


def resolved(name: str, texts: Sequence[str], frees: Sequence[str]) -> tuple[str, ...]:
    """One `--fix` for each parameter that is narrowed, in the order of the space, without patterns and `--free`.

    Equal narrowings have equal texts.

    Raises:
        UnknownName: there is no such space or parameter.
        UsageError: a text is malformed, names no value of its parameter, or contradicts another.
    """
    if not texts and not frees:
        return ()
    known = values(distributions(search_spaces.get(name)))
    left = fixes.remaining(known, texts, frees)
    return tuple(f"{name}={fixes.written(values, known[name])}" for name, values in left.items())


def distributions(space: "SearchSpace") -> "dict[str, BaseDistribution]":
    """The parameters of a space with their ranges: every trial asks for the same ones."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    space.suggest(trial)
    return trial.distributions


def values(whole: "Mapping[str, BaseDistribution]") -> dict[str, Values]:
    """The values of every parameter, in their order."""
    return {name: _values(distribution) for name, distribution in whole.items()}


class Narrowed:
    """Asks only for the parameters of which several values remain; its networks are those of the space that it narrows.

    `left` are the values that remain of the narrowed parameters. A space may offer `params_within(architecture, left)`
    and `size_within(left)`, which know all parameters of a network, and count without building: `nhs` does.
    """

    def __init__(
        self, space: "SearchSpace", whole: "Mapping[str, BaseDistribution]", left: Mapping[str, Values]
    ) -> None:
        self.space, self.whole, self.left = space, whole, left
        single = {
            name: values for name, values in left.items() if not isinstance(values, Interval) and len(values) == 1
        }
        self.fixed = {name: value for name, (value,) in single.items()}
        self.asked = {
            name: _distribution(distribution, left[name]) if name in left else distribution
            for name, distribution in whole.items()
            if name not in self.fixed
        }

    def suggest(self, trial: "optuna.trial.BaseTrial") -> Network:
        """One network of the narrowed space, chosen by a trial."""
        import optuna

        chosen = {name: _ask(trial, name, distribution) for name, distribution in self.asked.items()}
        return self.space.suggest(optuna.trial.FixedTrial(self.fixed | chosen))

    def params(self, architecture: Network) -> dict[str, Any]:
        """The parameters that are asked for, from which `suggest` builds this network.

        Raises:
            InvalidArchitecture: the space does not hold it, or what remains of it does not; names the parameter.
        """
        found = self.space.params(architecture)
        beyond = self._beyond(found)
        if not beyond:
            return self._asked(found)
        within = getattr(self.space, "params_within", self._within)
        try:
            return self._asked(within(architecture, self.left))
        except InvalidArchitecture:
            name = next((name for name in beyond if _refuses(within, architecture, {name: self.left[name]})), beyond[0])
        remain = fixes.written(self.left[name], _values(self.whole[name]))
        raise InvalidArchitecture(name, f"--fix leaves {remain}, and the network has {found[name]}")

    def _beyond(self, params: Mapping[str, Any]) -> list[str]:
        """The parameters whose values do not remain."""
        return [name for name, values in self.left.items() if not fixes.holds(values, params[name])]

    def _asked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: params[name] for name in self.asked}

    def _within(self, architecture: Network, left: Mapping[str, Values]) -> dict[str, Any]:
        """The parameters of a network where those that it does not use may be others.

        Raises:
            InvalidArchitecture: it uses one whose value does not remain.
        """
        import optuna

        found = dict(self.space.params(architecture))
        for name in self._beyond(found):
            values = left.get(name, (found[name],))
            found[name] = values.low if isinstance(values, Interval) else values[0]
            if self.space.suggest(optuna.trial.FixedTrial(found)) != architecture:
                raise InvalidArchitecture(name, "the network uses another value")
        return found

    def size(self) -> int:
        """The number of different networks; at the most, where `is_counted` is false."""
        return self._size[0]

    @property
    def is_counted(self) -> bool:
        """Whether the size is exact."""
        return self._size[1]

    @cached_property
    def _size(self) -> tuple[int, bool]:
        if hasattr(self.space, "size_within"):
            return self.space.size_within(self.left), True
        lists = [_values(distribution) for distribution in self.asked.values()]
        whole = self.space.size()
        counted = [values for values in lists if not isinstance(values, Interval)]
        most = prod(map(len, counted)) if len(counted) == len(lists) else whole
        if most > FEW or len(counted) < len(lists):
            return min(most, whole), False
        return len({self._built(values) for values in product(*counted)}), True

    def _built(self, chosen: Sequence[Any]) -> Network:
        import optuna

        return self.suggest(optuna.trial.FixedTrial(dict(zip(self.asked, chosen, strict=True))))

    def anchors(self) -> dict[str, Network]:
        """Those published networks of the space that remain."""
        return {name: network for name, network in self.space.anchors().items() if name not in self.left_out}

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The published networks of the space that do not remain, with the reason."""
        reasons = {}
        for name, network in self.space.anchors().items():
            try:
                self.params(network)
            except InvalidArchitecture as error:
                reasons[name] = error.message
        return reasons


def _values(distribution: "BaseDistribution") -> Values:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    assert isinstance(distribution, FloatDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if low == high:
        return (low,)
    if step is None:
        return Interval(low, high)
    return tuple(_clean(low + step * place) for place in range(round((high - low) / step) + 1))


def _distribution(whole: "BaseDistribution", left: Values) -> "BaseDistribution":
    """What a trial is asked for where these values remain: evenly spaced ones keep their order for a model."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(left, Interval):
        assert isinstance(whole, FloatDistribution)
        return FloatDistribution(left.low, left.high, log=whole.log)
    known = _values(whole)
    places = [] if isinstance(known, Interval) else [known.index(value) for value in left]
    gaps = {after - before for before, after in pairwise(places)}
    if isinstance(whole, CategoricalDistribution) or len(gaps) != 1:
        return CategoricalDistribution(list(left))
    (gap,) = gaps
    if isinstance(whole, IntDistribution):
        even = gap == 1 or not whole.log  # a logarithmic one has no steps
        step = whole.step * gap
        return IntDistribution(left[0], left[-1], log=whole.log, step=step) if even else CategoricalDistribution(left)
    assert isinstance(whole, FloatDistribution) and whole.step
    return FloatDistribution(left[0], left[-1], step=_clean(whole.step * gap))


def _refuses(
    within: Callable[[Network, Mapping[str, Values]], object],
    architecture: Network,
    left: Mapping[str, Values],
) -> bool:
    try:
        within(architecture, left)
    except InvalidArchitecture:
        return True
    return False


def _ask(trial: "optuna.trial.BaseTrial", name: str, distribution: "BaseDistribution") -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        low, high = distribution.low, distribution.high
        return trial.suggest_int(name, low, high, step=distribution.step, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def _clean(value: float) -> float:
    """A number of a grid without the error of its sum: 0.3 rather than 0.30000000000000004."""
    return float(f"{value:.12g}")
