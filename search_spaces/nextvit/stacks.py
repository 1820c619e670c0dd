"""Stages of the Next Hybrid Strategy, `(C^N T^t)^L`: N NCBs, then t = 0 or 1 NTB, stacked L times.

Source: section 3.4 of arXiv 2207.05501.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit.stage import Stage
from search_spaces.nextvit.stage_choices import SHARED, StageChoices, chosen

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Stacks(StageChoices):
    """The choices for one stage: stacks beyond its depth are cut off."""

    NAMES: ClassVar[dict[str, str]] = {"N": "convs", "t": "transformers", "L": "stacks", **StageChoices.NAMES}

    convs: Sequence[int]  # N
    transformers: Sequence[int] = range(2)  # t
    stacks: Sequence[int]  # L

    def suggest(self, trial: "optuna.trial.BaseTrial", number: int) -> Stage:
        """The stage of that number. Different parameters may build the same one; `params` returns one of them."""
        sequence = blocks(
            self.depth,
            convs=chosen(trial, f"stage{number}.N", self.convs),
            transformers=chosen(trial, f"stage{number}.t", self.transformers),
            stacks=chosen(trial, f"stage{number}.L", self.stacks),
        )
        return self.asked(trial, number, sequence)

    def params(self, stage: Stage) -> dict[str, Any]:
        """The inverse: the fewest stacks, and what the stage does not use at its lowest."""
        known = _sequences(self)
        if stage.blocks not in known:
            raise InvalidArchitecture(
                "blocks",
                f"'{stage.blocks}' is not (C^N T^t)^L with N up to {self.convs[-1]}, L up to {self.stacks[-1]} "
                f"and at most {self.depth} blocks",
            )
        return known[stage.blocks] | self.values(stage)

    def sequences(self) -> Counter[str]:
        """How many different sequences of blocks there are, by the kinds of blocks in them."""
        return Counter("".join(sorted(set(sequence))) for sequence in _sequences(self))


STACKS = tuple(
    {**shared, "convs": range(most_convs + 1), "stacks": range(1, most_stacks + 1)}
    for shared, most_convs, most_stacks in zip(SHARED, (4, 4, 9, 4), (4, 4, 10, 4), strict=True)
)


def blocks(depth: int, *, convs: int, transformers: int, stacks: int) -> str:
    """The stage `(C^convs T^transformers)^stacks`. An empty group becomes one NCB; stacks beyond the depth are cut."""
    group = "C" * convs + "T" * transformers or "C"
    return group * min(stacks, depth // len(group))


@cache
def _sequences(choices: Stacks) -> dict[str, dict[str, int]]:
    """Every block sequence with its parameters: of several the fewest stacks, and an NCB rather than an empty group."""
    sequences: dict[str, dict[str, int]] = {}
    for stacks, t, n in itertools.product(choices.stacks, choices.transformers, reversed(choices.convs)):
        sequence = blocks(choices.depth, convs=n, transformers=t, stacks=stacks)
        sequences.setdefault(sequence, {"N": n, "t": t, "L": stacks})
    return sequences
