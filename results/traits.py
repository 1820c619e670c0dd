"""Traits of networks that a rule of a front can name: where transformers stand, how many, how wide, how deep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_spaces import Architecture

Vector = NDArray[np.float64]
STAGES = range(4)


@dataclass(frozen=True, kw_only=True)
class Trait:
    """Something that is true or false of a network, as what several of them do: `have a transformer in stage 3`."""

    true: str
    false: str
    holds: tuple[bool | None, ...]  # for each network; None where the question does not arise


def traits(networks: Sequence[Architecture]) -> list[Trait]:
    """The traits that divide these networks, no two of them in the same way. Numbers are divided at their median."""
    found: dict[tuple[bool | None, ...], Trait] = {}
    for trait in (*_positions(networks), *_amounts(networks)):
        opposite = tuple(None if each is None else not each for each in trait.holds)
        if {True, False} <= set(trait.holds) and opposite not in found:
            found.setdefault(trait.holds, trait)
    return list(found.values())


def _positions(networks: Sequence[Architecture]) -> Iterator[Trait]:
    rows = [[stage.blocks for stage in network.stages] for network in networks]
    for stage in STAGES:
        yield Trait(
            true=f"have a transformer in stage {stage + 1}",
            false=f"have no transformer in stage {stage + 1}",
            holds=tuple("T" in row[stage] for row in rows),
        )
    for stage in STAGES:
        yield Trait(
            true=f"end stage {stage + 1} in a transformer",
            false=f"end stage {stage + 1} in a convolution block after transformers",
            holds=tuple(_at_end(row[stage]) for row in rows),
        )
    firsts = [next((stage for stage in STAGES if "T" in row[stage]), None) for row in rows]
    for stage in STAGES[1:]:
        yield Trait(
            true=f"have their first transformer in stage {stage + 1}",
            false=f"do not have their first transformer in stage {stage + 1}",
            holds=tuple(first == stage for first in firsts),
        )


def _at_end(blocks: str) -> bool | None:
    """Whether a stage ends in a transformer; None where it has one kind of block alone."""
    return blocks[-1] == "T" if len(set(blocks)) > 1 else None


def _amounts(networks: Sequence[Architecture]) -> Iterator[Trait]:
    third = [network.stages[2].blocks for network in networks]
    yield from _split("have {} transformers", [sum(s.blocks.count("T") for s in n.stages) for n in networks])
    yield from _split("have {} transformers in stage 3", [row.count("T") for row in third])
    per_transformer = [row.count("C") / row.count("T") if "T" in row else None for row in third]
    yield from _split("have {} convolution blocks for each transformer in stage 3", per_transformer)
    yield from _split("have an r of {}", [_r(network) for network in networks], "less")
    for stage in STAGES:
        rows = [network.stages[stage] for network in networks]
        yield from _split(f"have {{}} blocks in stage {stage + 1}", [len(row.blocks) for row in rows])
        widths = {
            "convolution blocks": [row.conv_width for row in rows],
            "transformers": [row.transformer_width for row in rows],
        }
        for blocks, values in widths.items():
            yield from _split(f"have {blocks} {{}} wide in stage {stage + 1}", values, "less")


def _r(network: Architecture) -> float | None:
    """The share of channels that attend, as a mean over the stages with transformers."""
    shares = [stage.mix_block_ratio for stage in network.stages if stage.mix_block_ratio is not None]
    return sum(shares) / len(shares) if shares else None


def _split(text: str, values: Sequence[float | None], less: str = "fewer") -> Iterator[Trait]:
    """The trait of being large: at least the value that divides the networks most evenly."""
    known = np.array([value for value in values if value is not None], dtype=float)
    bounds = np.unique(known)[1:]
    if len(bounds):
        bound = float(bounds[np.argmin([abs((known >= bound).mean() - 0.5) for bound in bounds])])
        yield Trait(
            true=text.format(f"at least {bound:.4g}"),
            false=text.format(f"{less} than {bound:.4g}"),
            holds=tuple(None if value is None else value >= bound for value in values),
        )
