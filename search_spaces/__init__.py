"""What may be built: architectures, and the spaces they are drawn from.

Every file directly in this folder is a search space, and its file name is its name, with - for _; so is a user's own
file, whose name stays as it is (`common/plugins.py` finds both). A space is a module with `suggest(trial)`, its inverse
`params(architecture)`, `size()` and `anchors()`. Importing this package does not import torch.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from search_spaces.common import plugins
from search_spaces.common.errors import InvalidArchitecture, UnknownName
from search_spaces.common.network import Network
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stage import Block, Stage
from search_spaces.peers.timm_network import TimmNetwork

if TYPE_CHECKING:
    import optuna

__all__ = [
    "PAPER",
    "Architecture",
    "Block",
    "Network",
    "SearchSpace",
    "Stage",
    "TimmNetwork",
    "get",
    "names",
    "parameters",
    "summary",
]


class SearchSpace(Protocol):
    """The functions that every module of this folder offers."""

    def suggest(self, trial: "optuna.trial.BaseTrial") -> Network:
        """One network of the space, chosen by the trial's `suggest_*` calls."""

    def params(self, architecture: Any) -> dict[str, Any]:
        """The parameters from which `suggest` builds that network.

        Raises:
            InvalidArchitecture: the space does not contain it; names the field.
        """

    def size(self) -> int:
        """The number of different networks in the space."""

    def anchors(self) -> dict[str, Network]:
        """Published networks of the space, by name. A search evaluates them first, as references for its front."""


def parameters(space: SearchSpace, network: Network) -> dict[str, Any] | None:
    """The parameters of a network in a space; None where the space does not hold it, or holds another family."""
    try:
        return space.params(network)
    except InvalidArchitecture:
        return None
    except AttributeError:  # a user's own space need not know other families
        if isinstance(network, Architecture):
            raise
        return None


def names() -> list[str]:
    """The names of all search spaces: built-in ones in alphabetical order, then users'."""
    return [*_built_in(), *plugins.own(plugins.SPACES)]


def _built_in() -> dict[str, str]:
    """Our own search spaces: the name of each, and that of its module."""
    return {module.replace("_", "-"): module for module in plugins.names("search_spaces")}


def get(name: str) -> SearchSpace:
    """The search space of that name.

    Raises:
        UnknownName: there is none; the message offers the nearest name.
    """
    return cast(SearchSpace, _module(name))


def summary(name: str) -> str:
    """The purpose of a search space, in one line."""
    return plugins.summary(_module(name))


def _module(name: str) -> ModuleType:
    if module := _built_in().get(name):
        return plugins.load("search_spaces", module, "search space")
    own = plugins.own(plugins.SPACES)
    if name not in own:
        raise UnknownName("search space", name, names())
    return own[name]
