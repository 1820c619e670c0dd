"""An architecture: the explicit description of one network of the Next-ViT family (arXiv 2207.05501).

Standard library only, so that describing, storing and comparing networks never needs torch.
"""

from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from search_spaces.common import texts
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.common.network import Network
from search_spaces.common.texts import shown
from search_spaces.nextvit.checks import CHANNEL_STEP, checked_keys, checked_ratio, checked_stem, one_of
from search_spaces.nextvit.stage import Block, Stage
from search_spaces.zoo import KINDS

SCHEMA = "nas.architecture/1"
NOT_FIELDS = {"schema", "provenance"}  # keys of a file that are not fields of an architecture
HEAD_DIMS = (16, 32, 64)
PARTS = ("stem", "stage-1", "stage-2", "stage-3", "stage-4", "head")  # of every network, in order
STAGE_STRIDES = (1, 2, 2, 2)  # after the stem's 4: features at strides 4, 8, 16, 32


def output_side(side: int, stride: int) -> int:
    """Height (or width) of the feature map after a layer of that stride: every layer of the family rounds up."""
    return -(-side // stride)


def stem_layers(widths: tuple[int, int, int], in_channels: int = 3) -> tuple[tuple[int, int, int], ...]:
    """The four 3x3 convolutions of the stem, each as (input channels, output channels, stride)."""
    first, second, third = widths
    return (in_channels, first, 2), (first, second, 1), (second, third, 1), (third, third, 2)


# In what a whole network may differ from Next-ViT; the first choice is Next-ViT's, which JSON leaves out.
VARIANTS: dict[str, tuple[str, ...] | tuple[int, ...]] = {
    "normalization": ("batch", "layer"),
    "activation": ("relu", "gelu"),
    "transformer_order": ("attention-first", "convolution-first"),
    "attention_pooling": ("rows", "squares"),
    "conv_kernel": (3, 5, 7),
}


@dataclass(frozen=True, kw_only=True)
class Architecture(Network):
    """One network, described explicitly: frozen, hashable, and the same bytes in JSON every time.

    `str(architecture)` is the notation used everywhere (`CCC-CCCT-CCCCTCCCCT-CCT` is Next-ViT-S), and
    `architecture.id` the first 12 hexadecimal digits of the SHA-256 of its canonical JSON. The last five fields are
    variants, for experiments; one that changes nothing in a network has its default there:

    - `normalization`: "batch" norm, or "layer" norm over the channels of each position, everywhere: in the stem, every
      PatchEmbed, NCB and NTB, and before the head.
    - `activation`: "relu" or "gelu", everywhere.
    - `transformer_order`: whether attention or convolution comes first in an NTB and feeds the other.
    - `attention_pooling`: keys and values are averages of sr_ratio^2 tokens in a row ("rows", as published), or of
      squares of sr_ratio positions a side; at an edge, a square that is cut off averages the positions that it has.
      A map smaller than one row or square has one key.
    - `conv_kernel`: the side of the group convolution's kernel in NCB and NTB.

    Blocks of the zoo keep their own norms, activations and kernels.

    Raises:
        InvalidArchitecture: the network cannot be built; names the field and the nearest valid value.
    """

    stages: tuple[Stage, ...]
    stem: tuple[int, int, int] = (64, 32, 64)
    head_dim: int = 32
    conv_mlp_ratio: float = 3.0
    transformer_mlp_ratio: float = 2.0
    normalization: str = "batch"
    activation: str = "relu"
    transformer_order: str = "attention-first"
    attention_pooling: str = "rows"
    conv_kernel: int = 3

    def __post_init__(self) -> None:
        if len(self.stages) != len(STAGE_STRIDES):
            raise InvalidArchitecture("stages", f"expected 4 stages, got {len(self.stages)}", 4)
        object.__setattr__(self, "stages", tuple(self.stages))
        object.__setattr__(self, "stem", checked_stem(self.stem))
        object.__setattr__(self, "head_dim", one_of("head_dim", self.head_dim, HEAD_DIMS))
        for name in ("conv_mlp_ratio", "transformer_mlp_ratio"):
            object.__setattr__(self, name, checked_ratio(name, getattr(self, name), 0.125, 16, 2.0))
        self._settle_variants()
        self._check_heads()

    def _settle_variants(self) -> None:
        """Checks the variants; one that no block uses becomes the default, so that equal networks are equal."""
        used = self.uses
        for name, choices in VARIANTS.items():
            value = one_of(name, getattr(self, name), choices)
            object.__setattr__(self, name, value if name in used else choices[0])

    @property
    def uses(self) -> frozenset[str]:
        """Those fields that change something in this network: no kernel where nothing convolves, for example."""
        return frozenset({"stem", "head_dim", "normalization", "activation"}).union(*(s.uses for s in self.stages))

    def _check_heads(self) -> None:
        for index, stage in enumerate(self.stages):
            attention = stage.attention_channels
            convolution = (stage.transformer_width or 0) - attention
            for field, channels in (
                ("conv_width", stage.conv_width or 0),
                ("mix_block_ratio", attention),
                ("mix_block_ratio", convolution),
                *(("zoo_widths", stage.attention(kind)) for kind in dict(stage.zoo_widths)),
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
                row.append(self._block(stage, kind, channels, stage_stride if position == 0 else 1))
                channels = stage.width(kind)
            plan.append(tuple(row))
        return tuple(plan)

    def _block(self, stage: Stage, kind: str, in_channels: int, stride: int) -> Block:
        width, ratios = stage.width(kind), {"C": self.conv_mlp_ratio, "T": self.transformer_mlp_ratio}
        return Block(
            kind=kind,
            in_channels=in_channels,
            out_channels=width,
            stride=stride,
            attention_channels=stage.attention(kind),
            sr_ratio=stage.pooling(kind),
            head_dim=self.head_dim,
            mlp_channels=int(width * (ratios[kind] if kind in ratios else KINDS[kind].MLP_RATIO)),
            kernel=self.conv_kernel,
            normalization=self.normalization,
            activation=self.activation,
            order=self.transformer_order,
            pooling=self.attention_pooling,
        )

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """Channels of the feature maps at strides 4, 8, 16 and 32."""
        return tuple(row[-1].out_channels for row in self.blocks)

    def __str__(self) -> str:
        return "-".join(stage.blocks for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version of the schema; what is as in Next-ViT in every network is left out."""
        data = {"schema": SCHEMA, **asdict(self)}
        for name, choices in VARIANTS.items():
            if data[name] == choices[0]:
                del data[name]
        for stage in data["stages"]:
            if widths := dict(stage.pop("zoo_widths")):
                stage["zoo_widths"] = widths
        return data

    def replaced(self, kind: str, by: str) -> "Architecture":
        """The network with every block of a kind replaced by one of another kind and of the same width.

        `kind` and `by` are letters: C, T, or blocks of the zoo. A T, or the zoo's V, in a stage that had neither gets
        r = 0.75 and the paper's sr ratio of that stage.

        Raises:
            InvalidArchitecture: it cannot be built, or a stage has blocks of the other kind and another width.
        """
        stages = []
        for index, stage in enumerate(self.stages):
            try:
                stages.append(stage.replaced(kind, by, PAPER_WIDTHS[index][2], 0.75))
            except InvalidArchitecture as error:
                raise error.within(f"stages[{index}]") from None
        return replace(self, stages=tuple(stages))

    @classmethod
    def from_dict(cls, data: object) -> "Architecture":
        """The inverse of `to_dict`. An unknown field is an error, never dropped.

        `provenance` may hold anything: it says where the network comes from and is not part of it.

        Raises:
            InvalidArchitecture: not an architecture, of another schema, or not buildable.
        """
        values = checked_keys("architecture", data, KNOWN_KEYS, {"stages"})
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

        Blocks of the zoo are as wide as NTBs if they attend, and as NCBs if they do not.

        An NTB in stage 1 is 128 wide: the paper's 96 leaves no convolution channels at r = 0.75.

        Raises:
            InvalidArchitecture: not four groups of letters.
        """
        groups = notation.strip().upper().split("-")
        if len(groups) != len(PAPER_WIDTHS):
            raise InvalidArchitecture(
                "notation", f"expected four groups of C and T joined by '-', got {shown(notation)}", str(NEXT_VIT_S)
            )
        return cls(stages=tuple(_paper_stage(index, blocks) for index, blocks in enumerate(groups)))


KNOWN_KEYS = {field.name for field in fields(Architecture)} | NOT_FIELDS  # of a file
STAGE_KEYS = {field.name for field in fields(Stage)}


def _stage_from_dict(index: int, data: object) -> Stage:
    values = checked_keys(f"stages[{index}]", data, STAGE_KEYS, {"blocks"})
    try:
        if "zoo_widths" in values:
            values["zoo_widths"] = checked_keys("zoo_widths", values["zoo_widths"], KINDS, ())
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
