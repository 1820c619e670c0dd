"""Next Hybrid Strategy: how many convolution blocks per transformer block, how often, how wide, in each stage.

A stage is `(C^N T^t)^L`: N NCBs, then t = 0 or 1 NTB, stacked L times (section 3.4 of arXiv 2207.05501). The space
holds Next-ViT-S, B and L, and the strategies that the paper compares them with: CCCC, CCCT, CCTT, CTTT and TTTT.
Parameters are flat, and every trial asks for all of them, so that a Gaussian process models each one.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.nextvit.architecture import PAPER, PAPER_WIDTHS, Architecture
from search_spaces.nextvit.stage import Stage, attention_width

if TYPE_CHECKING:
    import optuna

RATIO_STEP = 0.25  # r in {0, 0.25, 0.5, 0.75, 1}, as in the paper's ablation


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The choices for one stage. `depth` bounds the number of blocks: stacks beyond it are cut off."""

    convs: range  # N
    stacks: range  # L
    depth: int
    conv_widths: range
    transformer_widths: range
    sr_ratio: int


def _upto(low: int, high: int, step: int = 1) -> range:
    return range(low, high + 1, step)


# Widths lie around the paper's (96/-, 192/256, 384/512, 768/1024). An NTB in stage 1 starts at 128: of 96 channels
# r = 0.75 leaves none for the convolution. Depths: that of Next-ViT-L in stage 3 (30), and twice the others (3, 4, 3).
STAGES = (
    Choices(
        convs=_upto(0, 4),
        stacks=_upto(1, 4),
        depth=6,
        conv_widths=_upto(64, 128, 32),
        transformer_widths=_upto(128, 192, 32),
        sr_ratio=PAPER_WIDTHS[0][2],
    ),
    Choices(
        convs=_upto(0, 4),
        stacks=_upto(1, 4),
        depth=8,
        conv_widths=_upto(128, 256, 64),
        transformer_widths=_upto(192, 320, 64),
        sr_ratio=PAPER_WIDTHS[1][2],
    ),
    Choices(
        convs=_upto(0, 9),
        stacks=_upto(1, 10),
        depth=30,
        conv_widths=_upto(256, 512, 64),
        transformer_widths=_upto(384, 640, 64),
        sr_ratio=PAPER_WIDTHS[2][2],
    ),
    Choices(
        convs=_upto(0, 4),
        stacks=_upto(1, 4),
        depth=6,
        conv_widths=_upto(512, 1024, 128),
        transformer_widths=_upto(768, 1280, 128),
        sr_ratio=PAPER_WIDTHS[3][2],
    ),
)


def suggest(trial: "optuna.trial.BaseTrial") -> Architecture:
    """One network of the space. Different parameters may build the same one; `params` returns one of them."""
    return Architecture(stages=tuple(_suggest_stage(trial, number, c) for number, c in enumerate(STAGES, start=1)))


def _suggest_stage(trial: "optuna.trial.BaseTrial", number: int, choices: Choices) -> Stage:
    def integer(name: str, values: range) -> int:
        return trial.suggest_int(f"stage{number}.{name}", values[0], values[-1], step=values.step)

    return stage(
        choices,
        convs=integer("N", choices.convs),
        transformers=integer("t", range(2)),
        stacks=integer("L", choices.stacks),
        conv_width=integer("conv_width", choices.conv_widths),
        transformer_width=integer("transformer_width", choices.transformer_widths),
        ratio=trial.suggest_float(f"stage{number}.mix_block_ratio", 0, 1, step=RATIO_STEP),
    )


def stage(
    choices: Choices,
    *,
    convs: int,
    transformers: int,
    stacks: int,
    conv_width: int,
    transformer_width: int,
    ratio: float,
) -> Stage:
    """The stage `(C^convs T^transformers)^stacks`. An empty group becomes one NCB; stacks beyond the depth are cut."""
    group = "C" * convs + "T" * transformers or "C"
    return Stage(
        blocks=group * min(stacks, choices.depth // len(group)),
        conv_width=conv_width,
        transformer_width=transformer_width,
        mix_block_ratio=ratio,
        sr_ratio=choices.sr_ratio,
    )


def params(architecture: Architecture) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network: the fewest stacks, unused widths at their lowest.

    Raises:
        InvalidArchitecture: the space does not contain the network; names the field and the space's values.
    """
    for field in fields(Architecture):
        expected = getattr(PAPER["next-vit-s"], field.name)
        if field.name != "stages" and getattr(architecture, field.name) != expected:
            raise InvalidArchitecture(field.name, f"space nhs has only {expected}", expected)
    parameters: dict[str, Any] = {}
    for index, (choices, value) in enumerate(zip(STAGES, architecture.stages, strict=True)):
        try:
            values = _stage_params(choices, value)
        except InvalidArchitecture as error:
            raise error.within(f"stages[{index}]") from None
        parameters |= {f"stage{index + 1}.{name}": number for name, number in values.items()}
    return parameters


def _stage_params(choices: Choices, value: Stage) -> dict[str, Any]:
    convs, transformers, stacks = _groups(choices, value.blocks)
    for name, widths in (("conv_width", choices.conv_widths), ("transformer_width", choices.transformer_widths)):
        if getattr(value, name) not in (None, *widths):
            nearest = min(widths, key=lambda width: abs(width - getattr(value, name)))
            raise InvalidArchitecture(name, f"space nhs has {list(widths)}, not {getattr(value, name)}", nearest)
    if value.sr_ratio not in (None, choices.sr_ratio):
        raise InvalidArchitecture("sr_ratio", f"space nhs has only {choices.sr_ratio}", choices.sr_ratio)
    return {
        "N": convs,
        "t": transformers,
        "L": stacks,
        "conv_width": value.conv_width or choices.conv_widths[0],
        "transformer_width": value.transformer_width or choices.transformer_widths[0],
        "mix_block_ratio": _ratio(value),
    }


def _groups(choices: Choices, blocks: str) -> tuple[int, int, int]:
    """(N, t, L) of a block sequence, with the fewest stacks."""
    transformers = int("T" in blocks)
    for stacks in choices.stacks:
        convs, rest = divmod(len(blocks), stacks)
        convs -= transformers
        group = "C" * convs + "T" * transformers
        if not rest and convs in choices.convs and group * stacks == blocks and len(blocks) <= choices.depth:
            return convs, transformers, stacks
    raise InvalidArchitecture(
        "blocks",
        f"'{blocks}' is not (C^N T^t)^L with N up to {choices.convs[-1]}, L up to {choices.stacks[-1]} "
        f"and at most {choices.depth} blocks",
    )


def _ratio(value: Stage) -> float:
    """The smallest r of the grid with the attention channels of this stage."""
    if value.transformer_width is None:
        return 0.0
    for ratio in _ratios():
        if attention_width(value.transformer_width, ratio) == value.attention_channels:
            return ratio
    raise InvalidArchitecture(
        "mix_block_ratio", f"space nhs has {list(_ratios())}, not {value.mix_block_ratio:g}", 0.75
    )


def _ratios() -> tuple[float, ...]:
    return tuple(RATIO_STEP * index for index in range(round(1 / RATIO_STEP) + 1))


def _stages(choices: Choices) -> Iterator[Stage]:
    for n, t, stacks, conv, transformer, ratio in itertools.product(
        choices.convs, range(2), choices.stacks, choices.conv_widths, choices.transformer_widths, _ratios()
    ):
        yield stage(
            choices, convs=n, transformers=t, stacks=stacks, conv_width=conv, transformer_width=transformer, ratio=ratio
        )


@cache
def size() -> int:
    """The number of different networks in the space, counted stage by stage over every choice."""
    total = 1
    for choices in STAGES:
        total *= len(set(_stages(choices)))
    return total


def anchors() -> dict[str, Architecture]:
    """Next-ViT-S, B and L, the paper's own answer: measured first, as references for every front."""
    return dict(PAPER)
