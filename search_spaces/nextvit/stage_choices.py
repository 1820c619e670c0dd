"""The choices for a stage that the spaces of the family share: its depth, its widths, and its attention."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.nextvit.architecture import PAPER, PAPER_WIDTHS, Architecture
from search_spaces.nextvit.checks import CHANNEL_STEP
from search_spaces.nextvit.stage import Stage, attention_width

if TYPE_CHECKING:
    import optuna

RATIOS = (0.0, 0.25, 0.5, 0.75, 1.0)  # r, as in the paper's ablation

Allowed = Mapping[str, Sequence[Any]]  # by parameter: the values that remain of it; a parameter that is absent has all


@dataclass(frozen=True, kw_only=True)
class StageChoices(ABC):
    """The choices for one stage. A space derives its own class from it, with the choice of the blocks.

    Widths and shares of attention settle to multiples of `step` channels, so that whole heads remain.
    """

    NAMES: ClassVar[dict[str, str]] = {  # of parameters, with the field that holds their values
        "conv_width": "conv_widths",
        "transformer_width": "transformer_widths",
        "mix_block_ratio": "ratios",
    }

    depth: int  # blocks, at the most
    conv_widths: Sequence[int]
    transformer_widths: Sequence[int]
    ratios: Sequence[float] = RATIOS
    sr_ratios: Sequence[int]
    step: int = CHANNEL_STEP

    @abstractmethod
    def suggest(self, trial: "optuna.trial.BaseTrial", number: int) -> Stage:
        """The stage of that number, as a trial chooses it."""

    @abstractmethod
    def params(self, stage: Stage) -> dict[str, Any]:
        """The inverse of `suggest`, without the number of the stage.

        Raises:
            InvalidArchitecture: no choice builds the stage; names the field and the choices.
        """

    @abstractmethod
    def sequences(self) -> Mapping[str, int]:
        """How many different sequences of blocks there are, by the kinds of blocks in them: C, T or CT."""

    def asked(self, trial: "optuna.trial.BaseTrial", number: int, blocks: str) -> Stage:
        """The stage of these blocks, its widths and its attention as a trial chooses them."""
        return self._stage(
            blocks,
            chosen(trial, f"stage{number}.conv_width", self.conv_widths),
            chosen(trial, f"stage{number}.transformer_width", self.transformer_widths),
            chosen(trial, f"stage{number}.mix_block_ratio", self.ratios),
            chosen(trial, f"stage{number}.sr_ratio", self.sr_ratios),
        )

    def _stage(self, blocks: str, conv_width: int, transformer_width: int, ratio: float, sr_ratio: int) -> Stage:
        width = self._whole(transformer_width)
        return Stage(
            blocks=blocks,
            conv_width=self._whole(conv_width),
            transformer_width=width,
            mix_block_ratio=self._attention(width, ratio) / width,
            sr_ratio=sr_ratio,
        )

    def _whole(self, width: int) -> int:
        return -(-width // self.step) * self.step

    def _attention(self, width: int, ratio: float) -> int:
        """Attention channels; at a share below 1, some are left for the convolution."""
        return min(attention_width(width, ratio, self.step), width if ratio == 1 else width - self.step)

    def values(self, stage: Stage) -> dict[str, Any]:
        """The inverse of `asked`, without the number of the stage; what the stage does not use is at its lowest.

        Raises:
            InvalidArchitecture: no choice builds the stage; names the field and the choices.
        """
        values = {
            "conv_width": self._width("conv_width", stage, self.conv_widths),
            "transformer_width": self._width("transformer_width", stage, self.transformer_widths),
            "mix_block_ratio": self._ratio(stage),
            "sr_ratio": self.sr_ratios[0] if stage.sr_ratio is None else stage.sr_ratio,
        }
        if values["sr_ratio"] not in self.sr_ratios:
            raise not_held("sr_ratio", stage.sr_ratio, self.sr_ratios)
        return {name: value for name, value in values.items() if name in self.NAMES}

    def _width(self, name: str, stage: Stage, widths: Sequence[int]) -> int:
        """The smallest choice with the width of this stage."""
        width = getattr(stage, name)
        for choice in widths:
            if width in (None, self._whole(choice)):
                return choice
        raise not_held(name, width, sorted(set(map(self._whole, widths))))

    def _ratio(self, stage: Stage) -> float:
        """The smallest share with the attention channels of this stage."""
        if stage.transformer_width is None:
            return self.ratios[0]
        for ratio in self.ratios:
            if self._attention(stage.transformer_width, ratio) == stage.attention_channels:
                return ratio
        raise InvalidArchitecture(
            "mix_block_ratio", f"the space has {list(self.ratios)}, not {stage.mix_block_ratio:g}", 0.75
        )

    def size(self) -> int:
        """The number of different stages."""
        return self.counts().total()

    def counts(self) -> Counter[frozenset[str]]:
        """The number of different stages by what they use of the network's fields (`Stage.uses`)."""
        counts: Counter[frozenset[str]] = Counter()
        for kinds, number in self.sequences().items():
            for stage in self._different(kinds) if number else ():
                counts[stage.uses] += number
        return counts

    def _different(self, blocks: str) -> set[Stage]:
        """The different stages of these blocks."""
        choices = product(self.conv_widths, self.transformer_widths, self.ratios, self.sr_ratios)
        return {self._stage(blocks, *values) for values in choices}

    def within(self, values: Allowed) -> Self:
        """The choices that remain of these, given the values that remain of parameters, by name without the stage."""
        fields: dict[str, Any] = {self.NAMES[name]: tuple(left) for name, left in values.items()}
        return replace(self, **fields)


Some = TypeVar("Some", bound=StageChoices)


def _upto(low: int, high: int, step: int) -> range:
    return range(low, high + 1, step)


# Widths lie around the paper's (96/-, 192/256, 384/512, 768/1024). An NTB in stage 1 starts at 128: of 96 channels
# r = 0.75 leaves none for the convolution. Depths: that of Next-ViT-L in stage 3 (30), and twice the others (3, 4, 3).
SHARED: tuple[dict[str, Any], ...] = tuple(
    {
        "depth": depth,
        "conv_widths": _upto(*conv),
        "transformer_widths": _upto(*transformer),
        "sr_ratios": (sr_ratio,),
    }
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


def chosen(trial: "optuna.trial.BaseTrial", name: str, values: Sequence[Any]) -> Any:
    """One of some values, as a trial chooses it: of a range, of evenly spaced floats, or of any other values by name.

    A single value is not asked for.
    """
    if len(values) == 1:
        return values[0]
    if isinstance(values, range):
        return trial.suggest_int(name, values[0], values[-1], step=values.step)
    if isinstance(values[0], float):
        return trial.suggest_float(name, values[0], values[-1], step=values[1] - values[0])
    return trial.suggest_categorical(name, values)


def not_held(field: str, value: Any, known: Sequence[Any]) -> InvalidArchitecture:
    """The refusal of a network because of one field: the space has other values."""
    numeric = isinstance(value, int | float)
    nearest = min(known, key=lambda each: abs(each - value)) if numeric else known[0]
    listed = f"only {nearest}" if len(known) == 1 else f"{list(known)}, not {value}"
    return InvalidArchitecture(field, f"the space has {listed}", nearest)


def remaining(stages: Sequence[Some], allowed: Allowed) -> tuple[Some, ...]:
    """What remains of the choices for every stage."""
    parts = [(*name.partition(".")[::2], values) for name, values in allowed.items()]
    return tuple(
        choices.within({part: values for stage, part, values in parts if stage == f"stage{number}"})
        for number, choices in enumerate(stages, start=1)
    )


def of_family(network: Network) -> Architecture:
    """The network itself, which is one of the Next-ViT family.

    Raises:
        InvalidArchitecture: it is of another one.
    """
    if not isinstance(network, Architecture):
        raise InvalidArchitecture("network", f"the space holds networks of the Next-ViT family, and not {network}")
    return network


def suggest(stages: Sequence[StageChoices], trial: "optuna.trial.BaseTrial") -> tuple[Stage, ...]:
    """Every stage, as a trial chooses it."""
    return tuple(choices.suggest(trial, number) for number, choices in enumerate(stages, start=1))


def params(architecture: Network, stages: Sequence[StageChoices], varied: Collection[str] = ()) -> dict[str, Any]:
    """The parameters of the stages of a network, which is Next-ViT in all other fields but those that are varied.

    Raises:
        InvalidArchitecture: it is not, or the choices do not build it; names the field.
    """
    own = of_family(architecture)
    for field in fields(Architecture):
        expected = getattr(PAPER["next-vit-s"], field.name)
        if field.name not in ("stages", *varied) and getattr(own, field.name) != expected:
            raise InvalidArchitecture(field.name, f"the space has only {expected}", expected)
    parameters: dict[str, Any] = {}
    for index, (choices, stage) in enumerate(zip(stages, own.stages, strict=True)):
        try:
            values = choices.params(stage)
        except InvalidArchitecture as error:
            raise error.within(f"stages[{index}]") from None
        parameters |= {f"stage{index + 1}.{name}": value for name, value in values.items()}
    return parameters
