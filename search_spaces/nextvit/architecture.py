"""An architecture: the explicit description of one network of the Next-ViT family (arXiv 2207.05501).

Standard library only, so that describing, storing and comparing networks never needs torch.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from search_spaces.common import texts
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.texts import shown

SCHEMA = "nas.architecture/1"
NOT_FIELDS = {"schema", "provenance"}  # keys of a file that are not fields of an architecture
CHANNEL_STEP = 32  # the paper's convolutions have 32 channels per group and its attention 32 per head
MAX_WIDTH, MAX_DEPTH = 4096, 100  # far beyond the family; bounds, so that no file can exhaust memory
SR_RATIOS = (1, 2, 4, 8)
HEAD_DIMS = (16, 32, 64)
PARTS = ("stem", "stage-1", "stage-2", "stage-3", "stage-4", "head")  # of every network, in order
STAGE_STRIDES = (1, 2, 2, 2)  # after the stem's 4: features at strides 4, 8, 16, 32


def attention_width(width: int, ratio: float, step: int = CHANNEL_STEP) -> int:
    """Attention channels of an NTB: `width * ratio` rounded to a multiple of `step`, never more than 10 % down.

    The result is 0 (no attention) or `width` (no convolution) only for ratios of exactly 0 and 1.
    Source: `_make_divisible` of the official code, which does not have these two cases.
    """
    if ratio in (0.0, 1.0):
        return int(width * ratio)
    wanted = int(width * ratio)
    rounded = max(step, (wanted + step // 2) // step * step)
    return rounded if rounded >= 0.9 * wanted else rounded + step


def output_side(side: int, stride: int) -> int:
    """Height (or width) of the feature map after a layer of that stride: every layer of the family rounds up."""
    return -(-side // stride)


def stem_layers(widths: tuple[int, int, int], in_channels: int = 3) -> tuple[tuple[int, int, int], ...]:
    """The four 3x3 convolutions of the stem, each as (input channels, output channels, stride)."""
    first, second, third = widths
    return (in_channels, first, 2), (first, second, 1), (second, third, 1), (third, third, 2)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block, with every number needed to build, export or count it. `kind` is C (NCB) or T (NTB)."""

    kind: str
    in_channels: int
    out_channels: int
    stride: int
    attention_channels: int  # T only: 0 means no attention, out_channels no convolution
    sr_ratio: int
    head_dim: int
    mlp_channels: int

    @property
    def conv_channels(self) -> int:
        """Channels of the block's convolutional attention: those that attention leaves."""
        return self.out_channels - self.attention_channels


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: its block sequence (C = NCB, T = NTB) and the widths of its blocks.

    Two stages that build the same blocks are equal, because fields are normalised: one that the stage does not use is
    None (widths of absent blocks, `sr_ratio` without attention), 2.0 becomes 2, and `mix_block_ratio` (the paper's r)
    becomes the share that attention really gets: 0.75 of 192 channels are 160 of them, 0.833.

    Raises:
        InvalidArchitecture: the stage cannot be built; names the field and the nearest valid value.
    """

    blocks: str
    conv_width: int | None = None
    transformer_width: int | None = None
    mix_block_ratio: float | None = None
    sr_ratio: int | None = None

    def __post_init__(self) -> None:
        self._check_blocks()
        if "C" in self.blocks:
            object.__setattr__(self, "conv_width", _width("conv_width", self.conv_width))
        else:
            object.__setattr__(self, "conv_width", None)
        if "T" in self.blocks:
            self._settle_transformer()
        else:
            for unused in ("transformer_width", "mix_block_ratio", "sr_ratio"):
                object.__setattr__(self, unused, None)

    def _check_blocks(self) -> None:
        if not isinstance(self.blocks, str) or not self.blocks or set(self.blocks) - set("CT"):
            raise InvalidArchitecture(
                "blocks", f"expected a string of C (NCB) and T (NTB), got {shown(self.blocks)}", "CCCT"
            )
        if len(self.blocks) > MAX_DEPTH:
            raise InvalidArchitecture("blocks", f"{len(self.blocks)} blocks in one stage", MAX_DEPTH)

    def _settle_transformer(self) -> None:
        width = _width("transformer_width", self.transformer_width)
        ratio = self.mix_block_ratio
        if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
            nearest = max(0.0, min(1.0, ratio)) if isinstance(ratio, int | float) else 0.75
            raise InvalidArchitecture("mix_block_ratio", f"expected a share from 0 to 1, got {shown(ratio)}", nearest)
        attention = attention_width(width, ratio)
        if ratio < 1 and attention >= width:
            raise InvalidArchitecture(
                "mix_block_ratio",
                f"{ratio:g} of transformer_width {width} rounds to {attention} attention channels "
                "and leaves no convolution channels",
                f"{1 - CHANNEL_STEP / width:.3f}, or transformer_width {width + CHANNEL_STEP}, "
                "or 1 for a block without convolution",
            )
        object.__setattr__(self, "transformer_width", width)
        object.__setattr__(self, "mix_block_ratio", attention / width)
        object.__setattr__(self, "sr_ratio", _one_of("sr_ratio", self.sr_ratio, SR_RATIOS) if attention else None)

    @property
    def attention_channels(self) -> int:
        """Attention channels of each NTB of this stage; 0 without attention."""
        return round((self.mix_block_ratio or 0) * (self.transformer_width or 0))

    def width(self, kind: str) -> int:
        """Output channels of a block of that kind."""
        width = self.conv_width if kind == "C" else self.transformer_width
        assert width is not None, f"stage {self.blocks} has no {kind} block"
        return width


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One network, described explicitly: frozen, hashable, and the same bytes in JSON every time.

    `str(architecture)` is the notation used everywhere (`CCC-CCCT-CCCCTCCCCT-CCT` is Next-ViT-S), and
    `architecture.id` the first 12 hexadecimal digits of the SHA-256 of its canonical JSON.

    Raises:
        InvalidArchitecture: the network cannot be built; names the field and the nearest valid value.
    """

    stages: tuple[Stage, ...]
    stem: tuple[int, int, int] = (64, 32, 64)
    head_dim: int = 32
    conv_mlp_ratio: float = 3.0
    transformer_mlp_ratio: float = 2.0

    def __post_init__(self) -> None:
        if len(self.stages) != len(STAGE_STRIDES):
            raise InvalidArchitecture("stages", f"expected 4 stages, got {len(self.stages)}", 4)
        object.__setattr__(self, "stages", tuple(self.stages))
        object.__setattr__(self, "stem", _stem(self.stem))
        object.__setattr__(self, "head_dim", _one_of("head_dim", self.head_dim, HEAD_DIMS))
        for name in ("conv_mlp_ratio", "transformer_mlp_ratio"):
            ratio = getattr(self, name)
            if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0.125 <= ratio <= 16:
                raise InvalidArchitecture(name, f"expected a ratio from 0.125 to 16, got {shown(ratio)}", 2.0)
            object.__setattr__(self, name, float(ratio))
        self._check_heads()

    def _check_heads(self) -> None:
        for index, stage in enumerate(self.stages):
            attention = stage.attention_channels
            convolution = (stage.transformer_width or 0) - attention
            for field, channels in (
                ("conv_width", stage.conv_width or 0),
                ("mix_block_ratio", attention),
                ("mix_block_ratio", convolution),
            ):
                if channels % self.head_dim:
                    raise InvalidArchitecture(
                        f"stages[{index}].{field}",
                        f"{channels} channels do not divide into heads of {self.head_dim}",
                        f"head_dim {CHANNEL_STEP}",
                    )

    @cached_property
    def blocks(self) -> tuple[tuple[Block, ...], ...]:
        """Every block of every stage, in order, with all its numbers."""
        plan, channels = [], self.stem[-1]
        for stage, stage_stride in zip(self.stages, STAGE_STRIDES, strict=True):
            row = []
            for position, kind in enumerate(stage.blocks):
                out = stage.width(kind)
                ratio = self.conv_mlp_ratio if kind == "C" else self.transformer_mlp_ratio
                row.append(
                    Block(
                        kind=kind,
                        in_channels=channels,
                        out_channels=out,
                        stride=stage_stride if position == 0 else 1,
                        attention_channels=0 if kind == "C" else stage.attention_channels,
                        sr_ratio=1 if kind == "C" else stage.sr_ratio or 1,
                        head_dim=self.head_dim,
                        mlp_channels=int(out * ratio),
                    )
                )
                channels = out
            plan.append(tuple(row))
        return tuple(plan)

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """Channels of the feature maps at strides 4, 8, 16 and 32."""
        return tuple(row[-1].out_channels for row in self.blocks)

    @cached_property
    def id(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the canonical JSON: equal for equal networks."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return "-".join(stage.blocks for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version of the schema."""
        return {"schema": SCHEMA, **asdict(self)}

    def canonical_json(self) -> str:
        """JSON that is always the same for the same network: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def to_json(self) -> str:
        """JSON for people: indented, fields in the order of this class, with a final newline."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: object) -> "Architecture":
        """The inverse of `to_dict`. An unknown field is an error, never dropped.

        `provenance` may hold anything: it says where the network comes from and is not part of it.

        Raises:
            InvalidArchitecture: not an architecture, of another schema, or not buildable.
        """
        values = _check_keys("architecture", data, {field.name for field in fields(cls)} | NOT_FIELDS, {"stages"})
        values.pop("provenance", None)
        schema = values.pop("schema", None)
        if schema != SCHEMA:
            raise InvalidArchitecture("schema", f"expected '{SCHEMA}', got {shown(schema)}", SCHEMA)
        if not isinstance(values["stages"], list | tuple):
            raise InvalidArchitecture("stages", f"expected a list of 4 stages, got {shown(values['stages'])}")
        values["stages"] = tuple(_stage_from_dict(index, stage) for index, stage in enumerate(values["stages"]))
        if "stem" in values:
            stem = values["stem"]
            values["stem"] = tuple(stem) if isinstance(stem, list | tuple) else (stem,)
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """The inverse of `to_json`.

        Raises:
            InvalidArchitecture: not JSON, or not an architecture.
        """
        try:
            data = texts.from_json(text)
        except ValueError as error:
            raise InvalidArchitecture("architecture", f"not JSON: {error}") from None
        return cls.from_dict(data)

    @classmethod
    def from_notation(cls, notation: str) -> "Architecture":
        """The network of a block notation (`CCC-CCCT-CCCCTCCCCT-CCT`), with the paper's widths, sr ratios and r = 0.75.

        An NTB in stage 1 is 128 wide: the paper's 96 leaves no convolution channels at r = 0.75.

        Raises:
            InvalidArchitecture: not four groups of C and T.
        """
        groups = notation.strip().upper().split("-")
        if len(groups) != len(PAPER_WIDTHS):
            raise InvalidArchitecture(
                "notation", f"expected four groups of C and T joined by '-', got {shown(notation)}", str(NEXT_VIT_S)
            )
        return cls(stages=tuple(_paper_stage(index, blocks) for index, blocks in enumerate(groups)))


def _integer(value: object) -> int | None:
    """A number as an integer, None if it is none: 2.0 is 2, as in JSON Schema, or one network would have two ids."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)


def _width(field: str, value: object) -> int:
    low, step = CHANNEL_STEP, CHANNEL_STEP
    width = _integer(value)
    if width is not None and low <= width <= MAX_WIDTH and width % step == 0:
        return width
    nearest = round(min(MAX_WIDTH, max(low, value)) / step) * step if isinstance(value, int | float) else low
    raise InvalidArchitecture(
        field, f"expected a multiple of {step} from {low} to {MAX_WIDTH}, got {shown(value)}", nearest
    )


def _stem(widths: tuple[object, ...]) -> tuple[int, ...]:
    if len(widths) != 3:
        raise InvalidArchitecture("stem", f"expected 3 widths, got {shown(widths)}", (64, 32, 64))
    integers = [_integer(width) for width in widths]
    for given, width in zip(widths, integers, strict=True):
        if width is None or not 1 <= width <= MAX_WIDTH:
            raise InvalidArchitecture("stem", f"expected widths from 1 to {MAX_WIDTH}, got {shown(given)}", 64)
    return tuple(width for width in integers if width)


def _one_of(field: str, value: object, choices: tuple[int, ...]) -> int:
    number = _integer(value)
    if number in choices:
        return number
    nearest = min(choices, key=lambda choice: abs(choice - value)) if isinstance(value, int | float) else choices[0]
    raise InvalidArchitecture(field, f"expected one of {choices}, got {shown(value)}", nearest)


def _check_keys(place: str, data: object, known: set[str], required: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidArchitecture(place, f"expected a JSON object, got {shown(data)}")
    for key in data:
        if not isinstance(key, str) or key not in known:
            raise InvalidArchitecture(place, f"unknown field {shown(key)}", ", ".join(sorted(known)))
    for key in sorted(required - set(data)):
        raise InvalidArchitecture(place, f"the field '{key}' is missing")
    return dict(data)


def _stage_from_dict(index: int, data: object) -> Stage:
    values = _check_keys(f"stages[{index}]", data, {field.name for field in fields(Stage)}, {"blocks"})
    try:
        return Stage(**values)
    except InvalidArchitecture as error:
        raise error.within(f"stages[{index}]") from None


# By stage: width of an NCB, width of an NTB, sr ratio (section 3 and table 3 of the paper, and the official code).
PAPER_WIDTHS = ((96, 128, 8), (192, 256, 4), (384, 512, 2), (768, 1024, 1))


def _paper_stage(index: int, blocks: str) -> Stage:
    conv, transformer, sr_ratio = PAPER_WIDTHS[index]
    try:
        return Stage(
            blocks=blocks, conv_width=conv, transformer_width=transformer, mix_block_ratio=0.75, sr_ratio=sr_ratio
        )
    except InvalidArchitecture as error:
        raise error.within(f"stages[{index}]") from None


def _next_vit(stacks: int) -> Architecture:
    """S, B and L differ only in the number of (NCB x 4 + NTB) stacks of stage 3."""
    return Architecture.from_notation(f"CCC-CCCT-{'CCCCT' * stacks}-CCT")


NEXT_VIT_S, NEXT_VIT_B, NEXT_VIT_L = _next_vit(2), _next_vit(4), _next_vit(6)
PAPER = {"next-vit-s": NEXT_VIT_S, "next-vit-b": NEXT_VIT_B, "next-vit-l": NEXT_VIT_L}
