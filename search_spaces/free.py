"""Any order of convolution and transformer blocks in each stage; depths, widths and ratios as in `nhs`.

The Next Hybrid Strategy (section 3.3 of arXiv 2207.05501) is one order of many: here the search may find one that
nobody named. `stage3.last1` is the kind of the last block of stage 3, C or T, `stage3.last2` that of the one before it,
and so on, because strategies are statements about the ends of stages. Every trial asks for all of them; a stage of four
blocks uses the first four.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.nextvit import stage_choices
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stage import Stage
from search_spaces.nextvit.stage_choices import SHARED, Allowed, StageChoices, chosen, remaining

if TYPE_CHECKING:
    import optuna

KINDS = ("C", "T")  # NCB, NTB


@dataclass(frozen=True, kw_only=True)
class Choices(StageChoices):
    """The choices for one stage: `kinds` holds those of each block, counted from the end of the stage."""

    NAMES: ClassVar[dict[str, str]] = {"depth": "depths", **StageChoices.NAMES}

    depths: Sequence[int]
    kinds: tuple[Sequence[str], ...]

    def suggest(self, trial: "optuna.trial.BaseTrial", number: int) -> Stage:
        """The stage of that number. Different parameters may build the same one; `params` returns one of them."""
        depth = chosen(trial, f"stage{number}.depth", self.depths)
        ends = [trial.suggest_categorical(f"stage{number}.last{place}", KINDS) for place in range(1, self.depth + 1)]
        return self.asked(trial, number, "".join(reversed(ends[:depth])))

    def params(self, stage: Stage) -> dict[str, Any]:
        """The inverse: what the stage does not use is at its lowest."""
        depth = len(stage.blocks)
        kinds = list(zip(reversed(stage.blocks), self.kinds, strict=False))
        if depth not in self.depths or any(kind not in left for kind, left in kinds):
            raise InvalidArchitecture("blocks", f"the space has up to {self.depths[-1]} blocks, not '{stage.blocks}'")
        used = [kind for kind, _ in kinds]
        unused = [left[0] for left in self.kinds[depth:]]
        by_place = {f"last{place}": kind for place, kind in enumerate([*used, *unused], start=1)}
        return {"depth": depth, **by_place, **self.values(stage)}

    def sequences(self) -> dict[str, int]:
        """Counted by the ends of stages: of each depth all sequences, those of one kind alone taken apart."""
        total = convolutions = transformers = 0
        for depth in self.depths:
            kinds = self.kinds[:depth]
            total += prod(map(len, kinds))
            convolutions += all("C" in left for left in kinds)
            transformers += all("T" in left for left in kinds)
        return {"C": convolutions, "T": transformers, "CT": total - convolutions - transformers}

    def within(self, values: Allowed) -> Self:
        """The choices that remain of these."""
        kinds = [values.get(f"last{place}", kinds) for place, kinds in enumerate(self.kinds, start=1)]
        others = {name: left for name, left in values.items() if name in self.NAMES}
        return replace(super().within(others), kinds=tuple(kinds))


STAGES = tuple(
    Choices(**shared, depths=range(1, shared["depth"] + 1), kinds=(KINDS,) * shared["depth"]) for shared in SHARED
)


def suggest(trial: "optuna.trial.BaseTrial") -> Architecture:
    """One network of the space. Different parameters may build the same one; `params` returns one of them."""
    return Architecture(stages=stage_choices.suggest(STAGES, trial))


def params(architecture: Network) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network, those that it does not use at their lowest.

    Raises:
        InvalidArchitecture: the space does not contain the network; names the field and the space's values.
    """
    return params_within(architecture, {})


def params_within(architecture: Network, allowed: Allowed) -> dict[str, Any]:
    """The same where only some values of parameters remain.

    Raises:
        InvalidArchitecture: none of them builds the network.
    """
    return stage_choices.params(architecture, remaining(STAGES, allowed))


def size() -> int:
    """The number of different networks in the space: different block sequences, with the widths that they use."""
    return size_within({})


def size_within(allowed: Allowed) -> int:
    """The same where only some values of parameters remain."""
    return prod(choices.size() for choices in remaining(STAGES, allowed))


def anchors() -> dict[str, Architecture]:
    """Next-ViT-S, B and L, the paper's own answer: measured first, as references for every front."""
    return dict(PAPER)
