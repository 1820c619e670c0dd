"""A stage and its blocks, described explicitly. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.texts import shown
from search_spaces.nextvit.checks import CHANNEL_STEP, checked_width, one_of
from search_spaces.zoo import KINDS

LETTERS = "CT" + "".join(sorted(KINDS))  # NCB, NTB, and the blocks of `search_spaces/zoo`
TRANSFORMERS = "T" + "".join(sorted(kind for kind in KINDS if KINDS[kind].ATTENDS))  # what counts as a transformer
MAX_DEPTH = 100  # far beyond the family; a bound, so that no file can exhaust memory
SR_RATIOS = (1, 2, 4, 8)


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


def width_field(kind: str) -> str:
    """The field of a stage that says how wide a block is: one for transformers, one for all others."""
    return "transformer_width" if kind in TRANSFORMERS else "conv_width"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block, with every number needed to build, export or count it. `kind` is C (NCB), T (NTB), or of the zoo."""

    kind: str
    in_channels: int
    out_channels: int
    stride: int
    attention_channels: int  # 0 means no attention, out_channels no convolution
    sr_ratio: int
    head_dim: int
    mlp_channels: int
    kernel: int = 3
    normalization: str = "batch"
    activation: str = "relu"
    order: str = "attention-first"
    pooling: str = "rows"

    @property
    def conv_channels(self) -> int:
        """Channels of the block's convolutional attention: those that attention leaves."""
        return self.out_channels - self.attention_channels

    @property
    def is_transformer(self) -> bool:
        """Whether it is an NTB, or attends like one."""
        return self.kind == "T" or self.attention_channels > 0  # an NTB with r = 0 attends to nothing


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: its block sequence (C = NCB, T = NTB, or letters of the zoo) and the widths of its blocks.

    `zoo_widths` holds the width of each letter of the zoo; where it is not given, letters that attend are as wide as
    `transformer_width` says, the others as `conv_width`.

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
    zoo_widths: Mapping[str, int] | tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        self._check_blocks()
        object.__setattr__(self, "zoo_widths", self._settled_zoo_widths())
        convolves, transforms = "C" in self.blocks, "T" in self.blocks
        conv_width = checked_width("conv_width", self.conv_width) if convolves else None
        object.__setattr__(self, "conv_width", conv_width)
        if transforms:
            self._settle_transformer()
        else:
            object.__setattr__(self, "transformer_width", None)
            object.__setattr__(self, "mix_block_ratio", None)
        pools = self.attention_channels or any(kind in KINDS and KINDS[kind].POOLS for kind in self.blocks)
        object.__setattr__(self, "sr_ratio", one_of("sr_ratio", self.sr_ratio, SR_RATIOS) if pools else None)

    def _check_blocks(self) -> None:
        if not isinstance(self.blocks, str) or not self.blocks or set(self.blocks) - set(LETTERS):
            zoo = f", or letters of other blocks ({', '.join(KINDS)})" if KINDS else ""
            raise InvalidArchitecture(
                "blocks", f"expected a string of C (NCB) and T (NTB){zoo}, got {shown(self.blocks)}", "CCCT"
            )
        if len(self.blocks) > MAX_DEPTH:
            raise InvalidArchitecture("blocks", f"{len(self.blocks)} blocks in one stage", MAX_DEPTH)

    def _settled_zoo_widths(self) -> tuple[tuple[str, int], ...]:
        given = dict(self.zoo_widths)
        settled = []
        for kind in sorted(set(self.blocks) & set(KINDS)):
            own = kind in given
            field, value = ("zoo_widths", given[kind]) if own else (width_field(kind), self._default_width(kind))
            settled.append((kind, checked_width(field, value)))
        return tuple(settled)

    def _default_width(self, kind: str) -> int | None:
        return self.transformer_width if width_field(kind) == "transformer_width" else self.conv_width

    def _settle_transformer(self) -> None:
        width = checked_width("transformer_width", self.transformer_width)
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

    @property
    def attention_channels(self) -> int:
        """Attention channels of each NTB of this stage; 0 without attention."""
        return round((self.mix_block_ratio or 0) * (self.transformer_width or 0))

    @property
    def uses(self) -> frozenset[str]:
        """Those fields of a network that change something in this stage, of the fields that some stages do not use."""
        attention, width = self.attention_channels, self.transformer_width or 0
        used = {
            "conv_mlp_ratio": "C" in self.blocks,
            "transformer_mlp_ratio": "T" in self.blocks,
            "conv_kernel": "C" in self.blocks or attention < width,
            "transformer_order": 0 < attention < width,
            "attention_pooling": (self.sr_ratio or 1) > 1,
        }
        return frozenset(name for name, here in used.items() if here)

    def attention(self, kind: str) -> int:
        """Attention channels of a block of that kind."""
        if kind in KINDS:
            return self.width(kind) if KINDS[kind].ATTENDS else 0
        return self.attention_channels if kind == "T" else 0

    def pooling(self, kind: str) -> int:
        """The `sr_ratio` of a block of that kind; 1 if it averages no keys and values."""
        pools = KINDS[kind].POOLS if kind in KINDS else kind == "T"
        return (self.sr_ratio or 1) if pools else 1

    def width(self, kind: str) -> int:
        """Output channels of a block of that kind."""
        width = dict(self.zoo_widths).get(kind) or self._default_width(kind)
        assert width is not None, f"stage {self.blocks} has no {kind} block"
        return width

    def replaced(self, kind: str, by: str, sr_ratio: int, mix_block_ratio: float) -> "Stage":
        """The stage with every block of a kind replaced by another of the same width.

        The last two values are for a block that needs them, in a stage that has none yet.

        Raises:
            InvalidArchitecture: the stage has blocks of the other kind and of another width.
        """
        if kind not in self.blocks:
            return self
        width = self.width(kind)
        if by in self.blocks and self.width(by) != width:
            raise InvalidArchitecture(
                "blocks", f"'{self.blocks}' has {by} blocks of {self.width(by)} channels, not {width}", self.blocks
            )
        widths = dict(self.zoo_widths) | ({by: width} if by in KINDS else {})
        return Stage(
            blocks=self.blocks.replace(kind, by),
            conv_width=width if by == "C" else self.conv_width,
            transformer_width=width if by == "T" else self.transformer_width,
            mix_block_ratio=mix_block_ratio if self.mix_block_ratio is None else self.mix_block_ratio,
            sr_ratio=self.sr_ratio or sr_ratio,
            zoo_widths=widths,
        )
