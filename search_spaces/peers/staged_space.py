"""What the spaces over timm's families share: a depth, a width and a kind of blocks for each stage.

Parameters are flat, and every trial asks for all of them, as in the spaces of our own family: `stage3.depth`,
`stage3.width`, `stage3.kind`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.fixes import Values
from search_spaces.common.network import Network
from search_spaces.peers.stages import Stages, named_stages
from search_spaces.peers.timm_network import TimmNetwork

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The choices for one stage: evenly spaced depths and widths, and letters of blocks.

    A stage without widths of its own is twice as wide as the one before.
    """

    depths: range
    widths: range | None = None
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
        depths: list[int] = []
        widths: list[int | None] = []
        kinds: list[str] = []
        for number, choices in enumerate(self.choices, start=1):
            depths.append(_integer(trial, f"stage{number}.depth", choices.depths))
            widths.append(_integer(trial, f"stage{number}.width", choices.widths) if choices.widths else None)
            kinds.append(_kind(trial, f"stage{number}.kind", choices.kinds))
        return self.network(Stages(depths=tuple(depths), widths=self._settled(widths), kinds=tuple(kinds)))

    def network(self, plan: Stages) -> TimmNetwork:
        """The network of these stages, by its own name where it is published."""
        named = next((name for name, known in self.published.items() if known == plan), "")
        return TimmNetwork(model=named) if named else self.build(plan)

    def _settled(self, widths: Sequence[int | None]) -> tuple[int, ...]:
        settled: list[int] = []
        for asked, choices in zip(widths, self.choices, strict=True):
            if choices.widths is None or asked is None:
                settled.append(2 * settled[-1])
                continue
            least = settled[-1] if self.grows and settled else 0
            settled.append(asked if asked > least else next(width for width in choices.widths if width > least))
        return tuple(settled)

    def params(self, network: Network) -> dict[str, Any]:
        """The parameters from which `suggest` builds this network.

        Raises:
            InvalidArchitecture: the space does not contain it; names the field.
        """
        plan = self._plan(network)
        parameters: dict[str, Any] = {}
        rows = zip(plan.depths, plan.widths, plan.kinds, (0, *plan.widths), self.choices, strict=False)
        for number, (depth, width, kind, before, choices) in enumerate(rows, start=1):
            known = {"depth": choices.depths, "width": choices.widths or [2 * before], "kind": choices.kinds}
            for name, value in {"depth": depth, "width": width, "kind": kind}.items():
                if value not in known[name]:
                    problem = f"the space has {list(known[name])}, not {value}"
                    raise InvalidArchitecture(f"stage{number}.{name}", problem)
                if len(known[name]) > 1:
                    parameters[f"stage{number}.{name}"] = value
        return parameters

    def _plan(self, network: Network) -> Stages:
        if not isinstance(network, TimmNetwork):
            raise InvalidArchitecture("network", f"the space holds networks that timm builds, and not {network}")
        plan = named_stages(network) if network.options else self.published.get(network.model)
        if plan is None or len(plan.depths) != len(self.choices) or self.network(plan) != network:
            raise InvalidArchitecture("network", f"{network} is none of this family's, or differs in more than stages")
        return plan

    def size(self, left: Mapping[str, Values] | None = None) -> int:
        """The number of different networks in the space, or in what is `left` of some parameters."""
        known = left or {}

        def values(name: str) -> list[Any]:
            """Those of a parameter, by stage."""
            return [
                known.get(f"stage{number}.{name}", getattr(each, f"{name}s") or [None])
                for number, each in enumerate(self.choices, 1)
            ]

        settled = {self._settled(each) for each in product(*values("width"))}
        return len(settled) * prod(map(len, (*values("depth"), *values("kind"))))


def _kind(trial: "optuna.trial.BaseTrial", name: str, kinds: Sequence[str]) -> str:
    """The letter of a stage; what leaves no choice is no parameter."""
    return trial.suggest_categorical(name, list(kinds)) if len(kinds) > 1 else kinds[0]


def _integer(trial: "optuna.trial.BaseTrial", name: str, values: range) -> int:
    return trial.suggest_int(name, values[0], values[-1], step=values.step)
