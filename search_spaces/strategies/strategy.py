"""A hybrid strategy: which stages have transformers, where in their groups, and how large the network is built.

A stage is of kind C (NCBs alone), T (NTBs alone) or H (hybrid: groups of N NCBs and one NTB), as in section 3.4 of
arXiv 2207.05501. Next-ViT is CHHH with N = 4 in stage 3; in the other stages one group takes the whole stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from search_spaces.common.errors import InvalidArchitecture, UnknownName
from search_spaces.nextvit.architecture import PAPER_WIDTHS, Architecture
from search_spaces.nextvit.checks import CHANNEL_STEP, MAX_WIDTH
from search_spaces.nextvit.stage import Stage, attention_width

Place = Literal["start", "middle", "end"]
Depths = tuple[int, int, int, int]

REPEATED = 2  # the index of stage 3, whose groups the paper repeats
LARGEST, STEP = 4.0, 1.02  # widths, as multiples of the paper's


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How large the networks of a strategy are: depths, stem, and the least multiple of the paper's widths."""

    depths: Depths
    stem: tuple[int, int, int] = (64, 32, 64)
    smallest: float = 0.25

    def __str__(self) -> str:
        return "-".join(map(str, self.depths))


# The depths of Next-ViT-S, of a network half as deep, and of Next-ViT-B; and networks for images of some 64 pixels that
# a CPU trains in minutes: the paper's stem alone has more multiply-accumulates than they have.
SCALINGS = {
    "shallow": Scaling(depths=(2, 2, 5, 2)),
    "as-s": Scaling(depths=(3, 4, 10, 3)),
    "as-b": Scaling(depths=(3, 4, 20, 3)),
    "tiny": Scaling(depths=(2, 2, 5, 2), stem=(16, 8, 16), smallest=0.1),
}
USUAL = ("shallow", "as-s", "as-b")


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to mix blocks, from which networks of any depth and width are built."""

    name: str
    stages: str = "CHHH"  # the kinds of the four stages
    convs: int = 4  # N: NCBs in each group of stage 3
    place: Place = "end"  # of the NTB in its group
    ratio: float = 0.75  # r: the share of attention in an NTB
    block: str = "C"  # the letter of the block in place of NCB (`search_spaces/zoo`)
    changes: dict[str, Any] = field(default_factory=dict, hash=False)  # variants: fields of the architecture

    def blocks(self, index: int, depth: int) -> str:
        """The blocks of a stage, counted from 0; stage 3 has as many groups as come nearest to the depth."""
        kind = self.stages[index]
        if kind != "H":
            return kind * depth
        convs = self.convs if index == REPEATED else depth - 1
        before = {"start": 0, "middle": convs // 2, "end": convs}[self.place]
        group = "C" * before + "T" + "C" * (convs - before)
        return group * max(1, round(depth / len(group)))

    def network(self, scaling: Scaling, width: float) -> Architecture:
        """The network of a scaling, with the paper's widths times `width` in steps of 32 channels.

        Raises:
            InvalidArchitecture: it is too wide.
        """
        network = Architecture(
            stages=tuple(
                Stage(
                    blocks=self.blocks(index, depth),
                    conv_width=_width(conv, width),
                    transformer_width=self._transformer_width(_width(transformer, width)),
                    mix_block_ratio=self.ratio,
                    sr_ratio=sr_ratio,
                )
                for index, (depth, (conv, transformer, sr_ratio)) in enumerate(
                    zip(scaling.depths, PAPER_WIDTHS, strict=True)
                )
            ),
            stem=scaling.stem,
            **self.changes,
        )
        return network.replaced("C", self.block) if self.block != "C" else network

    def _transformer_width(self, width: int) -> int:
        """The width, or the least one above it that leaves channels for both branches of an NTB."""
        while self.ratio < 1 and attention_width(width, self.ratio) >= width:
            width += CHANNEL_STEP
        return width

    def networks(self, scaling: Scaling) -> list[Architecture]:
        """The different networks of a scaling, from narrow to wide; empty if none can be built."""
        widths, width = [], scaling.smallest
        while width <= LARGEST:
            widths.append(width)
            width *= STEP
        return list(dict.fromkeys(network for width in widths if (network := self._tried(scaling, width))))

    def _tried(self, scaling: Scaling, width: float) -> Architecture | None:
        try:
            return self.network(scaling, width)
        except InvalidArchitecture:
            return None


def check_scalings(names: Sequence[str]) -> tuple[str, ...]:
    """The names of scalings, the usual three if none is given.

    Raises:
        UnknownName: there is no such scaling.
    """
    for name in names:
        if name not in SCALINGS:
            raise UnknownName("scaling", name, SCALINGS)
    return tuple(dict.fromkeys(names)) or USUAL


def neighbours(network: Architecture) -> Iterator[Architecture]:
    """The networks with the same blocks in which one width of one stage is 32 channels narrower or wider."""
    for index, stage in enumerate(network.stages):
        for changes in _widths(stage):
            try:
                changed = replace(stage, **changes)
                yield replace(network, stages=(*network.stages[:index], changed, *network.stages[index + 1 :]))
            except InvalidArchitecture:
                continue


def _widths(stage: Stage) -> Iterator[dict[str, Any]]:
    """The changes of one width of a stage by a step, as fields."""
    for step in (-CHANNEL_STEP, CHANNEL_STEP):
        for name in ("conv_width", "transformer_width"):
            if (width := getattr(stage, name)) is not None:
                yield {name: width + step}
        widths = dict(stage.zoo_widths)
        yield from ({"zoo_widths": {**widths, kind: width + step}} for kind, width in widths.items())


def _width(channels: int, scale: float) -> int:
    return CHANNEL_STEP * min(MAX_WIDTH // CHANNEL_STEP, max(1, round(channels * scale / CHANNEL_STEP)))
