"""What the spaces over timm's families share: a depth, a width and a kind of blocks for each stage.

Parameters are flat, and every trial asks for all of them, as in the spaces of our own family: `stage3.depth`,
`stage3.width`, `stage3.kind`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.peers.stages import Stages, named_stages
from search_spaces.peers.timm_network import TimmNetwork

if TYPE_CHECKING:
    import optuna


Allowed = Mapping[str, Sequence[Any]]  # the values that remain of some parameters
PARTS = ("depth", "width", "kind")  # of a stage, which a trial chooses


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The choices for one stage: evenly spaced depths and widths, and letters of blocks."""

    depths: range
    widths: range
    kinds: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class StagedSpace:
    """A space of networks that differ in their stages alone.

    `build` makes a network that has no name of its own; `published` are those that have one. Where `grows`, timm halves
    the resolution only before a stage that is wider than the one before: a width that is not becomes the next that is.
    """

    choices: Sequence[Choices]
    build: Callable[[Stages], TimmNetwork]
    published: Mapping[str, Stages]
    grows: bool = False

    def suggest(self, trial: "optuna.trial.BaseTrial") -> TimmNetwork:
        """One network of the space."""
        depths, widths, kinds = [], [], []
        for number, choices in self._numbered():
            depths.append(_integer(trial, f"stage{number}.depth", choices.depths))
            widths.append(_integer(trial, f"stage{number}.width", choices.widths))
            kinds.append(trial.suggest_categorical(f"stage{number}.kind", list(choices.kinds)))
        return self.network(Stages(depths=tuple(depths), widths=self._settled(widths), kinds=tuple(kinds)))

    def network(self, plan: Stages) -> TimmNetwork:
        """The network of these stages, by its own name where it is published."""
        named = next((name for name, known in self.published.items() if known == plan), "")
        return TimmNetwork(model=named) if named else self.build(plan)

    def _settled(self, widths: Sequence[int]) -> tuple[int, ...]:
        settled: list[int] = []
        for asked, choices in zip(widths, self.choices, strict=True):
            least = settled[-1] if self.grows and settled else 0
            settled.append(asked if asked > least else next(width for width in choices.widths if width > least))
        return tuple(settled)

    def params(self, network: Network, allowed: Allowed | None = None) -> dict[str, Any]:
        """The parameters from which `suggest` builds this network: of the `allowed` ones, its own widths if possible.

        Raises:
            InvalidArchitecture: the space, or what is allowed of it, does not contain the network; names the field.
        """
        plan, known = self._plan(network), self._values(allowed or {})
        settling = (each for each in product(*known["width"]) if self._settled(each) == plan.widths)
        held = all(width in values for width, values in zip(plan.widths, known["width"], strict=True))
        widths = plan.widths if held else next(settling, plan.widths)
        parameters: dict[str, Any] = {}
        for number, row in enumerate(zip(plan.depths, widths, plan.kinds, strict=True), start=1):
            for name, value in zip(PARTS, row, strict=True):
                if value not in (values := known[name][number - 1]):
                    problem = f"the space has {list(values)}, not {value}"
                    raise InvalidArchitecture(f"stage{number}.{name}", problem)
                parameters[f"stage{number}.{name}"] = value
        return parameters

    def _values(self, allowed: Allowed) -> dict[str, list[Sequence[Any]]]:
        """The values of every part of a stage that are allowed, stage by stage."""
        return {
            name: [allowed.get(f"stage{number}.{name}", getattr(each, f"{name}s")) for number, each in self._numbered()]
            for name in PARTS
        }

    def _numbered(self) -> Iterator[tuple[int, Choices]]:
        return enumerate(self.choices, start=1)

    def _plan(self, network: Network) -> Stages:
        if not isinstance(network, TimmNetwork):
            raise InvalidArchitecture("network", f"the space holds networks that timm builds, and not {network}")
        plan = named_stages(network) if network.options else self.published.get(network.model)
        if plan is None or len(plan.depths) != len(self.choices) or self.network(plan) != network:
            raise InvalidArchitecture("network", f"{network} is none of this family's, or differs in more than stages")
        return plan

    def size(self, allowed: Allowed | None = None) -> int:
        """The number of different networks in the space, or in what is allowed of it."""
        known = self._values(allowed or {})
        widths = {self._settled(each) for each in product(*known["width"])}
        return len(widths) * prod(map(len, (*known["depth"], *known["kind"])))


def _integer(trial: "optuna.trial.BaseTrial", name: str, values: range) -> int:
    return trial.suggest_int(name, values[0], values[-1], step=values.step)
