"""What may be built: architectures, and the spaces they are drawn from.

Every file of this folder is a search space, named on the command line by its file name; so is a user's own file
(`plugins.py` says where those come from). A space is a module with
`suggest(trial)`, its inverse `params(architecture)`, `size()` and `anchors()`. Nothing here imports torch by itself.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from search_spaces.common import plugins
from search_spaces.common.errors import UnknownName
from search_spaces.nextvit.architecture import PAPER, Architecture, Block, Stage

if TYPE_CHECKING:
    import optuna

__all__ = ["PAPER", "Architecture", "Block", "SearchSpace", "Stage", "get", "names", "summary"]


class SearchSpace(Protocol):
    """What every module of this folder offers."""

    def suggest(self, trial: "optuna.trial.BaseTrial") -> Architecture:
        """One network of the space, chosen by the trial's `suggest_*` calls."""

    def params(self, architecture: Architecture) -> dict[str, Any]:
        """The parameters from which `suggest` builds that network.

        Raises:
            InvalidArchitecture: the space does not contain it; names the field.
        """

    def size(self) -> int:
        """How many different networks the space holds."""

    def anchors(self) -> dict[str, Architecture]:
        """Published networks of the space, by name: evaluated first, as the yardstick of a front."""


def names() -> list[str]:
    """The search spaces: our own in alphabetical order, then users'."""
    return [*plugins.names("search_spaces"), *plugins.own(plugins.SPACES)]


def get(name: str) -> SearchSpace:
    """The search space of that name.

    Raises:
        UnknownName: there is none; offers the nearest name.
    """
    return cast(SearchSpace, _module(name))


def summary(name: str) -> str:
    """What a search space is for, in one line."""
    return plugins.summary(_module(name))


def _module(name: str) -> ModuleType:
    if name in plugins.names("search_spaces"):
        return plugins.load("search_spaces", name, "search space")
    own = plugins.own(plugins.SPACES)
    if name not in own:
        raise UnknownName("search space", name, names())
    return own[name]
