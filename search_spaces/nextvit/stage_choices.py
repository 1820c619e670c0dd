"""The choices for a stage that the spaces of the family share: its depth, its widths, and its share of attention."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.nextvit.architecture import PAPER, PAPER_WIDTHS, Architecture
from search_spaces.nextvit.stage import Stage, attention_width

if TYPE_CHECKING:
    import optuna

RATIO_STEP = 0.25  # r in {0, 0.25, 0.5, 0.75, 1}, as in the paper's ablation
RATIOS = tuple(RATIO_STEP * index for index in range(round(1 / RATIO_STEP) + 1))

Allowed = Mapping[str, Sequence[Any]]  # by parameter: the values that remain of it; a parameter that is absent has all


@dataclass(frozen=True, kw_only=True)
class StageChoices:
    """The choices for one stage. A space derives its own class from it, with the choice of the blocks."""

    NAMES: ClassVar[dict[str, str]] = {  # of parameters, with the field that holds their values
        "conv_width": "conv_widths",
        "transformer_width": "transformer_widths",
        "mix_block_ratio": "ratios",
    }

    depth: int  # blocks, at the most
    conv_widths: Sequence[int]
    transformer_widths: Sequence[int]
    ratios: Sequence[float] = RATIOS
    sr_ratio: int

    def ask(self, trial: "optuna.trial.BaseTrial", number: int) -> dict[str, Any]:
        """The widths and the share of attention of the stage of that number, as a trial chooses them."""
        return {
            "conv_width": integer(trial, f"stage{number}.conv_width", self.conv_widths),
            "transformer_width": integer(trial, f"stage{number}.transformer_width", self.transformer_widths),
            "mix_block_ratio": trial.suggest_float(f"stage{number}.mix_block_ratio", 0, 1, step=RATIO_STEP),
        }

    def widths(self, stage: Stage) -> dict[str, Any]:
        """The inverse of `ask`, without the number of the stage; what the stage does not use is at its lowest.

        Raises:
            InvalidArchitecture: no choice builds the stage; names the field and the choices.
        """
        for name, widths in (("conv_width", self.conv_widths), ("transformer_width", self.transformer_widths)):
            width = getattr(stage, name)
            if width not in (None, *widths):
                nearest = min(widths, key=lambda each: abs(each - width))
                raise InvalidArchitecture(name, f"the space has {list(widths)}, not {width}", nearest)
        if stage.sr_ratio not in (None, self.sr_ratio):
            raise InvalidArchitecture("sr_ratio", f"the space has only {self.sr_ratio}", self.sr_ratio)
        return {
            "conv_width": stage.conv_width or self.conv_widths[0],
            "transformer_width": stage.transformer_width or self.transformer_widths[0],
            "mix_block_ratio": self._ratio(stage),
        }

    def _ratio(self, stage: Stage) -> float:
        """The smallest share with the attention channels of this stage."""
        if stage.transformer_width is None:
            return self.ratios[0]
        for ratio in self.ratios:
            if attention_width(stage.transformer_width, ratio) == stage.attention_channels:
                return ratio
        raise InvalidArchitecture(
            "mix_block_ratio", f"the space has {list(self.ratios)}, not {stage.mix_block_ratio:g}", 0.75
        )

    def count(self, convolutions: int, transformers: int, mixed: int) -> int:
        """The number of different stages, given how many block sequences are of one kind, of the other, and of both."""
        attention = {
            (width, attention_width(width, ratio)) for width in self.transformer_widths for ratio in self.ratios
        }
        narrow, wide = len(self.conv_widths), len(attention)
        return convolutions * narrow + transformers * wide + mixed * narrow * wide

    def within(self, values: Allowed) -> Self:
        """The choices that remain of these, given the values that remain of parameters, by name without the stage."""
        fields: dict[str, Any] = {self.NAMES[name]: tuple(left) for name, left in values.items()}
        return replace(self, **fields)


Some = TypeVar("Some", bound=StageChoices)


def _upto(low: int, high: int, step: int) -> range:
    return range(low, high + 1, step)


# Widths lie around the paper's (96/-, 192/256, 384/512, 768/1024). An NTB in stage 1 starts at 128: of 96 channels
# r = 0.75 leaves none for the convolution. Depths: that of Next-ViT-L in stage 3 (30), and twice the others (3, 4, 3).
STAGES = tuple(
    StageChoices(depth=depth, conv_widths=_upto(*conv), transformer_widths=_upto(*transformer), sr_ratio=sr_ratio)
    for (depth, conv, transformer), (_, _, sr_ratio) in zip(
        (
            (6, (64, 128, 32), (128, 192, 32)),
            (8, (128, 256, 64), (192, 320, 64)),
            (30, (256, 512, 64), (384, 640, 64)),
            (6, (512, 1024, 128), (768, 1280, 128)),
        ),
        PAPER_WIDTHS,
        strict=True,
    )
)


def integer(trial: "optuna.trial.BaseTrial", name: str, values: Sequence[int]) -> int:
    """One of evenly spaced integers, as a trial chooses it."""
    return trial.suggest_int(name, values[0], values[-1], step=values[1] - values[0])


def remaining(stages: Sequence[Some], allowed: Allowed) -> tuple[Some, ...]:
    """What remains of the choices for every stage."""
    parts = {name: name.removeprefix("stage").split(".", 1) for name in allowed}
    return tuple(
        choices.within({part: allowed[name] for name, (stage, part) in parts.items() if stage == str(number)})
        for number, choices in enumerate(stages, start=1)
    )


def params(
    architecture: Network, stages: Sequence[Some], of_stage: Callable[[Some, Stage], dict[str, Any]]
) -> dict[str, Any]:
    """The parameters of a network, from those of its stages.

    Raises:
        InvalidArchitecture: the choices do not build it; names the field.
    """
    if not isinstance(architecture, Architecture):
        raise InvalidArchitecture("network", f"the space holds networks of the Next-ViT family, and not {architecture}")
    for field in fields(Architecture):
        expected = getattr(PAPER["next-vit-s"], field.name)
        if field.name != "stages" and getattr(architecture, field.name) != expected:
            raise InvalidArchitecture(field.name, f"the space has only {expected}", expected)
    parameters: dict[str, Any] = {}
    for index, (choices, stage) in enumerate(zip(stages, architecture.stages, strict=True)):
        try:
            values = of_stage(choices, stage)
        except InvalidArchitecture as error:
            raise error.within(f"stages[{index}]") from None
        parameters |= {f"stage{index + 1}.{name}": value for name, value in values.items()}
    return parameters
