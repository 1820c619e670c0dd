"""Next Hybrid Strategy: how many convolution blocks per transformer block, how often, how wide, in each stage.

A stage is `(C^N T^t)^L`: N NCBs, then t = 0 or 1 NTB, stacked L times (section 3.4 of arXiv 2207.05501). The space
holds Next-ViT-S, B and L, and the strategies that the paper compares them with: CCCC, CCCT, CCTT, CTTT and TTTT.
Parameters are flat, and every trial asks for all of them, so that a Gaussian process models each one.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit import stage_choices
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stage import Stage
from search_spaces.nextvit.stage_choices import Allowed, StageChoices, integer, remaining

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Choices(StageChoices):
    """The choices for one stage: stacks beyond its depth are cut off."""

    NAMES: ClassVar[dict[str, str]] = {"N": "convs", "t": "transformers", "L": "stacks", **StageChoices.NAMES}

    convs: Sequence[int]  # N
    transformers: Sequence[int] = range(2)  # t
    stacks: Sequence[int]  # L


STAGES = tuple(
    Choices(**vars(shared), convs=range(most_convs + 1), stacks=range(1, most_stacks + 1))
    for shared, most_convs, most_stacks in zip(stage_choices.STAGES, (4, 4, 9, 4), (4, 4, 10, 4), strict=True)
)


def suggest(trial: "optuna.trial.BaseTrial") -> Architecture:
    """One network of the space. Different parameters may build the same one; `params` returns one of them."""
    return Architecture(stages=tuple(_suggest_stage(trial, number, c) for number, c in enumerate(STAGES, start=1)))


def _suggest_stage(trial: "optuna.trial.BaseTrial", number: int, choices: Choices) -> Stage:
    sequence = blocks(
        choices.depth,
        convs=integer(trial, f"stage{number}.N", choices.convs),
        transformers=integer(trial, f"stage{number}.t", choices.transformers),
        stacks=integer(trial, f"stage{number}.L", choices.stacks),
    )
    return Stage(blocks=sequence, **choices.ask(trial, number), sr_ratio=choices.sr_ratio)


def blocks(depth: int, *, convs: int, transformers: int, stacks: int) -> str:
    """The stage `(C^convs T^transformers)^stacks`. An empty group becomes one NCB; stacks beyond the depth are cut."""
    group = "C" * convs + "T" * transformers or "C"
    return group * min(stacks, depth // len(group))


def params(architecture: Architecture) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network: the fewest stacks, unused widths at their lowest.

    Raises:
        InvalidArchitecture: the space does not contain the network; names the field and the space's values.
    """
    return params_within(architecture, {})


def params_within(architecture: Architecture, allowed: Allowed) -> dict[str, Any]:
    """The same where only some values of parameters remain.

    Raises:
        InvalidArchitecture: none of them builds the network.
    """
    return stage_choices.params(architecture, remaining(STAGES, allowed), _stage_params)


def _stage_params(choices: Choices, stage: Stage) -> dict[str, Any]:
    known = _sequences(choices)
    if stage.blocks not in known:
        raise InvalidArchitecture(
            "blocks",
            f"'{stage.blocks}' is not (C^N T^t)^L with N up to {choices.convs[-1]}, L up to {choices.stacks[-1]} "
            f"and at most {choices.depth} blocks",
        )
    return known[stage.blocks] | choices.widths(stage)


@cache
def _sequences(choices: Choices) -> dict[str, dict[str, int]]:
    """Every block sequence with its parameters: of several the fewest stacks, and an NCB rather than an empty group."""
    sequences: dict[str, dict[str, int]] = {}
    for stacks, t, n in itertools.product(choices.stacks, choices.transformers, reversed(choices.convs)):
        sequence = blocks(choices.depth, convs=n, transformers=t, stacks=stacks)
        sequences.setdefault(sequence, {"N": n, "t": t, "L": stacks})
    return sequences


def size() -> int:
    """The number of different networks in the space: different block sequences, with the widths that they use."""
    return size_within({})


def size_within(allowed: Allowed) -> int:
    """The same where only some values of parameters remain."""
    return prod(map(_stage_size, remaining(STAGES, allowed)))


def _stage_size(choices: Choices) -> int:
    kinds = Counter("".join(sorted(set(sequence))) for sequence in _sequences(choices))
    return choices.count(kinds["C"], kinds["T"], kinds["CT"])


def anchors() -> dict[str, Architecture]:
    """Next-ViT-S, B and L, the paper's own answer: measured first, as references for every front."""
    return dict(PAPER)
