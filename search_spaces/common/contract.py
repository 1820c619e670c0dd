"""The contract of a search space, as checks. The tests run them on built-in spaces, and users on their own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from search_spaces.common.errors import NegativeAnswer
from search_spaces.common.network import Network

if TYPE_CHECKING:
    from search_spaces import SearchSpace

DRAWS = 300  # random networks


class BrokenPromise(NegativeAnswer):
    """A plug-in breaks the contract of its kind."""


def promise(kept: bool, broken: str, hint: str) -> None:
    """Raises an error if a promise is not kept.

    Raises:
        BrokenPromise: with the message `broken` and the hint.
    """
    if not kept:
        raise BrokenPromise(broken, hint)


def draw(space: "SearchSpace", count: int, seed: int = 0) -> Iterator[Network]:
    """Random networks of a space; some may be equal."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(count):
        yield space.suggest(study.ask())


def is_documented(space: "SearchSpace", draws: int = DRAWS) -> None:
    """The first line of its docstring says what it is for."""
    promise(bool((space.__doc__ or "").strip()), "the module has no docstring", "its first line is the space's help")


def builds_architectures(space: "SearchSpace", draws: int = DRAWS) -> None:
    """`suggest(trial)` builds a valid network for every choice."""
    for network in draw(space, draws):
        promise(
            isinstance(network, Network),
            f"suggest returned {type(network).__name__}",
            "return a search_spaces.Architecture, or a TimmNetwork",
        )


def inverts(space: "SearchSpace", draws: int = DRAWS) -> None:
    """`params(architecture)` gives parameters from which `suggest` builds the same network again."""
    import optuna

    for network in draw(space, draws):
        params = space.params(network)
        again = space.suggest(optuna.trial.FixedTrial(params))
        promise(again == network, f"params of {network} build {again}", "params must be the inverse of suggest")
        promise(
            space.params(again) == params,
            f"params of {network} differ from call to call",
            "always return the same ones",
        )


def asks_the_same(space: "SearchSpace", draws: int = DRAWS) -> None:
    """`suggest` asks for the same parameters in every trial, so that a model can learn from all of them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    first = None
    for _ in range(20):
        trial = study.ask()
        space.suggest(trial)
        first = first or trial.distributions
        promise(
            trial.distributions == first,
            f"one trial asked for {', '.join(first)}, another for {', '.join(trial.distributions)}",
            "ask for every parameter in every trial, and ignore those that the network does not use",
        )


def holds_its_anchors(space: "SearchSpace", draws: int = DRAWS) -> None:
    """Its anchors are networks of the space, and its size is larger than their number."""
    import optuna

    for name, network in space.anchors().items():
        built = space.suggest(optuna.trial.FixedTrial(space.params(network)))
        promise(built == network, f"the anchor {name} is built as {built}", "an anchor must be inside the space")
    promise(
        space.size() > len(space.anchors()),
        f"size() is {space.size()}, and there are {len(space.anchors())} anchors",
        "size() counts the different networks of the space",
    )


CHECKS = (is_documented, builds_architectures, inverts, asks_the_same, holds_its_anchors)
